"""One error tree. A text says what was wrong, with which value, and what to do; its slug never changes."""

from typing import Any

from babel.support import LazyProxy

from village.i18n import lazy_gettext as _l


class SoiError(Exception):
    """Something that we tell the asker about.

    `slug` names the problem for programs (the last part of the problem's `type`), `message` tells a person, with
    `%(name)s` filled from `details`, which are also given to programs. `field` is the path of the value at fault.
    """

    status = 500
    title: LazyProxy | str = _l("Có lỗi ở phía chúng tôi")

    def __init__(self, slug: str, message: LazyProxy | str, *, field: str | None = None, **details: Any) -> None:
        super().__init__(slug)
        self.slug = slug
        self.field = field
        self.details = details
        self._message = message

    def __str__(self) -> str:
        text = str(self._message)
        return text % self.details if self.details else text


class BadInput(SoiError):
    """A value that cannot be: nothing was written."""

    status = 422
    title = _l("Có chỗ chưa đúng")


class Malformed(SoiError):
    """Not even the form of a request."""

    status = 400
    title = _l("Yêu cầu không đọc được")


class Unauthenticated(SoiError):
    """We do not know who is asking."""

    status = 401
    title = _l("Cần đăng nhập")


class Forbidden(SoiError):
    """We know who is asking, and it is not theirs to do."""

    status = 403
    title = _l("Việc này không thuộc về bác")


class NotFound(SoiError):
    """There is no such thing, or none that the asker may know of."""

    status = 404
    title = _l("Không tìm thấy")


class Conflict(SoiError):
    """True at another time, but not now: something else came first."""

    status = 409
    title = _l("Có việc khác xảy ra trước")


class TooMany(SoiError):
    """Too often; `retry_after` seconds are to pass."""

    status = 429
    title = _l("Nhiều lần quá")

    def __init__(self, slug: str, message: LazyProxy | str, *, retry_after: int, **details: Any) -> None:
        super().__init__(slug, message, retry_after=retry_after, **details)
        self.retry_after = retry_after
