"""How the console names states, and what stands before each next step."""

from collections.abc import Mapping
from decimal import Decimal

from babel.support import LazyProxy

from shop.orders.models import Channel, Payment, PaymentState, Status
from shop.seller.filters import Filter, Need
from village.i18n import date, number
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l

TABS = (
    (Status.PLACED, _l("Mới đặt")),
    (Status.CONFIRMED, _l("Cần soạn")),
    (Status.PICKED, _l("Chờ gửi")),
    (Status.PARTLY_DISPATCHED, _l("Gửi dở")),
    (Status.DISPATCHED, _l("Đang đi")),
    (Status.DELIVERED, _l("Đã tới")),
    (Status.CANCELLED, _l("Đã huỷ")),
)
PAYMENT_STATES = {
    PaymentState.DUE: _l("thu khi giao"),
    PaymentState.AWAITING: _l("chờ chuyển tiền"),
    PaymentState.PAID: _l("đã trả tiền"),
    PaymentState.PARTLY_REFUNDED: _l("đã trả lại một phần"),
    PaymentState.REFUNDED: _l("đã trả lại tiền"),
}
PAYMENT_BADGES = {
    PaymentState.DUE: "info",
    PaymentState.AWAITING: "waiting",
    PaymentState.PAID: "done",
    PaymentState.PARTLY_REFUNDED: "corrected",
    PaymentState.REFUNDED: "corrected",
}
PAYMENTS: dict[Payment, LazyProxy] = {
    "cod": _l("Tiền mặt khi nhận"),
    "vietqr": _l("Chuyển khoản"),
    "stripe": _l("Thẻ nước ngoài"),
}
CHANNELS: dict[Channel, LazyProxy] = {
    "web": _l("Cửa hàng"),
    "live": _l("Phiên live"),
    "api": _l("Phần mềm khác"),
}
NEEDS: dict[Need, LazyProxy] = {
    "address": _l("Chưa rõ gửi ai, về đâu"),
    "lots": _l("Lô đang bị giữ"),
}
NEXT = {
    Status.PLACED: ("confirm", _l("Xác nhận đơn")),
    Status.CONFIRMED: ("pick", _l("Đã soạn xong")),
    Status.PICKED: ("dispatch", _l("Đã gửi đi")),
    Status.DISPATCHED: ("deliver", _l("Đã tới tay người mua")),
}
"""The one big next step of an order that the village hands over itself."""
CALL = ("called", _l("Đã gọi, khách lấy"))
"""The same for an order whose buyer is to be rung first."""
BULK = {
    Status.PLACED: ("confirm", _l("Xác nhận các đơn đã đánh dấu")),
    Status.CONFIRMED: ("pick", _l("Các đơn đã đánh dấu soạn xong")),
    Status.PICKED: ("dispatch", _l("Các đơn đã đánh dấu gửi đi")),
}
"""One step for all ticked orders of a list."""
DONE = {
    "confirm": _l("Đã xác nhận %(count)s đơn."),
    "pick": _l("%(count)s đơn đã soạn xong."),
    "dispatch": _l("%(count)s đơn đã gửi, đã ghi vào sổ chung."),
    "cancel": _l("Đã huỷ %(count)s đơn, hàng đã trả về kho."),
}


def short_dong(value: int) -> str:
    """Whole đồng in few letters, for beside a chart: `500 ng`, `2,5 tr`, `1 tỷ`."""
    for size, words in ((10**9, _("%(count)s tỷ")), (10**6, _("%(count)s tr")), (10**3, _("%(count)s ng"))):
        if value >= size:
            return words % {"count": number(round(Decimal(value) / size, 1).normalize() + 0)}
    return number(value)


def told(wanted: Filter, products: Mapping[str, str]) -> list[str]:
    """What a filter narrows to, in words; `products` are names by id."""
    found = [
        f"“{wanted.text}”" if wanted.text else "",
        NEEDS[wanted.need] if wanted.need else "",
        PAYMENT_STATES[wanted.payment] if wanted.payment else "",
        CHANNELS[wanted.channel] if wanted.channel else "",
        products.get(wanted.product, ""),
        _("lô %(lot)s", lot=wanted.lot) if wanted.lot else "",
        _("từ %(day)s", day=date(wanted.first)) if wanted.first else "",
        _("đến %(day)s", day=date(wanted.last)) if wanted.last else "",
    ]
    return [str(words) for words in found if words]
