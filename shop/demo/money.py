"""The demo's account, and what came in on it, as the seller loads it from the bank's statements."""

import csv
import datetime as dt
from contextlib import suppress
from functools import partial
from io import StringIO

from sqlalchemy import select

from shop.demo.season import Happens, actor
from shop.payments.bank import accounts
from shop.payments.bank.accounts import Typed
from shop.payments.bank.models import Transfer
from shop.payments.daily.services import load_statement
from shop.payments.desk import services as desk
from shop.payments.models import PaymentPuzzle
from village import clock
from village.db import db
from village.errors import Conflict

ACCOUNT = Typed(bin="970405", account="0000000000000", holder="HTX MAU XIN DUNG CHUYEN TIEN", watcher="none", open=True)
"""No bank has such a number, and whoever scans the code reads not to send money to it."""
STRAYS = ((8.9, "MAU-LAC-01", 110_000, "chuyen tien mien cho bac Loan"), (1.1, "MAU-LAC-02", 220_000, "dat mien tet"))
"""Credits that name no order: days before today, the bank's number, đồng, what its sender wrote."""
SENT_BACK = 8.5
"""So many days ago the first of them went back."""


def timeline(today: dt.datetime) -> list[Happens]:
    """The account, the strays, and what was decided on one; told twice, each is there once."""
    strays: list[Happens] = [
        (today - dt.timedelta(days=days), partial(came, reference, amount, memo))
        for days, reference, amount, memo in STRAYS
    ]
    return [
        (today - dt.timedelta(days=30), lambda: accounts.save(actor("office"), ACCOUNT)),
        *strays,
        (today - dt.timedelta(days=SENT_BACK), _send_back),
    ]


def came(reference: str, amount: int, memo: str) -> None:
    """A credit of this moment: the seller loads the day's statement so far. Loaded before, it is left alone."""
    if db.session.scalar(select(Transfer.id).where(Transfer.reference == reference)) is not None:
        return
    now = clock.now()
    midnight = dt.datetime.combine(now.astimezone(clock.VN), dt.time(), clock.VN)
    before = db.session.scalars(select(Transfer).where(Transfer.at >= midnight).order_by(Transfer.at))
    rows = [(one.at, one.amount, one.memo, one.reference) for one in before] + [(now, amount, memo, reference)]
    sheet = StringIO()
    writer = csv.writer(sheet)
    writer.writerow(["Ngày giao dịch", "Số tiền ghi có", "Nội dung", "Số tham chiếu"])
    for at, money, words, number in rows:
        writer.writerow([f"{at.astimezone(clock.VN):%d/%m/%Y %H:%M:%S}", money, words, number])
    load_statement(actor("seller"), sheet.getvalue().encode())


def _send_back() -> None:
    reference = STRAYS[0][1]
    puzzle = db.session.scalars(select(PaymentPuzzle).where(PaymentPuzzle.reference == reference)).one()
    with suppress(Conflict):  # decided already
        desk.refund(actor("seller"), puzzle.id, "MAU-TRA-02", "Chuyển nhầm, đã gọi hỏi")
