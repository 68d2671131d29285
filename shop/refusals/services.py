"""What an order for cash is asked, by how earlier parcels to the same number ended at the same seller.

    standing(session, phone, seller, total) -> Standing   fresh | fine | ask | deposit, and why
    offered(methods, standing) -> methods                 without cash, where paying ahead is asked and possible
    heed_in(session, order)                               as it is placed: refuses cash, or has the seller ring first
    ask_in(session, order)                                when its buyer becomes known later: the seller rings first
    called_in(session, order, actor, called)              as it is confirmed

Each seller sees what became of its own parcels alone. Nothing here is on the ledger, nor beside a name.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from shop.delivery.models import Shipment
from shop.orders.models import Order, Status
from shop.orders.models import Payment as Method
from shop.refusals.keeping import phone_hash
from shop.refusals.models import CallFirst, ParcelOutcome
from shop.refusals.rules import Outcome, Reason, Tally, Word, judge, rules, tally
from village import clock
from village.db import core, db, in_parts
from village.errors import Conflict
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people import throttle
from village.people.access import Actor
from village.people.models import Role

DAYS_IN_MONTH = 30
_ENDS = (
    select(ParcelOutcome.phone_hash, Order.cooperative_id, Shipment.order_id, ParcelOutcome.outcome)
    .join(Shipment, Shipment.id == ParcelOutcome.shipment_id)
    .join(Order, Order.id == Shipment.order_id)
    .where(
        ParcelOutcome.phone_hash.in_(bindparam("marks", expanding=True)), ParcelOutcome.expires > bindparam("today"),
        Order.cooperative_id.in_(bindparam("sellers", expanding=True)),
    )
)  # fmt: skip
PAY_AHEAD = "pay-ahead"
TOLD_MOST = 10
"""Times in a quarter of an hour that one network address is told so: nobody finds out whose parcels came back by trying
numbers."""
NOTHING = Tally()
ASKING: tuple[Word, ...] = ("ask", "deposit")


@dataclass(frozen=True)
class Standing:
    """What is asked of a number's next order for cash."""

    word: Word
    reason: Reason = ""
    tally: Tally = NOTHING

    @property
    def why(self) -> str:
        """One sentence for its buyer, in the reader's language; empty when nothing is asked."""
        return why(self.reason)


def why(reason: str) -> str:
    """A reason in words that its buyer may read."""
    if reason == "new":
        return _("Đây là đơn đầu gửi tới số này, mà lại là đơn lớn.")
    words = {
        "back": _("Trong %(months)s tháng qua có kiện gửi tới số này không giao được.", months=months()),
        "often": _("Trong %(months)s tháng qua có mấy kiện gửi tới số này không giao được.", months=months()),
    }
    return words.get(reason, "")


def months() -> int:
    """For how long it counts."""
    return rules().kept_days // DAYS_IN_MONTH


def standing(session: Session, phone: str | None, seller: str | None, total: int = 0) -> Standing:
    """What to ask of an order for cash of `total` đồng from `phone` (E.164) at `seller` (a cooperative's id).

    One statement. `fresh` where number or seller is not known.
    """
    return _standings(session, [(phone, seller, total)])[0]


def offered(methods: Iterable[Method], found: Standing) -> tuple[Method, ...]:
    """How a buyer may pay: not in cash where she is asked to pay ahead. A seller who takes nothing but cash rings."""
    ways = tuple(methods)
    ahead = tuple(way for way in ways if way != "cod")
    return ahead if found.word == "deposit" and ahead else ways


def heed_in(session: Session, order: Order) -> None:
    """An order is placed, or claimed: one for cash waits for a call where that is asked. Conflict `pay-ahead` where
    cash is not offered; the caller's transaction is to be undone then."""
    from shop.payments.services import methods  # that folder stands on orders, which stand on this one

    (found,) = _of(session, order)
    if found.word == "deposit" and "cod" not in offered(methods(order.cooperative_id), found):
        raise Conflict(
            PAY_AHEAD,
            _l(
                "Trong %(months)s tháng qua có mấy kiện gửi tới số này không giao được, nên lần này mình xin bác "
                "trả trước. Hàng vẫn giữ được cho bác như mọi người."
            ),
            months=months(),
        )
    if found.word in ASKING and session.get(CallFirst, order.id) is None:
        session.add(CallFirst(order_id=order.id, reason=found.reason))
        session.flush()


