"""Each day what the bank says is laid beside what was booked: what is missing is taken in, and it must add up.

For an account that SePay or payOS watches a job fetches the day before from them; any account's statement can be
loaded as a file. A credit that nobody told of goes the same way as one that was told of; the outcome is kept.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.orders.models import Order
from shop.orders.selling import sold_by_cooperative
from shop.orders.steps import WORKERS
from shop.payments.bank import links, payos, sepay
from shop.payments.bank.booking import book_in
from shop.payments.bank.models import BankAccount, PayosLink, Reconciliation, Source, Transfer
from shop.payments.bank.told import Told
from shop.payments.daily import statements
from shop.payments.daily.comparing import Ours, compare
from shop.payments.models import Payment, PaymentPuzzle, Puzzle
from village import clock
from village.clock import VN
from village.db import db, write
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.jobs.models import Job
from village.jobs.services import ask
from village.people.access import Actor, wrong_role

STATEMENT_MAX = 4 * 1024 * 1024
DAY = "payments.day"
"""The kind of job that fetches a day and compares it."""
LINKS_BACK = dt.timedelta(days=3)
"""How long before a day payOS's requests can have been made that were paid on it: they run out within the hour."""
STILL_COMING = dt.timedelta(minutes=10)
"""What was told of later than this before now need not stand in a list that was fetched now."""
SHOWN = 31
_WRONG = {
    "no-text": _l("Tệp này không phải CSV. Bác tải sao kê dạng CSV (UTF-8) giúp mình."),
    "no-heading": _l("Không thấy dòng tên cột: cần có ngày, số tiền ghi có và nội dung."),
    "too-long": _l("Sao kê dài quá, bác tải từng tháng một giúp mình."),
    "empty": _l("Trong sao kê không có dòng nào."),
    "date": _l("Dòng %(line)s: ngày không đọc được, nên mình chưa ghi gì cả."),
    "amount": _l("Dòng %(line)s: số tiền không đọc được, nên mình chưa ghi gì cả."),
}


@dataclass(frozen=True)
class Bank:
    """What one cooperative's people see of their account's days."""

    account: BankAccount | None
    fetches: bool
    """Whether a day can be fetched from who watches the account."""
    days: Sequence[Reconciliation]
    yesterday: dt.date


def bank(actor: Actor) -> Bank:
    """The account of the member's own cooperative, and what its last days came to."""
    _authorise(actor)
    session = db.session()
    account = session.get(BankAccount, actor.cooperative_id)
    days = session.scalars(
        select(Reconciliation)
        .where(Reconciliation.cooperative_id == actor.cooperative_id)
        .order_by(Reconciliation.done_at.desc(), Reconciliation.id.desc())
        .limit(SHOWN)
    ).all()
    return Bank(account, account is not None and can_fetch(account), days, yesterday())


def yesterday() -> dt.date:
    """In the village."""
    return clock.now().astimezone(VN).date() - dt.timedelta(days=1)


def can_fetch(account: BankAccount) -> bool:
    """Whether who watches this account can be asked for a day of it."""
    settings = current_app.extensions["soi"]
    return {"sepay": bool(settings.sepay_token), "payos": bool(settings.payos_client_id), "none": False}[
        account.watcher
    ]


def ask_for_day(actor: Actor, day: dt.date) -> Job:
    """Have a day fetched and compared. Conflict when nobody can be asked, BadInput for a day that is not over."""
    _authorise(actor)
    account = db.session.get(BankAccount, actor.cooperative_id)
    if account is None or not can_fetch(account):
        raise Conflict("nobody-to-ask", _l("Tài khoản này chưa có ai báo tiền về, bác tải sao kê lên nhé."))
    if day > clock.now().astimezone(VN).date():
        raise BadInput("day-to-come", _l("Ngày này chưa tới."), field="day")
    with write() as session:
        return ask(session, DAY, actor, {"cooperative": actor.cooperative_id, "day": day.isoformat()})


def reconcile(cooperative_id: str, day: dt.date) -> Reconciliation:
    """Fetch a day of a cooperative's account from who watches it, and compare. Raises requests' errors and
    `shop.payments.bank.told.Unreadable`, with nothing written; Conflict when nobody can be asked."""
    account = db.session.get(BankAccount, cooperative_id)
    if account is None or not can_fetch(account):
        raise Conflict("nobody-to-ask", _l("Tài khoản này chưa có ai báo tiền về, bác tải sao kê lên nhé."))
    watcher, number = account.watcher, account.account
    codes = _codes(cooperative_id, day) if watcher == "payos" else []
    settings = current_app.extensions["soi"]
    start = dt.datetime.combine(day, dt.time(), VN).astimezone(dt.UTC)
    until = min(start + dt.timedelta(days=1), clock.now() - STILL_COMING)
    db.session.remove()
    if watcher == "sepay":
        theirs = sepay.credits(settings.sepay_url, settings.sepay_token, number, day)
    else:
        channel = links.channel()
        assert channel is not None
        theirs = [told for code in codes for told in payos.credits(channel, code) if _day(told.at) == day]
    source: Source = "sepay" if watcher == "sepay" else "payos"
    with write() as session:
        return _compare_in(session, cooperative_id, source, theirs, start, until, day, None)


