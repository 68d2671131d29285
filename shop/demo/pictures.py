"""Drawn stand-ins for the photos that a household would take, and a made-up laboratory's paper. Nothing here was ever
in front of a camera, and each picture says so."""

import io
import math
import random

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]  # it ships no types
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # it ships no types

from trace.labels import fonts

SCENES = {"harvest": "tubers", "settle": "vats", "dry": "racks", "pack": "packs"}
"""Which scene goes with which stage of miến dong."""
WIDTH, HEIGHT = 960, 720
MARK = "ảnh vẽ thử, không phải ảnh thật"

Pen = ImageDraw.ImageDraw
Colour = tuple[int, int, int]
_SKY, _HAZE = (190, 214, 222), (246, 236, 208)
_GRASS, _EARTH, _WOOD, _NOODLE, _LEAF = (122, 146, 84), (128, 92, 62), (140, 105, 66), (246, 236, 200), (52, 104, 62)


def photo(scene: str, seed: str) -> bytes:
    """A JPEG of a scene; another `seed` lays it out otherwise, the same one gives the same bytes."""
    chance = random.Random(seed)
    image = Image.new("RGB", (WIDTH, HEIGHT), _SKY)
    pen = ImageDraw.Draw(image)
    _valley(pen, chance)
    {"tubers": _tubers, "vats": _vats, "racks": _racks, "packs": _packs}[scene](pen, chance)
    font = ImageFont.truetype(fonts.FILES[fonts.REGULAR], 26)
    pen.text((WIDTH - 20, HEIGHT - 16), MARK, font=font, fill=(255, 253, 247), anchor="rs", stroke_width=3,
             stroke_fill=(60, 60, 50))  # fmt: skip
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def report(laboratory: str, number: str, sample: str, lines: tuple[tuple[str, str], ...]) -> bytes:
    """A laboratory's paper as a small PDF: the same bytes for the same words."""
    fonts.register()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True, lang="vi")
    canvas.setTitle(f"{laboratory} {number}")
    canvas.setFont(fonts.BOLD, 16)
    canvas.drawString(72, 760, laboratory)
    canvas.setFont(fonts.REGULAR, 12)
    told = [f"Phiếu số {number}", f"Mẫu: {sample}", *(f"{name}: {value}" for name, value in lines),
            "Phiếu này dựng làm mẫu, không phòng kiểm nghiệm nào cấp."]  # fmt: skip
    for row, line in enumerate(told):
        canvas.drawString(72, 725 - 22 * row, line)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _valley(pen: Pen, chance: random.Random) -> None:
    """Morning haze over two ridges, and the yard in front."""
    for y in range(330):
        mixed = tuple(round(a + (b - a) * y / 330) for a, b in zip(_SKY, _HAZE, strict=True))
        pen.line((0, y, WIDTH, y), fill=mixed)
    for height, colour in ((210, (140, 164, 156)), (270, (96, 128, 98))):
        shift = chance.uniform(0, 6)
        ridge = [(x, height + 46 * math.sin(x / 130 + shift) + 18 * math.sin(x / 41 + 2 * shift)) for x in
                 range(0, WIDTH + 20, 20)]  # fmt: skip
        pen.polygon([(0, HEIGHT), *ridge, (WIDTH, HEIGHT)], fill=colour)
    pen.rectangle((0, 390, WIDTH, HEIGHT), fill=_GRASS)


def _tubers(pen: Pen, chance: random.Random) -> None:
    """A heap of canna tubers on turned earth, with leaves behind."""
    pen.rectangle((0, 470, WIDTH, HEIGHT), fill=_EARTH)
    for _ in range(16):
        x, tall = chance.uniform(0, WIDTH), chance.uniform(110, 220)
        pen.ellipse((x - 34, 480 - tall, x + 34, 490), fill=_LEAF, outline=(38, 82, 48), width=3)
        pen.line((x, 490 - tall, x, 490), fill=(92, 140, 92), width=4)
    for row in range(7):
        for _ in range(15 - row):
            x, y = WIDTH / 2 + chance.uniform(-1, 1) * (390 - 46 * row), 660 - 34 * row
            wide, tall = chance.uniform(34, 58), chance.uniform(20, 32)
            pen.ellipse((x - wide, y - tall, x + wide, y + tall), fill=(196, 150, 120), outline=(120, 80, 64), width=3)
            pen.arc((x - wide / 2, y - tall, x + wide / 2, y + tall), 290, 70, fill=(156, 104, 86), width=4)


def _vats(pen: Pen, chance: random.Random) -> None:
    """Three vats in which starch settles under brown water."""
    for number in range(3):
        x, y = 190 + 290 * number, 560 + chance.uniform(-16, 16)
        pen.rectangle((x - 125, y - 60, x + 125, y + 80), fill=(150, 150, 148))
        pen.ellipse((x - 125, y + 40, x + 125, y + 120), fill=(150, 150, 148))
        pen.ellipse((x - 125, y - 104, x + 125, y - 16), fill=(188, 188, 184))
        brown = (176 + number * 22, 142 + number * 30, 100 + number * 40)
        pen.ellipse((x - 110, y - 96, x + 110, y - 24), fill=brown)
        pen.arc((x - 70, y - 82, x + 60, y - 40), 190, 330, fill=(250, 246, 230), width=5)


def _racks(pen: Pen, chance: random.Random) -> None:
    """Noodles hung over poles in the sun."""
    for row in range(3):
        top = 400 + 92 * row
        left, right = 60 - 20 * row, WIDTH - 60 + 20 * row
        for x in (left, right):
            pen.rectangle((x - 7, top - 26, x + 7, top + 150), fill=_WOOD)
        for x in range(left + 26, right - 26, 9 + 2 * row):
            low = top + 96 + 18 * row + chance.uniform(-10, 10)
            shade = chance.randint(-14, 8)
            pen.line((x, top, x + chance.uniform(-4, 4), low), fill=_shaded(_NOODLE, shade), width=4 + row)
        pen.rectangle((left - 14, top - 6, right + 14, top + 6), fill=_WOOD)


def _packs(pen: Pen, chance: random.Random) -> None:
    """Packs in rows on a table, each with its code."""
    pen.rectangle((0, 560, WIDTH, HEIGHT), fill=_WOOD)
    for number in range(6):
        x, y = 40 + 150 * number, 360 + chance.uniform(-8, 8)
        pen.rounded_rectangle((x, y, x + 130, y + 240), 14, fill=(250, 246, 232), outline=(150, 140, 110), width=3)
        for strand in range(11):
            pen.line((x + 15 + strand * 10, y + 16, x + 15 + strand * 10, y + 120), fill=(226, 214, 172), width=5)
        pen.rectangle((x + 8, y + 128, x + 122, y + 214), fill=_LEAF)
        pen.rectangle((x + 42, y + 142, x + 88, y + 188), fill=(255, 255, 255))
        for _ in range(40):
            dx, dy = 8 * chance.randrange(5), 8 * chance.randrange(5)
            pen.rectangle((x + 46 + dx, y + 146 + dy, x + 52 + dx, y + 152 + dy), fill=(20, 20, 20))


def _shaded(colour: Colour, by: int) -> Colour:
    red, green, blue = (max(0, min(255, part + by)) for part in colour)
    return red, green, blue
