"""What is the matter when the disk or the database refuses: full, read only, damaged, or out of reach."""

import errno
import sqlite3
from collections.abc import Iterator

from babel.support import LazyProxy
from sqlalchemy.exc import DBAPIError

from village.errors import SoiError
from village.i18n import lazy_gettext as _l

FULL, READ_ONLY, DAMAGED, UNREACHABLE = "full", "read-only", "damaged", "unreachable"

TEXTS: dict[str, LazyProxy] = {
    FULL: _l("Đĩa của máy chủ đã đầy, nên chưa ghi được gì. Bác báo hợp tác xã giúp, dọn xong rồi mình ghi lại nhé."),
    READ_ONLY: _l("Máy chủ lúc này chỉ đọc được, chưa ghi được gì. Bác báo hợp tác xã giúp, rồi thử lại sau nhé."),
    DAMAGED: _l("Đĩa của máy chủ bị hỏng ở đâu đó, nên mình dừng lại, chưa ghi gì. Bác báo hợp tác xã giúp nhé."),
    UNREACHABLE: _l("Máy chủ chưa mở được sổ, nên chưa ghi được gì. Bác báo hợp tác xã giúp, rồi thử lại sau nhé."),
}
_SQLITE = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_IOERR: DAMAGED,
    sqlite3.SQLITE_CANTOPEN: UNREACHABLE,
}
_POSTGRESQL = {
    "53100": FULL, "25006": READ_ONLY, "58030": DAMAGED, "XX001": DAMAGED, "XX002": DAMAGED, "57P01": UNREACHABLE,
    "57P02": UNREACHABLE, "57P03": UNREACHABLE,
}  # fmt: skip
_SYSTEM = {
    errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EFBIG: FULL, errno.EROFS: READ_ONLY, errno.EIO: DAMAGED,
}  # fmt: skip


class StorageTrouble(SoiError):
    """Nothing can be stored now. `why` is one of full, read-only, damaged, unreachable."""

    status = 503
    title = _l("Chưa ghi được")


def trouble_with_storage(error: BaseException) -> StorageTrouble | None:
    """What `error` says about the disk or the database; None when it is about something else."""
    for cause in _causes(error):
        why = _why(cause)
        if why is not None:
            return StorageTrouble("storage", TEXTS[why], why=why)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.orig if isinstance(at, DBAPIError) and at.orig is not None else at.__cause__ or at.__context__


def _why(error: BaseException) -> str | None:
    if isinstance(error, sqlite3.Error):
        code: int = getattr(error, "sqlite_errorcode", 0)
        return _SQLITE.get(code & 0xFF)
    if isinstance(error, OSError):
        return _SYSTEM.get(error.errno or 0)
    return _POSTGRESQL.get(getattr(error, "sqlstate", None) or "")
