"""What a recall asks of the rooms above, and what they answer. Values only: trace knows nothing of orders."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class AffectedOrder:
    """An order with packs of the lots. `state` is stopped, shipping or delivered; `parts` are (code, packs) by the
    lots' ids."""

    id: str
    number: str
    state: str
    parts: dict[str, tuple[str, int]]

    @property
    def packs(self) -> int:
        """All its affected packs."""
        return sum(units for _lot, units in self.parts.values())


@dataclass(frozen=True)
class Reach:
    """Who is affected. `buyers` counts people, `notified` those for whom a message was put into the outbox."""

    orders: tuple[AffectedOrder, ...] = ()
    buyers: int = 0
    notified: int = 0

    @property
    def shipping(self) -> int:
        """Packs that are on the way."""
        return sum(order.packs for order in self.orders if order.state == "shipping")

@dataclass(frozen=True)
class Call:
    """A recall as it begins, as the rooms above need to know it."""

    id: str
    cooperative_id: str
    reason: str
    drill: bool
    batches: frozenset[str] = field(default_factory=frozenset)
    """Ids of the lots that it stops; those that an older recall stopped already are not among them."""
