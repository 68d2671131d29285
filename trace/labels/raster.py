"""A label as dots, black or white, as a thermal printer burns them; and pages of labels as a picture to look at."""

import io
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from trace.labels import fonts
from trace.labels.design import Code, Design, Placed
from trace.labels.papers import A4, MM_PER_INCH, Paper
from trace.labels.symbol import Symbol

_PREVIEW = 4
"""Dots of paper to a dot of its picture: 150 to the inch."""


@lru_cache(maxsize=256)
def _font(face: str, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(fonts.FILES[face], size)


@lru_cache(maxsize=8192)
def measure(text: str, face: str, size: float) -> float:
    """How wide the printer's dots set a text: letters move to whole dots, so it is not what the type says."""
    return float(_font(face, size).getlength(text, mode="1"))


def base(design: Design) -> Image.Image:
    """All of a label that is the same in a run: without code and serial."""
    image = Image.new("1", (design.width, design.height), 1)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1"
    for line in design.lines:
        _write(draw, line, line.text)
    if design.strand:
        strand = design.strand
        draw.line(strand.line, fill=0, width=round(strand.thick), joint="curve")
        for number, (x, y) in enumerate(strand.knots):
            last = number == len(strand.knots) - 1
            reach = strand.open_knot if last else strand.knot
            box = (x - reach, y - reach, x + reach, y + reach)
            draw.ellipse(box, fill=1 if last else 0, outline=0, width=round(strand.thick))
    return image


def finished(base: Image.Image, design: Design, symbol: Symbol, serial_text: str = "") -> Image.Image:
    """One label of a run."""
    image = base.copy()
    _draw_symbol(image, design.code, symbol)
    if design.serial and serial_text:
        strip, left, top = serial_strip(design.serial, serial_text)
        image.paste(strip, (left, top))
    return image


def serial_strip(placed: Placed, text: str) -> tuple[Image.Image, int, int]:
    """A serial's line alone, and where its upper left corner goes."""
    font = _font(placed.face, placed.size_for(text, measure))
    left, top, right, bottom = font.getbbox(text, mode="1", anchor="ls")
    image = Image.new("1", (max(1, int(right - left)), max(1, int(bottom - top))), 1)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1"
    draw.text((-left, -top), text, font=font, fill=0, anchor="ls")
    return image, round(placed.x) + int(left), round(placed.y) + int(top)


def png(image: Image.Image, paper: Paper) -> bytes:
    """A picture whose size in print is told in it."""
    out = io.BytesIO()
    dpi = paper.dots_per_mm * MM_PER_INCH
    image.save(out, "PNG", dpi=(dpi, dpi))
    return out.getvalue()


def page_png(labels: Sequence[Image.Image], paper: Paper, place: int) -> bytes:
    """The first page as it will print, smaller: sheets with the labels' edges and what was used before, greyed."""
    if paper.roll:
        return png(labels[0], paper)
    size = (round(paper.dots(A4[0]) / _PREVIEW), round(paper.dots(A4[1]) / _PREVIEW))
    page = Image.new("L", size, 255)
    draw = ImageDraw.Draw(page)
    wide, high = paper.wide // _PREVIEW, paper.high // _PREVIEW
    small = [one.convert("L").resize((wide, high), Image.Resampling.BOX) for one in labels]
    for number, (x, y) in enumerate(paper.corners()):
        left, top = x // _PREVIEW, y // _PREVIEW
        used = number < place - 1
        if not used and number - place + 1 < len(small):
            page.paste(small[number - place + 1], (left, top))
        if used:
            draw.rectangle((left, top, left + wide - 1, top + high - 1), fill=225)
        draw.rectangle((left, top, left + wide - 1, top + high - 1), outline=170)
    out = io.BytesIO()
    dpi = paper.dots_per_mm * MM_PER_INCH / _PREVIEW
    page.quantize(16).save(out, "PNG", dpi=(dpi, dpi))
    return out.getvalue()


def _write(draw: ImageDraw.ImageDraw, placed: Placed, text: str) -> None:
    draw.text((round(placed.x), round(placed.y)), text, font=_font(placed.face, placed.size), fill=0, anchor="ls")


def _draw_symbol(image: Image.Image, code: Code, symbol: Symbol) -> None:
    rows = symbol_rows(symbol)
    small = Image.frombytes("1", (symbol.size, symbol.size), rows)
    image.paste(small.resize((code.side, code.side), Image.Resampling.NEAREST), (code.x, code.y))


def symbol_rows(symbol: Symbol) -> bytes:
    """A symbol's rows as bytes, light modules set."""
    wide = (symbol.size + 7) // 8
    spare = 8 * wide - symbol.size
    every = (1 << symbol.size) - 1
    return b"".join(((row ^ every) << spare).to_bytes(wide) for row in symbol.rows())
