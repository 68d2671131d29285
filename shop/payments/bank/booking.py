"""A credit that somebody told us of becomes a transfer here, once, and goes to its order, or to the exceptions desk."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.orders.models import Order
from shop.orders.selling import sellers_of
from shop.payments import memos
from shop.payments.bank import links
from shop.payments.bank.models import BankAccount, Transfer
from shop.payments.bank.told import Told
from shop.payments.inbox import Outcome
from shop.payments.models import Notice, Payment, PaymentPuzzle, Puzzle
from shop.payments.services import came_in
from village import clock


def book_in(
    session: Session, told: Told, *, webhook_id: str | None = None, owner: str | None = None, missing: bool = False
) -> Outcome:
    """Take a credit into the books, inside the caller's transaction; told again, it is the same money.

    It goes to the one payment whose memo it carries (or whose order code payOS names), if it came to that payment's
    account; else a person decides. `owner` is the cooperative whose statement it stands in; `missing` when no notice
    told of it. What came to an account that is none of ours and names no order of ours is nothing to us.
    """
    # A statement that is read at this moment holds its account too: else both would find that nobody told of it yet.
    accounts = select(BankAccount.cooperative_id).where(BankAccount.account == told.account)
    session.execute(accounts.order_by(BankAccount.cooperative_id).with_for_update())
    known = _known(session, told)
    if known is not None:
        known.webhook_id = known.webhook_id or webhook_id
        return Outcome(Notice.DONE, "known", _order_id(session, known.payment_id))
    payment = _payment(session, told)
    payee = _payee(session, payment)
    owners = [owner] if owner else _owners(session, told, payee)
    if len(owners) > 1 and payee is None:
        # At two banks there may be accounts of one number, and nobody tells us the bank: a person has to look.
        return Outcome(Notice.PUZZLING, "several accounts of this number")
    cooperative_id = owners[0] if len(owners) == 1 else None
    if cooperative_id is None and payee is None:
        return Outcome(Notice.IGNORED, "account")
    fits = payment is not None and cooperative_id is not None and payee == cooperative_id and told.currency == "VND"
    home = cooperative_id or payee
    assert home is not None
    transfer = Transfer(
        cooperative_id=home, source=told.source, key=told.key, account=told.account, reference=told.reference,
        amount=told.amount, memo=told.memo, at=told.at, webhook_id=webhook_id, booked=0,
        payment_id=payment.id if payment is not None and fits else None,
    )  # fmt: skip
    session.add(transfer)
    session.flush()
    if payment is not None and fits:
        came = came_in(session, payment, told.amount, told.at, told.reference, memo=told.memo, transfer=transfer,
                       webhook_id=webhook_id)  # fmt: skip
        return Outcome(Notice.PUZZLING if came.puzzle else Notice.DONE, came.puzzle or "booked", payment.order_id)
    kind = Puzzle.CURRENCY if told.currency != "VND" else Puzzle.MISSING if missing else Puzzle.UNMATCHED
    hint = payment.order_id if payment is not None and payee == home else None
    session.add(
        PaymentPuzzle(
            cooperative_id=home, webhook_id=webhook_id, transfer_id=transfer.id, order_id=hint, kind=kind,
            amount=told.amount, memo=told.memo, reference=told.reference, found_at=clock.now(),
        )
    )  # fmt: skip
    session.flush()
    return Outcome(Notice.PUZZLING, kind)


def _known(session: Session, told: Told) -> Transfer | None:
    """The same credit told before: under the same id, or by a statement that came before its notice."""
    found = session.scalar(select(Transfer).where(Transfer.source == told.source, Transfer.key == told.key))
    if found is not None or not told.reference or told.source == "statement":
        return found
    return session.scalar(
        select(Transfer).where(
            Transfer.source == "statement",
            Transfer.reference == told.reference,
            Transfer.amount == told.amount,
            Transfer.account == told.account,
        )
    )


def _payment(session: Session, told: Told) -> Payment | None:
    """The one payment that it names; None when it names none, or several."""
    if told.code is not None:
        memo = links.memo_of(told.code)
        found = [memo] if memo is not None else []
    else:
        found = memos.find(told.memo)
    if not found:
        return None
    payments = session.scalars(select(Payment).where(Payment.memo.in_(found), Payment.method == "vietqr")).all()
    return payments[0] if len(payments) == 1 else None


def _payee(session: Session, payment: Payment | None) -> str | None:
    if payment is None:
        return None
    sellers = sellers_of(session, session.get_one(Order, payment.order_id))
    return sellers[0] if len(sellers) == 1 else None


def _owners(session: Session, told: Told, payee: str | None) -> Sequence[str]:
    """Whose account it came to: the payee's if it is hers, else everybody's who has one of that number.

    payOS is asked for each request by itself, and tells of no other: who it was made for is who is paid.
    """
    if told.code is not None and payee is not None:
        return [payee]
    query = select(BankAccount.cooperative_id).where(
        BankAccount.account == told.account, BankAccount.watcher == told.source
    )
    owners = session.scalars(query).all()
    return [payee] if payee is not None and payee in owners else owners


def _order_id(session: Session, payment_id: str | None) -> str | None:
    return session.scalar(select(Payment.order_id).where(Payment.id == payment_id)) if payment_id else None
