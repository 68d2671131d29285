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
