"""Papers, files and runs in words."""

from trace.labels.models import LabelRun
from trace.labels.papers import Paper
from village.i18n import gettext as _
from village.i18n import number


def paper(one: Paper) -> str:
    """A paper's name."""
    width, height = number(one.width), number(one.height)
    if one.roll:
        return _("Cuộn nhiệt %(roll)s mm, %(dpi)s dpi, tem %(width)s × %(height)s mm",
                 roll=one.roll, dpi=one.dpi, width=width, height=height)  # fmt: skip
    if one.cut:
        return _("Giấy A4 thường, %(count)s tem %(width)s × %(height)s mm, tự cắt",
                 count=one.per_page, width=width, height=height)  # fmt: skip
    return _("Giấy decal A4, %(across)s × %(down)s tem %(width)s × %(height)s mm",
             across=one.across, down=one.down, width=width, height=height)  # fmt: skip


def what(key: str) -> str:
    """What kind of label."""
    return _("Tem riêng từng gói") if key == "unit" else _("Tem của cả lô, giống nhau")


def form(key: str) -> str:
    """What kind of file."""
    return {
        "pdf": _("PDF, máy in nào cũng in được"),
        "png": _("Ảnh PNG, đúng từng chấm của máy in nhiệt"),
        "escpos": _("Lệnh ESC/POS, gửi thẳng vào máy in nhiệt"),
    }.get(key, key)


def run(one: LabelRun) -> str:
    """A run in one line."""
    count = number(one.count)
    if one.what == "unit":
        return _("%(count)s tem riêng từng gói", count=count)
    return _("%(count)s tem của cả lô", count=count)
