"""The exceptions desk: a person says what becomes of money that did not find its order by itself.

Each puzzle is decided once, by one conditional UPDATE: of two people at once, one is told that the other was first.
Only members of the cooperative whose account it came to see it; what cannot be told to be anybody's (a card payment
that names no order), the offices see.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, joinedload

from shop.orders.models import Order, Status
from shop.orders.selling import sellers_of
from shop.orders.steps import WORKERS, sold_by
from shop.payments import inbox
from shop.payments.bank.models import Transfer
from shop.payments.models import PaymentPuzzle, Puzzle
from shop.payments.services import came_in, new_try, payment_of
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.text import clean_line

PAGE = 30
HAS_MONEY = (Puzzle.UNMATCHED, Puzzle.MISSING, Puzzle.OVER, Puzzle.DOUBLE, Puzzle.LATE, Puzzle.CANCELLED)
"""Đồng that went into no order: they can go back, or, when they came by transfer, into one."""
GOES_BACK = (*HAS_MONEY, Puzzle.CURRENCY)


@dataclass(frozen=True)
class Desk:
    """What one cooperative's people have before them."""

    open: Sequence[PaymentPuzzle]
    closed: Sequence[PaymentPuzzle]
    more: bool
    """Whether there are older ones that are decided."""
    stuck: int
    """Notices of any account that could not be handled; told to the office."""


def desk(actor: Actor, page: int) -> Desk:
    """All that waits, oldest first, and a page of what was decided, newest first."""
    _authorise(actor)
    session = db.session()
    own = select(PaymentPuzzle).where(_own(actor))
    own = own.options(joinedload(PaymentPuzzle.order), joinedload(PaymentPuzzle.member))
    waiting = session.scalars(
        own.where(PaymentPuzzle.resolved_at.is_(None)).order_by(PaymentPuzzle.found_at, PaymentPuzzle.id).limit(200)
    ).all()
    decided = session.scalars(
        own.where(PaymentPuzzle.resolved_at.is_not(None))
        .order_by(PaymentPuzzle.resolved_at.desc(), PaymentPuzzle.id)
        .offset((page - 1) * PAGE)
        .limit(PAGE + 1)
    ).all()
    stuck = len(inbox.given_up(session)) if actor.has(Role.OFFICE) else 0
    return Desk(waiting, decided[:PAGE], len(decided) > PAGE, stuck)


def match(actor: Actor, puzzle_id: str, number: object) -> Order:
    """The money belongs to the order with this number: it goes into it as if it had come for it.

    BadInput (field `number`) for an order that is not the cooperative's own, is cancelled, or is paid already.
    """
    _authorise(actor)
    wanted = clean_line(number, "number", 20).upper().replace(" ", "")
    wanted = wanted if wanted.startswith("BL-") else f"BL-{wanted.removeprefix('BL')}"
    with write() as session:
        puzzle = _decide(session, actor, puzzle_id, HAS_MONEY, "matched", wanted)
        transfer = session.get(Transfer, puzzle.transfer_id) if puzzle.transfer_id else None
        if transfer is None:
            raise _not_for_this()
        order = session.scalar(select(Order).where(Order.number == wanted, sold_by(actor)))
        if order is None:
            raise BadInput("no-such-order", _l("Không có đơn nào số %(number)s."), field="number", number=wanted)
        if order.status is Status.CANCELLED or order.paid >= order.total:
            raise BadInput(
                "order-takes-no-money", _l("Đơn %(number)s đã huỷ hoặc đã trả đủ rồi."), field="number", number=wanted
            )
        if sellers_of(session, order) != [actor.cooperative_id]:
            raise BadInput(
                "several-sellers", _l("Đơn %(number)s có hàng của nơi khác nữa."), field="number", number=wanted
            )
        payment = payment_of(session, order.id, "vietqr") or new_try(session, order, "vietqr")
        came_in(
            session, payment, puzzle.amount, transfer.at, puzzle.reference,
            memo=puzzle.memo, transfer=transfer, webhook_id=puzzle.webhook_id,
        )  # fmt: skip
        puzzle.order_id = order.id
        transfer.payment_id = transfer.payment_id or payment.id
        session.flush()
        return order


def refund(actor: Actor, puzzle_id: str, reference: object, note: object) -> PaymentPuzzle:
    """The money was sent back by hand, under the bank's reference."""
    _authorise(actor)
    told = clean_line(reference, "reference", 80)
    more = clean_line(note, "note", 200, required=False)
    with write() as session:
        return _decide(session, actor, puzzle_id, GOES_BACK, "refunded", f"{told} · {more}" if more else told)


def set_aside(actor: Actor, puzzle_id: str, note: object) -> PaymentPuzzle:
    """Nothing more is to be done, and why."""
    _authorise(actor)
    told = clean_line(note, "note", 300)
    with write() as session:
        return _decide(session, actor, puzzle_id, tuple(Puzzle), "set_aside", told)


def again(actor: Actor) -> int:
    """Have notices that could not be handled tried once more; how many are handled now."""
    if not actor.has(Role.OFFICE):
        raise wrong_role()
    return inbox.again()


def _decide(
    session: Session, actor: Actor, puzzle_id: str, kinds: Sequence[Puzzle], resolution: str, note: str
) -> PaymentPuzzle:
    """Mark it as decided, if it is open, of one of `kinds` and of the member's own cooperative."""
    own = (PaymentPuzzle.id == puzzle_id, _own(actor))
    changed = session.execute(
        update(PaymentPuzzle)
        .where(*own, PaymentPuzzle.resolved_at.is_(None), PaymentPuzzle.kind.in_(kinds))
        .values(resolved_at=clock.now(), resolution=resolution, note=note, member_id=actor.id)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)
    puzzle = session.scalar(select(PaymentPuzzle).where(*own))
    if puzzle is None:
        raise _no_puzzle()
    if not changed.rowcount:
        if puzzle.resolved_at is None:
            raise _not_for_this()
        raise Conflict("decided-already", _l("Khoản này vừa có người xử lý rồi. Bác xem lại danh sách nhé."))
    return puzzle


def _own(actor: Actor) -> ColumnElement[bool]:
    own = PaymentPuzzle.cooperative_id == actor.cooperative_id
    return or_(own, PaymentPuzzle.cooperative_id.is_(None)) if actor.has(Role.OFFICE) else own


def _not_for_this() -> Conflict:
    return Conflict("not-for-this", _l("Khoản này không xử lý cách đó được."))


def _authorise(actor: Actor) -> None:
    if not actor.has(*WORKERS):
        raise wrong_role()


def _no_puzzle() -> NotFound:
    return NotFound("no-puzzle", _l("Không có khoản nào mang mã này."))
