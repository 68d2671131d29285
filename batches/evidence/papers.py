"""A laboratory's paper as a file: a PDF as it is, or a picture of it without anything but the picture."""

import re

from trace.photos.bare import Refused
from trace.photos.pixels import cleaned
from trace.reports.views import PDF
from village.errors import BadInput
from village.i18n import lazy_gettext as _l

_HEAD = re.compile(rb"%PDF-[12]\.\d")
_END = 1024
_ACTIVE = (b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/RichMedia")


def paper(data: bytes, field: str) -> tuple[str, bytes]:
    """Its kind and its bytes. BadInput for what is neither PDF nor picture, or a PDF that does things."""
    if _HEAD.match(data):
        if b"%%EOF" not in data[-_END:]:
            raise BadInput("paper-cut-short", _l("Tệp PDF này bị đứt, thiếu phần cuối."), field=field)
        if any(name in data for name in _ACTIVE):
            raise BadInput(
                "paper-does-things",
                _l("Tệp PDF này có chương trình hay tệp khác bên trong. Bác in ra rồi chụp lại nhé."),
                field=field,
            )  # fmt: skip
        return PDF, data
    try:
        picture, _ = cleaned(data)
    except Refused as error:
        raise BadInput("no-paper", _l("Tệp này không phải PDF, cũng không phải ảnh đọc được."), field=field) from error
    return picture.mime, picture.body
