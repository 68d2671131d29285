"""How large a spreadsheet may be in each direction. More is refused before it costs anybody anything."""

from village.errors import BadInput
from village.i18n import lazy_gettext as _l

ROWS = 200_000
COLUMNS = 200
CELLS = 6_000_000
TEXT = 32_767
"""Characters in a cell: a spreadsheet's own limit."""
PARTS = 1_000
"""Files in an XLSX."""
DIRECTORY = 1024 * 1024
"""Bytes of its list of files."""
SMALL_PART = 8 * 1024 * 1024
STRINGS = 96 * 1024 * 1024
SHEET = 768 * 1024 * 1024
"""Bytes of a part once unpacked: any of the small ones, the shared texts, the rows."""
DEPTH = 40
HEAD_ROWS = 30
"""Within how many rows the headings must come."""


class Unreadable(BadInput):
    """No table of ours can be read out of the file. The message is for its sender."""


def too_much() -> Unreadable:
    """For whatever is larger than any season."""
    return Unreadable(
        "sheet-too-large",
        _l("Tệp này bung ra to quá mức một bảng tính bình thường, nên mình không đọc. Bác chia ra từng vụ nhé."),
    )


def broken() -> Unreadable:
    """For what is no spreadsheet inside."""
    return Unreadable("sheet-broken", _l("Tệp hỏng hoặc không phải bảng tính. Bác mở ra, lưu lại rồi gửi lần nữa nhé."))
