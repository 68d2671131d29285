"""Where every pack of a recall is by now. Pure: integers in, integers out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Counted(NamedTuple):
    """A step's figure: `what` is found, returned or destroyed; `source` (of destroyed) store, returned or buyer."""

    what: str
    source: str | None
    units: int


class Impossible(ValueError):
    """More was counted than there can be. `most` is what there can be at most, `least` the least."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__(f"{what}: at most {most}")
        self.what, self.most = what, most


@dataclass(frozen=True)
class Account:
    """Packs of a recall, each in one place: the parts sum up to `packed`.

    `told` are packs with buyers who were told and that nobody has seen since; `unknown` is the rest.
    """

    packed: int
    found: int
    """Counted in the store and put apart, and still there."""
    returned: int
    """Come back, and still there."""
    destroyed: int
    told: int
    unknown: int

    @property
    def accounted(self) -> int:
        """Packs of which somebody knows."""
        return self.packed - self.unknown

    @property
    def share(self) -> float:
        """Of all packs, those accounted for; 1 where there were none."""
        return self.accounted / self.packed if self.packed else 1.0

    @property
    def in_hand(self) -> float:
        """Of all packs, those that were seen again or destroyed."""
        return (self.found + self.returned + self.destroyed) / self.packed if self.packed else 1.0


def reckon(packed: int, in_stock: int, told: int, counted: Iterable[Counted]) -> Account:
    """The account of a recall (or of one lot of it) of so many packs, of which `in_stock` had not left, and `told` had
    left to buyers who were told since. Raises Impossible where a figure goes beyond what there was, or below nought.
    """
    sums: dict[tuple[str, str | None], int] = {}
    for one in counted:
        sums[one.what, one.source] = sums.get((one.what, one.source), 0) + one.units
    found, returned = sums.get(("found", None), 0), sums.get(("returned", None), 0)
    here, back, there = (sums.get(("destroyed", source), 0) for source in ("store", "returned", "buyer"))
    gone = packed - in_stock
    limits = (
        ("found", found, in_stock),
        ("returned", returned, gone),
        ("destroyed-store", here, found),
        ("destroyed-returned", back, returned),
        ("destroyed-buyer", there, gone - returned),
    )
    for what, units, most in limits:
        if not 0 <= units <= most:
            raise Impossible(what, most)
    with_told = max(0, min(told, gone) - returned - there)
    seen = found + returned + there
    return Account(packed, found - here, returned - back, here + back + there, with_told, packed - seen - with_told)
