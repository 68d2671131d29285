"""Packs are put into an order's parcel by their labels: typed, pasted, or read by a hand scanner that types."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, joinedload

from shop.orders import steps
from shop.orders.errors import moved_on, no_order
from shop.orders.lines import packs_of
from shop.orders.models import Order, Status
from shop.orders.moving import last_hand, touch
from shop.picking.freeing import free
from shop.picking.models import OrderUnit
from trace.gs1.digital_link import parse_uri
from trace.gs1.errors import Gs1Error
from trace.units.models import Unit
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people.access import Actor

NONE_LEFT = (Status.CONFIRMED, Status.PICKED)
"""Before any parcel has left."""
AT_PICKING = (*NONE_LEFT, Status.PARTLY_DISPATCHED)
"""While a parcel is open."""
MOST = 200
"""Labels put in at once."""
MAX_TEXT = 40_000


@dataclass(frozen=True)
class Label:
    """What was typed for one pack: its serial number, with GTIN and lot where a whole address was given."""

    typed: str
    serial: str
    gtin: str | None = None
    lot: str | None = None


@dataclass(frozen=True)
class Parcel:
    """An order at picking: for each lot how many packs it wants, and which are in."""

    order: Order
    wanted: Sequence[tuple[str, str, int]]
    """(batch id, lot, packs)."""
    packs: Sequence[OrderUnit]

    def put_in(self, batch_id: str) -> list[OrderUnit]:
        """The packs of a lot that are in."""
        return [one for one in self.packs if one.unit.batch_id == batch_id]

    def may_leave(self, batch_id: str) -> bool:
        """True when packs of a lot may be taken out again: while the parcel is open, and where more are in than the
        order still has, because some came back or were not sent after all."""
        kept = sum(units for batch, _lot, units in self.wanted if batch == batch_id)
        return self.order.status in AT_PICKING or len(self.put_in(batch_id)) > kept


def parcel(actor: Actor, order_id: str) -> Parcel:
    """How far the picking has come; NotFound for an order in which the actor's cooperative sells nothing."""
    return _parcel(db.session(), steps.by_id(actor, order_id))


def labels(text: str) -> list[Label]:
    """The labels that a text names, one a line or parted by blanks, each once. BadInput where one cannot be read."""
    if len(text) > MAX_TEXT:
        raise BadInput("too-long", _l("Dán nhiều quá. Bác chia ra, mỗi lần %(most)s gói."), field="labels", most=MOST)
    found: dict[tuple[str | None, str], Label] = {}
    for word in text.split():
        label = _label(word)
        found.setdefault((label.gtin, label.serial), label)
    if not found:
        raise BadInput("no-labels", _l("Bác dán hoặc gõ số của ít nhất một gói."), field="labels")
    if len(found) > MOST:
        raise BadInput("too-many", _l("Mỗi lần nhiều nhất %(most)s gói."), field="labels", most=MOST)
    return list(found.values())