@contextmanager
def asked_seldom(network: str | None) -> Iterator[None]:
    """Around a guest's order, outside of its transaction: TooMany instead of one more `pay-ahead` than TOLD_MOST."""
    try:
        yield
    except Conflict as error:
        if error.slug == PAY_AHEAD and network is not None:
            throttle.count_act(PAY_AHEAD, network, TOLD_MOST)
        raise


def ask_in(session: Session, *orders: Order) -> None:
    """The same for orders whose buyers became known, or others, after they were placed: then cash stays possible.
    Two statements."""
    if not orders:
        return
    asked = select(CallFirst).where(CallFirst.order_id.in_([order.id for order in orders]))
    rows = {row.order_id: row for row in session.scalars(asked)}
    for order, found in zip(orders, _of(session, *orders), strict=True):
        row = rows.get(order.id)
        if row is None and found.word in ASKING:
            session.add(CallFirst(order_id=order.id, reason=found.reason))
        elif row is not None and row.called_at is None:
            if found.word in ASKING:
                row.reason = found.reason
            else:
                session.delete(row)
    session.flush()


def sold_by_hand(actor: Actor | None, order: Order) -> bool:
    """True when its own seller writes the order down: she has spoken with the buyer."""
    return actor is not None and actor.cooperative_id == order.cooperative_id and actor.has(Role.SELLER, Role.OFFICE)


def called_in(session: Session, order: Order, actor: Actor, called: bool) -> None:
    """Somebody confirms the order. Conflict `call-first` when its buyer is to be rung first, and was not."""
    row = session.get(CallFirst, order.id)
    if row is None or row.called_at is not None or order.payment != "cod":
        return
    if not called:
        raise Conflict(
            "call-first",
            _l("Đơn %(number)s cần gọi cho người mua trước. Bác mở đơn ra, gọi xong thì bấm ở đó nhé."),
            number=order.number,
        )
    row.called_at, row.called_by = clock.now(), actor.id


def to_call(order: Order) -> str:
    """Why its buyer is to be rung before it is confirmed: `new`, `back`, `often`; empty when she is not."""
    return calls_first([order]).get(order.id, "")


def calls_first(orders: Sequence[Order]) -> dict[str, str]:
    """The same for the orders of a page, in one statement: the reason by id, where there is one."""
    waiting = [order.id for order in orders if order.status is Status.PLACED and order.payment == "cod"]
    found: dict[str, str] = {}
    for some in in_parts(waiting):
        rows = select(CallFirst.order_id, CallFirst.reason).where(CallFirst.called_at.is_(None))
        for order_id, reason in db.session.execute(rows.where(CallFirst.order_id.in_(some))):
            found[order_id] = reason
    return found


def _of(session: Session, *orders: Order) -> list[Standing]:
    """What is asked of each; nothing of one that is paid ahead."""
    asked = [(one.buyer_phone if one.payment == "cod" else None, one.cooperative_id, one.total) for one in orders]
    return _standings(session, asked)


def _standings(session: Session, asked: Sequence[tuple[str | None, str | None, int]]) -> list[Standing]:
    """As `standing`, for several (number, seller, total)."""
    marks = {phone: phone_hash(phone) for phone, seller, _total in asked if phone and seller}
    ends: dict[tuple[str, str | None], list[tuple[str, Outcome]]] = {}
    if marks:
        sellers = {seller for _phone, seller, _total in asked if seller}
        values = {"marks": list(marks.values()), "today": clock.today(), "sellers": list(sellers)}
        for mark, seller, order_id, outcome in core(session).execute(_ENDS, values):
            ends.setdefault((mark, seller), []).append((order_id, outcome))
    found = []
    for phone, seller, total in asked:
        if not phone or seller is None:
            found.append(Standing("fresh"))
            continue
        mine = tally(ends.get((marks[phone], seller), ()))
        word, reason = judge(mine, total, rules())
        found.append(Standing(word, reason, mine))
    return found