def load_statement(actor: Actor, body: bytes) -> Reconciliation:
    """Compare a statement's file with what was booked, and take in what is missing. BadInput (field `file`) for a file
    with anything in it that cannot be read: nothing of it is taken in then."""
    _authorise(actor)
    account = db.session.get(BankAccount, actor.cooperative_id)
    if account is None:
        raise Conflict("no-account", _l("Hợp tác xã chưa ghi tài khoản nhận tiền."))
    if not body or len(body) > STATEMENT_MAX:
        raise BadInput("no-statement", _l("Bác chọn tệp sao kê, nhiều nhất 4 MB."), field="file")
    try:
        found = statements.read(body, account.account)
    except statements.BadStatement as error:
        raise BadInput(f"statement-{error.why}", _WRONG[error.why], field="file", line=error.line) from error
    start = dt.datetime.combine(found.first, dt.time(), VN).astimezone(dt.UTC)
    # Many banks give days without times: of its last day a statement then says nothing for certain.
    until = found.last if found.last.astimezone(VN).time() != dt.time() else found.last - dt.timedelta(microseconds=1)
    with write() as session:
        return _compare_in(
            session, actor.cooperative_id, "statement", found.credits, start, until, _day(found.last), actor
        )


def _compare_in(
    session: Session,
    cooperative_id: str,
    source: Source,
    theirs: Sequence[Told],
    start: dt.datetime,
    until: dt.datetime,
    day: dt.date,
    actor: Actor | None,
) -> Reconciliation:
    """`start` to `until` is for what the bank should have of ours; a day more on both sides may still be paired."""
    # Of two comparisons at once the second one sees what the first took in.
    account = session.scalars(
        select(BankAccount).where(BankAccount.cooperative_id == cooperative_id).with_for_update()
    ).one()
    around = session.scalars(
        select(Transfer).where(
            Transfer.cooperative_id == cooperative_id,
            Transfer.at >= start - dt.timedelta(days=1),
            Transfer.at < until + dt.timedelta(days=2),
        )
    ).all()
    by_id = {transfer.id: transfer for transfer in around}
    result = compare(theirs, [Ours(transfer.id, _told(transfer)) for transfer in around])
    # Of an account that it had before, this one's bank knows nothing; payOS names accounts of its own.
    gone = [
        by_id[ours.id]
        for ours in result.unknown
        if start <= ours.told.at <= until and (source == "payos" or ours.told.account == account.account)
    ]
    for told in result.missing:
        book_in(session, told, owner=cooperative_id, missing=account.watcher != "none")
    for transfer in (*gone, *(by_id[ours.id] for _theirs, ours in result.differing)):
        _doubt(session, transfer)
    made = Reconciliation(
        cooperative_id=cooperative_id, day=day, source=source, lines=len(theirs),
        amount=sum(told.amount for told in theirs), known=len(result.known), missing=len(result.missing),
        unknown=len(gone), faults=len(result.differing) + faults_of(session, cooperative_id, start, until),
        member_id=actor.id if actor else None, done_at=clock.now(),
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def faults_of(session: Session, cooperative_id: str, start: dt.datetime, until: dt.datetime) -> int:
    """Transfers of that time whose đồng are not all in an order or on the desk: 0, or there is a mistake in here."""
    held = (
        select(func.coalesce(func.sum(PaymentPuzzle.amount), 0))
        .where(
            PaymentPuzzle.transfer_id == Transfer.id,
            PaymentPuzzle.kind.not_in((Puzzle.UNDER, Puzzle.UNKNOWN)),
            PaymentPuzzle.resolution != "matched",
        )
        .scalar_subquery()
    )
    query = select(func.count()).where(
        Transfer.cooperative_id == cooperative_id, Transfer.at >= start, Transfer.at <= until,
        Transfer.amount != Transfer.booked + held,
    )  # fmt: skip
    return session.scalar(query) or 0


def _doubt(session: Session, transfer: Transfer) -> None:
    """Put it on the desk, once: we were told of money that the bank does not have."""
    before = select(PaymentPuzzle.id).where(
        PaymentPuzzle.transfer_id == transfer.id, PaymentPuzzle.kind == Puzzle.UNKNOWN
    )
    if session.scalar(before) is None:
        session.add(
            PaymentPuzzle(
                cooperative_id=transfer.cooperative_id, transfer_id=transfer.id, payment_id=transfer.payment_id,
                order_id=session.scalar(select(Payment.order_id).where(Payment.id == transfer.payment_id)),
                kind=Puzzle.UNKNOWN, amount=transfer.amount, memo=transfer.memo, reference=transfer.reference,
                found_at=clock.now(),
            )
        )  # fmt: skip


def _codes(cooperative_id: str, day: dt.date) -> list[int]:
    """The order codes at payOS that may have been paid on a day. One channel serves the house: its other cooperatives'
    requests are left to their own comparisons."""
    start = dt.datetime.combine(day, dt.time(), VN).astimezone(dt.UTC)
    rows = db.session.execute(
        select(Payment.memo, PayosLink.tries)
        .join(PayosLink, PayosLink.payment_id == Payment.id)
        .join(Order, Order.id == Payment.order_id)
        .where(PayosLink.made_at >= start - LINKS_BACK, PayosLink.made_at < start + dt.timedelta(days=1))
        .where(sold_by_cooperative(cooperative_id))
    )
    return [links.order_code(memo, (tries - 1) % links.TRIES) for memo, tries in rows if memo]


def _told(transfer: Transfer) -> Told:
    return Told(
        transfer.source, transfer.key, transfer.account, transfer.amount, transfer.at, transfer.reference, transfer.memo
    )


def _day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(VN).date()


def _authorise(actor: Actor) -> None:
    if not actor.has(*WORKERS):
        raise wrong_role()
