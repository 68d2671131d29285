"""What can be wrong with an order."""

from shop.orders.models import LINES_MAX, QUANTITY_MAX, Order, Status
from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l

STATUS_WORDS = {
    Status.PLACED: _l("mới đặt"),
    Status.CONFIRMED: _l("đã xác nhận"),
    Status.PICKED: _l("đã soạn hàng"),
    Status.PARTLY_DISPATCHED: _l("đã gửi một phần"),
    Status.DISPATCHED: _l("đã gửi đi"),
    Status.DELIVERED: _l("đã tới tay người mua"),
    Status.CANCELLED: _l("đã huỷ"),
}


def no_order() -> NotFound:
    """For a number, an id or a token that is nobody's."""
    return NotFound("no-such-order", _l("Không có đơn này. Bác xem lại đường dẫn giúp mình."))


def moved_on(order: Order, by: str) -> Conflict:
    """For a step that another took first; `by` is who did the last one, empty for the buyer."""
    text = (
        _l("Đơn %(number)s %(state)s rồi, do %(by)s làm. Bác xem lại đơn nhé.")
        if by
        else _l("Đơn %(number)s %(state)s rồi. Bác xem lại đơn nhé.")
    )
    return Conflict(
        "order-moved-on",
        text,
        number=order.number,
        state=str(STATUS_WORDS[order.status]),
        order_status=order.status,
        by=by,
    )


def bad_quantity(field: str) -> BadInput:
    """For anything but a whole number in bounds."""
    return BadInput("bad-quantity", _l("Số gói là số tròn từ 1 đến %(max)s."), field=field, max=QUANTITY_MAX)


def several_sellers() -> BadInput:
    """For goods of several cooperatives in one order: each sells, is paid and answers for its own."""
    return BadInput("several-sellers", _l("Bác đặt hàng của từng nơi bán một nhé."), field="lines")


def unknown_product(field: str, gtin: str) -> BadInput:
    """For a GTIN that is not sold here."""
    return BadInput("unknown-gtin", _l("Mã hàng %(gtin)s không bán ở đây."), field=field, gtin=gtin)


def too_many_lines(count: int) -> BadInput:
    """For an order that no village fills."""
    message = _l("Một đơn nhiều nhất %(max)s món, đơn này có %(count)s.")
    return BadInput("too-many-lines", message, field="lines", max=LINES_MAX, count=count)


def order_paid_ahead(order: Order) -> Conflict:
    """For other packs in an order that is paid before it is sent."""
    message = _l("Đơn %(number)s trả tiền trước nên không thêm bớt món được. Bác đặt đơn khác nhé.")
    return Conflict("paid-ahead", message, number=order.number)


def not_paid(order: Order) -> Conflict:
    """For work on an order whose money has to come first."""
    message = _l("Đơn %(number)s chưa nhận được tiền. Tiền tới thì mình soạn và gửi bác nhé.")
    return Conflict("not-paid", message, number=order.number)


def nothing_on_the_way(order: Order) -> Conflict:
    """For an order all of whose parcels have come to another end."""
    message = _l("Đơn %(number)s không còn kiện nào trên đường. Bác ghi hàng đã về lại nhé.")
    return Conflict("nothing-on-the-way", message, number=order.number)


def order_cancelled(order: Order) -> Conflict:
    """For money that comes for an order that is no more."""
    message = _l("Đơn %(number)s đã huỷ rồi, không nhận tiền được nữa.")
    return Conflict("order-cancelled", message, number=order.number)


def too_much_back(order: Order) -> Conflict:
    """For more money back than there is of the order."""
    message = _l("Đơn %(number)s chỉ còn %(left)s đ để trả lại.")
    return Conflict("refund-too-much", message, number=order.number, left=order.paid - order.refunded)


def wrong_parts(field: str = "parts") -> BadInput:
    """For packs that an order does not have, or not that many of."""
    return BadInput("wrong-parts", _l("Trong đơn không có từng ấy gói của lô này. Bác xem lại nhé."), field=field)
