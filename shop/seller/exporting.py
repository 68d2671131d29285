"""Orders as a table: one row for each line, with the lots that fill it; sums of an order stand in its first row."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from flask import url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from batches.sheets.written_safely import CsvTable, Table, Value, Workbook
from shop.orders.errors import STATUS_WORDS
from shop.orders.models import Order, OrderLine
from shop.seller import files
from shop.seller.filters import Filter
from shop.seller.words import CHANNELS, PAYMENT_STATES, PAYMENTS
from village import clock
from village.db import db, write
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind
from village.jobs.models import Job
from village.jobs.services import ask
from village.jobs.work import Work
from village.people.access import Actor
from village.people.phones import shown_phone

Form = Literal["csv", "xlsx"]
EXPORT = "orders.export"
MANY = 500
WIDTHS = (12, 17, 13, 18, 20, 18, 24, 16, 40, 20, 20, 30, 18, 24, 9, 12, 14, 12, 14, 14, 14, 40)


def ask_for(actor: Actor, wanted: Filter, form: Form) -> Job:
    """Have a table made of the orders that are asked for. What was searched for by name is no part of it: a job keeps
    what it was asked, and no buyer's name is to lie there."""
    with write() as session:
        return ask(session, EXPORT, actor, {"form": form, "filter": wanted.query(text="")})


@kind(EXPORT, name=_l("Lấy bảng đơn hàng"), long=True, where=lambda job: url_for("console.exported", job_id=job.id))
def export(work: Work) -> dict[str, Any]:
    """Write the table."""
    assert work.who is not None
    form: Form = "csv" if work.args["form"] == "csv" else "xlsx"
    wanted: Mapping[str, str] = work.args["filter"]
    return {"rows": hand_out(work, work.who, Filter.from_query(wanted), form)}


def hand_out(work: Work, who: Actor, wanted: Filter, form: Form) -> int:
    """Write the table to its file; how many orders it has."""
    session = db.session()
    total = session.scalar(select(func.count()).select_from(Order).where(*wanted.where(session, who))) or 0
    path = files.table(work.job_id, form)
    draft = path.with_suffix(".draft")
    try:
        if form == "csv":
            with CsvTable(draft) as table:
                count = _fill(table, _orders(session, who, wanted), work, total)
        else:
            book = Workbook(draft)
            with book.sheet(_("Đơn hàng"), WIDTHS) as sheet:
                count = _fill(sheet, _orders(session, who, wanted), work, total)
            book.close()
    finally:
        db.session.remove()
    draft.replace(path)
    return count


def _fill(table: Table, orders: Iterator[Order], work: Work, total: int) -> int:
    table.row(headings())
    count = 0
    for order in orders:
        for row in rows(order):
            table.row(row)
        count += 1
        if count % 100 == 0:
            work.progress(count, total)
    return count


def _orders(session: Session, who: Actor, wanted: Filter) -> Iterator[Order]:
    """A few hundred at a time, oldest first."""
    conditions, after = wanted.where(session, who), ""
    while True:
        found = session.scalars(select(Order).where(*conditions, Order.id > after).order_by(Order.id).limit(MANY)).all()
        if not found:
            return
        after = found[-1].id
        yield from found
        session.expunge_all()


def headings() -> list[str]:
    """The first row."""
    return [
        _("Số đơn"), _("Ngày đặt"), _("Kênh"), _("Tình trạng"), _("Cách trả"), _("Tiền"), _("Người nhận"),
        _("Điện thoại"), _("Địa chỉ"), _("Xã, phường"), _("Tỉnh"), _("Món"), "GTIN", _("Lô"), _("Số gói"), _("Đơn giá"),
        _("Thành tiền"), _("Cước giao"), _("Cả đơn"), _("Đã trả"), _("Đã trả lại"), _("Dặn thêm"),
    ]  # fmt: skip


def rows(order: Order) -> Iterator[list[Value]]:
    """An order's rows."""
    head: Sequence[Value] = (
        order.number, order.created_at.astimezone(clock.VN), str(CHANNELS[order.channel]),
        str(STATUS_WORDS[order.status]), str(PAYMENTS[order.payment]), str(PAYMENT_STATES[order.payment_state]),
        order.buyer_name or order.live_author, shown_phone(order.buyer_phone) if order.buyer_phone else None,
        order.buyer_address, order.buyer_ward, order.buyer_province,
    )  # fmt: skip
    sums: Sequence[Value] = (order.delivery_fee, order.total, order.paid, order.refunded, order.note)
    for line in order.lines:
        yield [*head, *_line(line), *sums]
        sums = (None,) * len(sums)


def _line(line: OrderLine) -> Sequence[Value]:
    lots = ", ".join(f"{part.lot} × {part.units}" for part in line.allocations)
    return line.name, line.gtin, lots, line.quantity, line.unit_price, line.amount
