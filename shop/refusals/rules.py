"""What a number's past parcels ask of its next order for cash. Computes only; the thresholds stand in `rules.toml`."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from shop.addresses.fold import folded

Outcome = Literal["delivered", "refused", "unreachable"]
"""How a parcel ended at its buyer's door."""
Word = Literal["fresh", "fine", "ask", "deposit"]
"""Nothing known; nothing to ask; ring first; pay ahead."""
Reason = Literal["", "new", "back", "often"]
"""Why something is asked: the first order and a large one, something came back, it comes back often."""


@dataclass(frozen=True)
class Rules:
    """Thresholds; see `rules.toml` for each."""

    kept_days: int
    call_refused: int
    call_unreachable: int
    call_share: int
    new_from: int
    deposit_refused: int
    deposit_share: int
    appeal_days: int
    appeal_shown: int
    appeals_most: int
    refused_words: tuple[str, ...]
    unreachable_words: tuple[str, ...]


@dataclass(frozen=True)
class Tally:
    """A number's orders of late, each counted once."""

    delivered: int = 0
    refused: int = 0
    unreachable: int = 0

    @property
    def orders(self) -> int:
        """All of them."""
        return self.delivered + self.refused + self.unreachable

    @property
    def share(self) -> int:
        """Hundredths that came back, those that nobody was reached for at half."""
        return 50 * (2 * self.refused + self.unreachable) // self.orders if self.orders else 0


@cache
def rules() -> Rules:
    """As the file has them."""
    with (Path(__file__).parent / "rules.toml").open("rb") as file:
        told = tomllib.load(file)
    call, deposit, appeal = told["call"], told["deposit"], told["appeal"]
    return Rules(
        kept_days=told["kept"]["days"],
        call_refused=call["refused"], call_unreachable=call["unreachable"], call_share=call["share"],
        new_from=call["new_from"], deposit_refused=deposit["refused"], deposit_share=deposit["share"],
        appeal_days=appeal["days"], appeal_shown=appeal["shown"], appeals_most=appeal["most"],
        refused_words=tuple(told["words"]["refused"]), unreachable_words=tuple(told["words"]["unreachable"]),
    )  # fmt: skip


def tally(ends: Iterable[tuple[str, Outcome]]) -> Tally:
    """Count orders out of (order, how one of its parcels ended). An order of which anything was taken was taken."""
    rank: tuple[Outcome, ...] = ("unreachable", "refused", "delivered")
    best: dict[str, Outcome] = {}
    for order, outcome in ends:
        best[order] = max(best.get(order, outcome), outcome, key=rank.index)
    found = list(best.values())
    return Tally(*(found.count(one) for one in ("delivered", "refused", "unreachable")))


def judge(found: Tally, total: int, by: Rules) -> tuple[Word, Reason]:
    """What to ask of an order of `total` đồng for cash."""
    if not found.orders:
        return ("ask", "new") if total >= by.new_from else ("fresh", "")
    if found.refused >= by.deposit_refused and found.share >= by.deposit_share:
        return "deposit", "often"
    came_back = found.refused >= by.call_refused or found.unreachable >= by.call_unreachable
    if came_back and found.share >= by.call_share:
        return "ask", "back"
    return "fine", ""


def guess(words: str, by: Rules) -> Outcome | None:
    """What a carrier's reason sounds like; None when it says nothing of the buyer, or both."""
    text = f" {folded(words)} "
    found: list[Outcome] = []
    if any(f" {one} " in text for one in by.refused_words):
        found.append("refused")
    if any(f" {one} " in text for one in by.unreachable_words):
        found.append("unreachable")
    return found[0] if len(found) == 1 else None
