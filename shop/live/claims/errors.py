"""What can be wrong with a viewer's link, and with what she does there."""

from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l


def no_claim() -> NotFound:
    """For a link that is nobody's."""
    return NotFound("no-such-claim", _l("Không có đường dẫn này. Bác xem lại từng chữ giúp mình."))


def order_changed() -> Conflict:
    """For an order that has other packs, or another state, than its buyer saw."""
    return Conflict("order-changed", _l("Đơn vừa đổi trong lúc bác ghi. Bác xem lại món và tổng tiền rồi gửi nhé."))


def offer_gone() -> Conflict:
    """For packs that were kept for a while, and are no more."""
    return Conflict("offer-gone", _l("Hết giờ giữ mấy gói ấy rồi, đã sang người sau. Bác vẫn xem được lượt ở đây."))


def not_a_link() -> BadInput:
    """For what was pasted instead of another session's link."""
    return BadInput("not-a-claim-link", _l("Bác dán cả đường dẫn của phiên kia vào đây nhé."), field="link")


def cannot_join(why: str) -> Conflict:
    """For two orders that do not become one; `why` is a slug of `JOINS`."""
    return Conflict("cannot-join", JOINS[why], why=why)


JOINS = {
    "same": _l("Đường dẫn này là của chính phiên này. Bác dán đường dẫn của phiên kia nhé."),
    "other-seller": _l("Hai phiên của hai nơi bán, nên mỗi nơi gửi một đơn."),
    "running": _l("Phiên kia còn đang bán. Bác chờ kết phiên rồi gộp nhé."),
    "nothing-there": _l("Bên phiên kia không còn đơn nào chưa trả tiền để gộp."),
    "nothing-here": _l("Phiên này bác chưa có đơn nào chưa trả tiền để gộp vào."),
    "too-much": _l("Gộp lại thì đơn quá lớn. Bác để hai đơn giúp mình."),
    "not-delivered": _l("Gộp lại thì nơi bán không giao một chuyến được. Bác để hai đơn giúp mình."),
}
