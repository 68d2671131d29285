"""Which lots a recall takes in: those that the office names, and all that was made of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.lots.models import Batch, Hold
from trace.lots.services import listed, no_such_batch, reachable
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.people.access import Actor, not_yours

CHOSEN_MAX = 1_000


class Lot(NamedTuple):
    """A lot, as far as a recall needs it. Packs in units (None for what is weighed), weights in grams."""

    id: str
    epc: str
    gtin: str
    lot: str
    product_id: str
    cooperative_id: str
    hold: Hold
    hold_reason: str
    best_before: object
    made_grams: int
    left_grams: int
    made_units: int | None
    left_units: int | None

    @property
    def packed(self) -> int:
        """Packs that it was made of; 0 for what is weighed."""
        return self.made_units or 0

    @property
    def in_stock(self) -> int:
        """Packs that are still there."""
        return self.left_units or 0


_COLUMNS = tuple(Batch.__table__.c[name] for name in Lot._fields)


@dataclass(frozen=True)
class Scope:
    """What a recall would take in. `chosen` are ids of the lots that were named."""

    chosen: frozenset[str]
    lots: tuple[Lot, ...]

    @property
    def packed(self) -> int:
        """Packs in all."""
        return sum(lot.packed for lot in self.lots)

    @property
    def in_stock(self) -> int:
        """Packs that have not left."""
        return sum(lot.in_stock for lot in self.lots)

    @property
    def left_grams(self) -> int:
        """What is left of the rest, by weight."""
        return sum(lot.left_grams for lot in self.lots if lot.made_units is None)

    @property
    def fresh(self) -> tuple[Lot, ...]:
        """Those that no older recall stops already."""
        return tuple(lot for lot in self.lots if lot.hold != "recalled")


def checked(ids: Sequence[object]) -> list[str]:
    """The ids that were asked for, each once; BadInput for none, too many, or what is no id."""
    if not ids:
        raise BadInput("no-batches", _l("Bác chọn ít nhất một lô để thu hồi."), field="batches")
    if len(ids) > CHOSEN_MAX:
        raise BadInput(
            "too-many-batches", _l("Một lần thu hồi chọn nhiều nhất %(max)s lô. Bác chọn nguồn chung của chúng nhé."),
            field="batches", max=CHOSEN_MAX, count=len(ids),
        )  # fmt: skip
    for place, one in enumerate(ids):
        if not isinstance(one, str) or not is_uuid(one):
            raise BadInput("bad-id", _l("Mã mẻ phải là một UUID viết thường."), field=f"batches.{place}")
    return list(dict.fromkeys(str(one) for one in ids))


def find(session: Session, who: Actor, ids: Sequence[str], *, lock: bool = False) -> Scope:
    """The lots named and everything below them, in the order of their ids.

    Only lots of the asker's own cooperative may be named: NotFound for no batch, Forbidden for another's, BadInput for
    one that a correction declared never to have been made. What came of them is taken in whosever it is.
    """
    _authorise(session, who, ids)
    everything = {*ids, *reachable(session, ids, "down")}
    return Scope(frozenset(ids), _lots(session, everything, lock))


def _authorise(session: Session, who: Actor, ids: Sequence[str]) -> None:
    query = select(Batch.id, Batch.cooperative_id, Batch.void).where(Batch.id.in_(listed(session, ids)))
    known = {one: (owner, void) for one, owner, void in session.execute(query)}
    for place, one in enumerate(ids):
        field = f"batches.{place}"
        if one not in known:
            raise no_such_batch(one, field)
        owner, void = known[one]
        if owner != who.cooperative_id:
            raise not_yours(field=field)
        if void:
            raise BadInput("void", _l("Mẻ này đã được khai là ghi nhầm, không có thật."), field=field, batch=one)


def _lots(session: Session, ids: Collection[str], lock: bool) -> tuple[Lot, ...]:
    query = select(*_COLUMNS).where(Batch.id.in_(listed(session, ids)), Batch.void.is_(False))
    if lock and session.get_bind().dialect.name == "postgresql":
        query = query.order_by(Batch.id).with_for_update(key_share=True)
    return tuple(sorted(Lot._make(row) for row in session.execute(query)))
