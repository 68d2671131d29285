"""What can be wrong with a source."""

from village.errors import BadInput, Conflict, Malformed, NotFound, Unauthenticated
from village.i18n import lazy_gettext as _l


def not_set_up() -> NotFound:
    """For a door that this village has not opened."""
    return NotFound("not-set-up", _l("Chỗ này chưa mở."))


def forged() -> Unauthenticated:
    """For what was not signed by whom it says."""
    return Unauthenticated("bad-signature", _l("Chữ ký không đúng, mình không nhận."))


def unreadable() -> Malformed:
    """For a notice that is none."""
    return Malformed("bad-notice", _l("Tin báo này thiếu chỗ cần có, không đọc được."))


def source_taken() -> Conflict:
    """For a live video or a shop that another session reads."""
    return Conflict("source-taken", _l("Nguồn này đang nối với một phiên khác. Bác ngắt ở phiên ấy rồi nối lại nhé."))


def too_many_sources(most: int) -> Conflict:
    """For a session with more sources than anybody needs."""
    return Conflict("too-many-sources", _l("Mỗi phiên nhiều nhất %(max)s nguồn."), max=most)


def secret_in_use() -> Conflict:
    """For a secret that a comment reader has used already."""
    message = _l("Khoá này đang dùng rồi nên không hiện lại nữa. Nếu mất, bác ngắt nguồn này rồi mở nguồn mới.")
    return Conflict("secret-in-use", message)


def source_stopped() -> Conflict:
    """For comments from a source that was stopped, or whose session takes nothing now."""
    return Conflict("source-stopped", _l("Nguồn này đã ngắt, không nhận thêm lời nhắn."))


def cannot_tell() -> Conflict:
    """For a source by which viewers cannot be written to."""
    return Conflict("source-cannot-tell", _l("Nguồn này không nhắn cho khách được, bác chép đường dẫn gửi tay giúp."))


def bad_video() -> BadInput:
    """For what is neither a video's number nor its address."""
    message = _l("Bác dán địa chỉ của buổi live, hoặc số của nó, thí dụ 1234567890.")
    return BadInput("bad-video", message, field="video")


def no_such_video() -> BadInput:
    """For a live video that our page has not."""
    message = _l("Trang của mình không có buổi live này. Bác xem lại địa chỉ giúp.")
    return BadInput("no-such-video", message, field="video")


def nothing_live() -> BadInput:
    """For a page on which nobody streams."""
    message = _l("Trên trang chưa có buổi nào đang live. Bác bấm live rồi thử lại, hoặc dán địa chỉ buổi live vào đây.")
    return BadInput("nothing-live", message, field="video")


def several_live() -> BadInput:
    """For a page on which several stream at once."""
    message = _l("Trên trang đang có mấy buổi live một lúc. Bác dán địa chỉ của đúng buổi này nhé.")
    return BadInput("several-live", message, field="video")


def platform_silent() -> Conflict:
    """For a platform that does not answer, or not to us."""
    return Conflict("platform-silent", _l("Chưa hỏi được bên ấy. Bác thử lại sau một lát, hoặc dán lời nhắn bằng tay."))
