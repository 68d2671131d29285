"""What a comment asks for, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from shop.live.models import Decision
from shop.orders.models import Order


@dataclass(frozen=True)
class Asked:
    """So many packs of a code, and the words that said so. In a cancellation 0 means all."""

    code: str
    quantity: int
    because: str = ""
    kept: bool = False
    """In an order: she had these packs before, kept for her until this word. Nothing more was given."""

    def as_json(self) -> dict[str, str | int]:
        """As it is kept with a decision."""
        told: dict[str, str | int] = {"code": self.code, "quantity": self.quantity, "because": self.because}
        return {**told, "kept": True} if self.kept else told


@dataclass(frozen=True)
class Outcome:
    """What became of a comment."""

    decision: Decision
    lines: Sequence[Asked] = ()
    waiting: Sequence[Asked] = ()
    suggested: Sequence[Asked] = ()
    phone: str | None = None
    reason: str = ""
    order: Order | None = None
    allowed: int | None = None
    """Where a limit stood in the way: how many more packs she may have of what she asked for."""
    pinned: str | None = None
    """The pinned code that a number without one was taken for."""
