"""What can be wrong with a livestream."""

from shop.live.models import LiveSession
from village.errors import BadInput, Conflict, Forbidden, NotFound
from village.i18n import lazy_gettext as _l


def no_session() -> NotFound:
    """For an id that is no livestream's."""
    return NotFound("no-such-live-session", _l("Không có phiên live này."))


def no_comment() -> NotFound:
    """For an id that is no comment's in this livestream."""
    return NotFound("no-such-comment", _l("Không có lời nhắn này trong phiên."))


def not_your_session() -> Forbidden:
    """For a livestream that another member hosts."""
    return Forbidden("not-yours", _l("Phiên live này của người bán khác."))


def ended(live: LiveSession) -> Conflict:
    """For new comments after the end."""
    message = _l("Phiên «%(session)s» kết rồi, không nhận thêm lời nhắn.")
    return Conflict("live-session-ended", message, session=live.title)


def decided_before() -> Conflict:
    """For a second hand on the same comment."""
    return Conflict("already-decided", _l("Lời nhắn này vừa có người xem rồi. Bác xem lại danh sách nhé."))


def bad_code(field: str) -> BadInput:
    """For a code that viewers could not type."""
    return BadInput("bad-live-code", _l("Mã gồm 2 đến 20 chữ không dấu hoặc số, thí dụ MD01."), field=field)


def code_twice(field: str, code: str) -> BadInput:
    """For two codes that viewers could not tell apart."""
    return BadInput("code-twice", _l("Mã %(code)s bị trùng."), field=field, code=code)


def unknown_code(field: str, code: str) -> BadInput:
    """For a code that this livestream does not sell."""
    return BadInput("unknown-live-code", _l("Mã %(code)s không bán trong phiên này."), field=field, code=code[:20])


def not_begun(live: LiveSession) -> Conflict:
    """For comments to a livestream that is only planned, and for pausing or ending it."""
    message = _l("Phiên «%(session)s» chưa mở. Bác mở phiên rồi hẵng làm nhé.")
    return Conflict("live-session-planned", message, session=live.title)


def begun_before(live: LiveSession) -> Conflict:
    """For a plan that is to be changed or dropped after the livestream began."""
    return Conflict("live-session-begun", _l("Phiên «%(session)s» mở rồi, không bỏ được nữa."), session=live.title)


def price_fixed(field: str, code: str) -> BadInput:
    """For another price or product of a code that viewers were told of."""
    message = _l("Mã %(code)s đã nói với người xem rồi, giữa phiên mình không đổi giá hay món nữa.")
    return BadInput("price-fixed", message, field=field, code=code)


def limit_taken(field: str, taken: int) -> BadInput:
    """For a limit below what orders have already."""
    return BadInput("limit-taken", _l("Mã này đã có người đặt %(taken)s gói rồi."), field=field, taken=taken)


def no_offer() -> NotFound:
    """For packs that were kept for nobody in this livestream."""
    return NotFound("no-such-offer", _l("Không có ai được giữ chỗ như vậy trong phiên."))


def offer_over() -> Conflict:
    """For packs whose time is over, or that were taken."""
    return Conflict("offer-over", _l("Chỗ giữ này hết giờ hoặc khách lấy rồi."))


def no_link() -> NotFound:
    """For a buyer's link that is not this livestream's."""
    return NotFound("no-such-claim", _l("Không có đường dẫn này trong phiên."))


def no_source() -> NotFound:
    """For an id that is no source's of this livestream."""
    return NotFound("no-such-source", _l("Không có nguồn này trong phiên."))
