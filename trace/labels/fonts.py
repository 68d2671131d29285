"""The type on labels: Roboto (Apache License 2.0), which holds every Vietnamese letter.

It comes from the package `font-roboto`; the fonts of a printer or a reader's machine are not relied upon.
"""

from functools import cache

import font_roboto  # type: ignore[import-untyped]  # it ships no types
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]  # it ships no types
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]  # it ships no types

REGULAR = "Soi"
BOLD = "Soi-Bold"
FILES: dict[str, str] = {REGULAR: font_roboto.Roboto, BOLD: font_roboto.RobotoBold}


@cache
def register() -> None:
    """Make both faces known to reportlab, once a process."""
    for name, path in FILES.items():
        pdfmetrics.registerFont(TTFont(name, path))


def width(text: str, face: str, size: float) -> float:
    """How wide `text` runs, in the unit of `size`."""
    register()
    return float(pdfmetrics.stringWidth(text, face, size))