def put(actor: Actor, order_id: str, typed: Sequence[Label]) -> int:
    """Put these packs into the parcel, all or none; how many. BadInput says of each refused one why."""
    steps.by_id(actor, order_id)
    with write() as session:
        order = _taken(session, actor, order_id, AT_PICKING)
        standing = _parcel(session, order)
        room = {batch: units - len(standing.put_in(batch)) for batch, _lot, units in standing.wanted}
        found: dict[str, Unit] = {}
        refused: list[str] = []
        known = _units(session, typed, {line.gtin for line in order.lines})
        for label in typed:
            unit = known.get((label.gtin, label.serial))
            if unit is not None and unit.id in found:
                continue  # the same pack, by its number and by its address
            why = _why_not(label, unit, order, room, actor)
            if why or unit is None:
                refused.append(f"{label.typed[-60:]}: {why}")
                continue
            room[unit.batch_id] -= 1
            found[unit.id] = unit
        if refused:
            raise BadInput("packs-refused", _l("Chưa ghi gói nào. %(why)s"), field="labels", why=" ".join(refused[:10]))
        now = clock.now()
        taken = session.execute(
            update(Unit)
            .where(Unit.id.in_(list(found)), Unit.sold_at.is_(None), Unit.voided_at.is_(None))
            .values(sold_at=now)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(taken, CursorResult)
        if taken.rowcount != len(found):
            raise Conflict("packs-taken", _l("Có gói vừa ghi vào đơn khác mất rồi. Bác xem lại rồi ghi lại nhé."))
        session.add_all(OrderUnit(unit_id=one, order_id=order_id, member_id=actor.id, at=now) for one in found)
        return len(found)


def take_out(actor: Actor, order_id: str, unit_id: str) -> None:
    """Take one pack out again."""
    steps.by_id(actor, order_id)
    with write() as session:
        order = _taken(session, actor, order_id, tuple(Status))
        held = session.get(OrderUnit, unit_id)
        if held is None or held.order_id != order_id:
            raise NotFound("no-such-pack", _l("Gói này không nằm trong đơn."))
        if not _parcel(session, order).may_leave(held.unit.batch_id):
            raise moved_on(order, last_hand(order))
        session.delete(held)
        session.execute(update(Unit).where(Unit.id == unit_id).values(sold_at=None))


def take_all_out(actor: Actor, order_id: str) -> None:
    """Take all packs out: the picking begins anew."""
    steps.by_id(actor, order_id)
    with write() as session:
        _taken(session, actor, order_id, NONE_LEFT)
        free(session, order_id)


def _label(word: str) -> Label:
    if "/" not in word:
        serial = re.sub(r"[^0-9A-Za-z]", "", word).upper()
        if not 1 <= len(serial) <= 20:
            raise _unreadable(word)
        return Label(word, serial)
    try:
        link = parse_uri(word if "://" in word else f"https://soi/{word.lstrip('/')}")
    except Gs1Error as error:
        raise _unreadable(word) from error
    if link.serial is None:
        raise BadInput(
            "lot-label", _l("%(word)s là tem của cả lô, không có số riêng của gói."), field="labels", word=word[:80]
        )
    return Label(word, link.serial, link.gtin, link.lot)


def _unreadable(word: str) -> BadInput:
    return BadInput("bad-label", _l("Không đọc được %(word)s. Bác dán cả địa chỉ trên tem, hoặc gõ số của gói."),
                    field="labels", word=word[:80])  # fmt: skip


def _units(session: Session, typed: Sequence[Label], gtins: Iterable[str]) -> dict[tuple[str | None, str], Unit]:
    """The packs by what was typed. A bare number is looked for among the order's products only."""
    mine = set(gtins)
    query = select(Unit).where(Unit.serial.in_({one.serial for one in typed})).options(joinedload(Unit.batch))
    found: dict[tuple[str | None, str], Unit] = {}
    for unit in session.scalars(query):
        found[unit.gtin, unit.serial] = unit
        if unit.gtin in mine:
            found[None, unit.serial] = unit
    return found


def _why_not(label: Label, unit: Unit | None, order: Order, room: dict[str, int], actor: Actor) -> str:
    """Why a pack may not go into the parcel; empty when it may."""
    if unit is None:
        return _("chúng tôi chưa từng phát số này cho hàng trong đơn.")
    if unit.batch.cooperative_id != actor.cooperative_id:
        return _("gói của hợp tác xã khác.")
    if label.lot is not None and label.lot != unit.batch.lot:
        return _("số này là của lô %(lot)s, không phải lô trên tem.", lot=unit.batch.lot)
    if unit.batch_id not in room:
        return _("gói của lô %(lot)s, mà đơn này lấy từ lô khác.", lot=unit.batch.lot)
    if unit.voided_at is not None:
        return _("tem này đã huỷ.")
    if unit.sold_at is not None:
        return _("gói này đã ghi vào một đơn rồi.")
    if room[unit.batch_id] < 1:
        return _("lô %(lot)s đã đủ gói cho đơn này.", lot=unit.batch.lot)
    return ""


def _taken(session: Session, actor: Actor, order_id: str, sources: Sequence[Status]) -> Order:
    order = session.get(Order, order_id)
    if order is None:
        raise no_order()
    touch(session, order, sources, actor)
    return order


def _parcel(session: Session, order: Order) -> Parcel:
    packs = session.scalars(
        select(OrderUnit)
        .where(OrderUnit.order_id == order.id)
        .options(joinedload(OrderUnit.unit), joinedload(OrderUnit.member))
        .order_by(OrderUnit.at, OrderUnit.unit_id)
    ).all()
    wanted = sorted((part.batch_id, part.lot, part.units) for part in packs_of(order))
    return Parcel(order, wanted, packs)
