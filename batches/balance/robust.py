"""Is a figure out of the way of its own history? Pure, in integers.

The rule: with at least eight earlier figures, one is an outlier when it lies farther from their median than 3.5 times
1.4826 × MAD, the median of their own distances from it (Iglewicz and Hoaglin's modified z-score; 1.4826 × MAD is
the standard deviation of normal data, but does not move with the outliers themselves). A history
that hardly varies would find fault with every breath of wind, so MAD counts as a hundredth of the median at least.
"""

from collections.abc import Sequence
from dataclasses import dataclass

ENOUGH = 8
"""Fewer earlier figures say nothing."""
TIMES, SIGMA, SCALE = 35, 14_826, 100_000
"""3.5 × 1.4826, multiplied out."""
FLOOR = 100
"""MAD is a hundredth of the median at least."""


@dataclass(frozen=True)
class Usual:
    """What a history makes usual: the median, and the bounds around it, in the figures' own unit, rounded outward."""

    median: int
    low: int
    high: int
    count: int

    def has(self, value: int) -> bool:
        """True for a figure within."""
        return self.low <= value <= self.high


def twice_median(values: Sequence[int]) -> int:
    """Twice the median, which is always whole. Raises `ValueError` for no figures."""
    if not values:
        raise ValueError("nothing has no median")
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]


def usual(history: Sequence[int]) -> Usual | None:
    """What `history` makes usual; None while there is not enough of it."""
    if len(history) < ENOUGH:
        return None
    middle = twice_median(history)
    # Twice a distance from twice the median is four times a distance from the median.
    spread = twice_median([abs(2 * value - middle) for value in history])
    reach = max(spread * FLOOR, 2 * abs(middle)) * TIMES * SIGMA
    unit = SCALE * FLOOR
    return Usual(
        median=middle // 2,
        low=(2 * middle * unit - reach) // (4 * unit),
        high=-((-2 * middle * unit - reach) // (4 * unit)),
        count=len(history),
    )
