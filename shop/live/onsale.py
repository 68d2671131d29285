"""What each code still has to give, as the console draws it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from shop.live.models import LiveSession
from shop.stock import aside
from village.i18n import in_language

SHORT = 5
"""Packs left from which on a code is called nearly sold out."""
BAR = 100
"""How long a code's bar is."""


@dataclass(frozen=True)
class OnSale:
    """A code with what is left for it, in packs."""

    code: str
    name: str
    price: int
    """Đồng for one pack."""
    taken: int
    """In this session's orders."""
    left: int
    """That viewers can still have: on the shelf or kept for the session, within its limit."""
    kept: int
    """Of these, kept from the shelf for this session alone."""
    limit: int | None
    pinned: bool
    """True for the code that a bare number means."""

    @property
    def short(self) -> bool:
        """Nearly or wholly sold out."""
        return self.left <= SHORT

    @property
    def bar(self) -> tuple[float, float]:
        """Where the taken packs end on the bar, and where the kept ones do that follow them; from 0 to BAR."""
        whole = max(self.taken + self.left, 1)
        return round(BAR * self.taken / whole, 1), round(BAR * (self.taken + self.kept) / whole, 1)


def on_sale(session: Session, live: LiveSession) -> list[OnSale]:
    """The session's codes in their order."""
    reach, kept = aside.within_reach(session, live.codes), aside.kept_of(session, live.codes)
    found = []
    for code in live.codes:
        left = reach[code.id]
        if code.unit_limit is not None:
            left = min(left, code.unit_limit - code.taken)
        left = max(left, 0)
        name = in_language(code.product.name_vi, code.product.name_en)
        found.append(
            OnSale(
                code.code, name, code.price, code.taken, left, min(kept[code.id], left), code.unit_limit,
                pinned=code.code == live.pinned,
            )
        )  # fmt: skip
    return found
