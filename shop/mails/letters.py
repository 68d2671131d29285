"""The texts, in the reader's language. Nothing in them was typed by a guest, not even a name: a mail can go astray, and
whoever orders in a stranger's name must not write to her through us."""

from collections.abc import Callable

from babel.support import LazyProxy

from shop.orders.models import Order, OrderStep, PaymentState, Status
from shop.orders.shown import delivery_words, payment_words
from shop.rights.seller import Imprint
from village.i18n import clock, dong, number
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l

SUBJECTS: dict[str, LazyProxy] = {
    "placed": _l("Đơn %(number)s: đã nhận đơn"),
    "arranged": _l("Đơn %(number)s: đã nhận đơn"),
    "paid": _l("Đơn %(number)s: đã nhận đủ tiền"),
    "partly_dispatched": _l("Đơn %(number)s: một phần hàng đã đi"),
    "dispatched": _l("Đơn %(number)s: hàng đã gửi đi"),
    "cancelled": _l("Đơn %(number)s: đã huỷ"),
    "rest_cancelled": _l("Đơn %(number)s: phần còn lại không gửi nữa"),
    "refunded": _l("Đơn %(number)s: đã trả lại tiền"),
}
"""The steps of an order that are written about."""


def letter(order: Order, step: OrderStep, seller: Imprint, page: str) -> tuple[str, str]:
    """Subject and body about one step; `page` is the address of the order's page."""
    subject = str(SUBJECTS[step.what]) % {"number": order.number}
    parts = [
        _("Chào bác,"),
        _news(order, step),
        _goods(order) if step.what in ("placed", "arranged", "paid") else "",
        _("Xem đơn và theo dõi hàng: %(page)s", page=page),
        _("Ai có đường dẫn này đều xem được đơn, bác giữ riêng nhé."),
        _("%(name)s, điện thoại %(phone)s", name=seller.name, phone=seller.phone),
    ]
    return subject, "\n\n".join(part for part in parts if part)


def _news(order: Order, step: OrderStep) -> str:
    told: dict[str, Callable[[Order, OrderStep], str]] = {
        "placed": _placed,
        "arranged": _placed,
        "paid": lambda order, _step: _("Mình đã nhận đủ %(amount)s. Người bán soạn hàng rồi gửi cho bác.",
                                       amount=dong(order.paid)),
        "partly_dispatched": lambda _order, _step: _("Một phần hàng đã rời đi, phần còn lại gửi sau."),
        "dispatched": lambda _order, _step: _("Hàng của bác đã rời đi hết rồi, bác chờ nhận nhé."),
        "cancelled": _cancelled,
        "rest_cancelled": lambda order, step: _with_reason(_("Phần chưa gửi trong đơn không gửi nữa."), order, step),
        "refunded": lambda order, _step: _("Đến nay đã trả lại bác %(amount)s.", amount=dong(order.refunded)),
    }  # fmt: skip
    return told[step.what](order, step)


def _placed(order: Order, _step: OrderStep) -> str:
    if order.payment_state is PaymentState.AWAITING and order.hold_until is not None:
        return _("Mình đã nhận đơn và giữ hàng cho bác tới %(time)s. Bác mở đường dẫn bên dưới để trả tiền.",
                 time=clock(order.hold_until))  # fmt: skip
    return _("Mình đã nhận đơn, hàng được giữ riêng cho bác. Người bán gọi cho bác trước khi gửi.")


def _cancelled(order: Order, step: OrderStep) -> str:
    if any(one.what == "expired" for one in order.steps):
        told = _("Hết giờ giữ hàng mà chưa thấy tiền nên đơn tự huỷ. Còn muốn mua thì bác đặt lại nhé.")
    else:
        told = _("Đơn đã huỷ, hàng trả về kệ.")
    return _with_reason(told, order, step)


def _with_reason(told: str, order: Order, step: OrderStep) -> str:
    more = [told]
    if step.note and step.member_id:
        more.append(_("Người bán nhắn: %(reason)s", reason=step.note))
    owed = order.paid - order.refunded - (0 if order.status is Status.CANCELLED else order.total)
    if owed > 0:
        more.append(_("Bác đã trả dư %(amount)s, người bán sẽ trả lại bác.", amount=dong(owed)))
    return "\n".join(more)


def _goods(order: Order) -> str:
    rows = [f"{number(line.quantity)} × {line.name}: {dong(line.amount)}" for line in order.lines]
    rows.append(f"{delivery_words(order)}: {dong(order.delivery_fee) if order.delivery_fee else _('không mất cước')}")
    rows.append(_("Cả đơn %(total)s, %(payment)s", total=dong(order.total), payment=payment_words(order).lower()))
    return "\n".join(rows)
