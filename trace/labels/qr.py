"""QR codes of scan addresses, as SVG and PNG.

Error correction M and a quiet zone of four modules, as GS1 asks for a Digital Link QR code on a pack.
"""

import io
from functools import lru_cache
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from trace.labels import fonts
from trace.labels.layout import wrap
from trace.labels.symbol import QUIET_ZONE, symbol, version_for

Matrix = tuple[tuple[bool, ...], ...]


@lru_cache(maxsize=256)
def matrix(address: str) -> Matrix:
    """The dark modules of the code for `address`, quiet zone included, row by row."""
    found = symbol(address, version_for(address, "M"), "M")
    side = (False,) * QUIET_ZONE
    empty = ((False,) * (found.size + 2 * QUIET_ZONE),) * QUIET_ZONE
    rows = ((*side, *(letter == "1" for letter in f"{row:0{found.size}b}"), *side) for row in found.rows())
    return (*empty, *rows, *empty)


def runs(modules: Matrix) -> list[tuple[int, int, int]]:
    """Dark modules as horizontal bars `(x, y, length)`: fewer shapes, and no hairlines between them."""
    found = []
    for y, row in enumerate(modules):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                found.append((start, y, x - start))
            x += 1
    return found


def svg(address: str, title: str, millimetres: int = 25) -> str:
    """The code as an SVG document of a printed size: one path, no style, a title for who cannot see it."""
    modules = matrix(address)
    path = "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in runs(modules))
    size = len(modules)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{millimetres}mm" height="{millimetres}mm" '
        f'viewBox="0 0 {size} {size}" role="img" shape-rendering="crispEdges">'
        f"<title>{escape(title)}</title>"
        f'<rect width="{size}" height="{size}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    )


def png(address: str, lines: tuple[str, ...] = (), pixels_per_module: int = 10) -> bytes:
    """The code as a PNG, with `lines` of text below it, the first one bold."""
    modules = matrix(address)
    side = len(modules) * pixels_per_module
    size = round(pixels_per_module * 2.1)
    margin = QUIET_ZONE * pixels_per_module
    set_lines: list[tuple[str, ImageFont.FreeTypeFont]] = []
    for number, text in enumerate(lines):
        font = ImageFont.truetype(fonts.FILES[fonts.REGULAR if number else fonts.BOLD], size)
        set_lines += [(part, font) for part in wrap(text, side - 2 * margin, font.getlength)]
    step = round(size * 1.4)
    text_height = step * len(set_lines) + margin if set_lines else 0
    image = Image.new("1", (side, side + text_height), 1)
    draw = ImageDraw.Draw(image)
    for x, y, length in runs(modules):
        left, top = x * pixels_per_module, y * pixels_per_module
        draw.rectangle(
            (left, top, left + length * pixels_per_module - 1, top + pixels_per_module - 1), fill=0
        )
    for number, (text, font) in enumerate(set_lines):
        draw.text((side / 2, side + step * number), text, font=font, fill=0, anchor="ma")
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True, dpi=(300, 300))
    return out.getvalue()
