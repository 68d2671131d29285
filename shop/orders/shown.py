"""How an order is told to people."""

from dataclasses import dataclass

from shop.addresses.reading import whole
from shop.catalogue.pictures import Shot, shots_of
from shop.delivery.goods import goods_of
from shop.delivery.shown import carrier_name
from shop.orders.models import Order, OrderStep, PaymentState, Status
from shop.orders.selling import sellers_of
from shop.rights.seller import Imprint, imprint_of
from trace.gs1.digital_link import DigitalLink
from village.db import db
from village.i18n import clock, moment
from village.i18n import gettext as _

PATH = (Status.PLACED, Status.CONFIRMED, Status.PICKED, Status.DISPATCHED, Status.DELIVERED)
BADGES = {
    Status.PLACED: "waiting",
    Status.CONFIRMED: "waiting",
    Status.PICKED: "info",
    Status.PARTLY_DISPATCHED: "info",
    Status.DISPATCHED: "info",
    Status.DELIVERED: "done",
    Status.CANCELLED: "cut",
}


@dataclass(frozen=True)
class LotInLine:
    """So many packs of a lot that fill a line."""

    lot: str
    units: int
    path: str
    """Its scan page, on our own host."""
    name: str
    """What it is, where the line is a combo's; else empty."""


def said(what: str) -> str:
    """A step of the timeline in words: a status that was reached, or one of `OTHER_STEPS`."""
    return {
        "placed": _("Đã đặt"),
        "confirmed": _("Người bán đã xác nhận"),
        "picked": _("Đã soạn hàng theo lô"),
        "partly_dispatched": _("Đã gửi đi một phần, đã ghi vào sổ chung"),
        "dispatched": _("Đã gửi đi, đã ghi vào sổ chung"),
        "delivered": _("Đã tới tay người mua"),
        "cancelled": _("Đơn đã huỷ"),
        "changed": _("Đã đổi số gói trong đơn"),
        "addressed": _("Đã ghi nơi nhận"),
        "reallocated": _("Đã đổi sang lô khác"),
        "paid": _("Đã nhận đủ tiền"),
        "part_paid": _("Đã nhận một phần tiền"),
        "refunded": _("Đã trả lại tiền"),
        "arrived": _("Một kiện hàng đã tới nơi"),
        "returned": _("Hàng đã về lại người bán"),
        "lost": _("Có gói hỏng hoặc mất"),
        "rest_cancelled": _("Phần còn lại không gửi nữa"),
        "expired": _("Hết giờ giữ hàng mà chưa thấy tiền"),
        "arranged": _("Đã chọn cách giao và cách trả tiền"),
    }[what]


def awaited(status: Status) -> str:
    """A status before it is reached."""
    return {
        Status.CONFIRMED: _("Chờ người bán xác nhận"),
        Status.PICKED: _("Soạn hàng"),
        Status.DISPATCHED: _("Gửi hàng đi"),
        Status.DELIVERED: _("Tới tay người mua"),
    }[status]


def timeline(order: Order) -> list[tuple[str, str, str]]:
    """(`done` | `now` | `later`, words, when) for all that happened, first to last, and for what is to come."""
    told = [("done", said(step.what), moment(step.at)) for step in order.steps]
    if order.status is Status.CANCELLED:
        last = max(place for place, step in enumerate(order.steps) if step.what == Status.CANCELLED)
        told[last] = ("now", *told[last][1:])
        return told
    reached = Status.PICKED if order.status is Status.PARTLY_DISPATCHED else order.status
    coming = [awaited(status) for status in PATH[PATH.index(reached) + 1 :]]
    if order.status is Status.PARTLY_DISPATCHED:
        coming[0] = _("Gửi nốt phần còn lại")
    if order.payment_state is PaymentState.AWAITING and order.hold_until is not None:
        coming.insert(0, _("Chờ tiền về trước %(time)s", time=clock(order.hold_until)))
    return told + [("later" if place else "now", words, "") for place, words in enumerate(coming)]


def cancelled_because(order: Order) -> str:
    """Why it, or what was left of it, was cancelled; empty when nobody said."""
    step = _cancelling(order)
    if step is None or not step.note:
        return ""
    return step.note if step.member_id else _(step.note)


def word_of_cancelling(order: Order) -> str:
    """The same for its buyer, who hears whose words they are."""
    step, because = _cancelling(order), cancelled_because(order)
    if step is None or not because:
        return ""
    return _("Người bán nhắn: %(reason)s", reason=because) if step.member_id else because


def _cancelling(order: Order) -> OrderStep | None:
    return next((step for step in reversed(order.steps) if step.what in (Status.CANCELLED, "rest_cancelled")), None)


def lots(order: Order) -> dict[str, list[LotInLine]]:
    """By line: from which lots it is filled. One statement."""
    goods = goods_of(db.session(), {part.batch_id for line in order.lines for part in line.allocations})
    return {
        line.id: [
            LotInLine(part.lot, part.units, goods[part.batch_id].link.path,
                      goods[part.batch_id].name if goods[part.batch_id].gtin != line.gtin else "")
            for part in line.allocations
        ]
        for line in order.lines
    }  # fmt: skip


def shots(order: Order) -> dict[str, Shot]:
    """The photo that stands for each product, of those that have one. One statement."""
    found = shots_of(db.session(), {line.product_id for line in order.lines})
    return {product_id: some[0] for product_id, some in found.items()}


def sellers(order: Order) -> list[Imprint]:
    """Who sells what is in it."""
    found = [imprint_of(db.session(), one) for one in sellers_of(db.session(), order)]
    return sorted(found, key=lambda one: one.name)


def address(order: Order) -> str:
    """Where it goes, on one line."""
    return whole(order.buyer_address or "", order.buyer_ward or "", order.buyer_province or "")


def payment_words(order: Order) -> str:
    """How it is paid."""
    return {"cod": _("Trả khi nhận hàng"), "vietqr": _("Chuyển khoản"), "stripe": _("Thẻ quốc tế")}[order.payment]


def delivery_words(order: Order) -> str:
    """Who brings it."""
    return carrier_name(order.delivery)


def scan_path(gtin: str, lot: str) -> str:
    """The address of a lot's scan page, on our own host."""
    return DigitalLink(gtin, lot).path


def hidden_phone(phone: str) -> str:
    """A telephone number of which a passer-by reads the end only."""
    return "••• ••• " + phone[-3:]
