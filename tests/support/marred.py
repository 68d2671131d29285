"""What becomes of a printed code on its way to a phone: printing, wear, and a poor photograph. Drawn by chance from a
seed, so that two codes can be put through the very same."""

import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import qrcode  # type: ignore[import-untyped]  # it ships no types
import zxingcpp
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from trace.labels import raster
from trace.labels.design import Code, code_for
from trace.labels.symbol import symbol

PIXELS = 12
"""To a millimetre in the photograph: a phone's at some 15 cm from the pack."""
_FINE = 4
"""Parts of a printer's dot that are drawn."""
_MARGIN = 3.0
"""Millimetres of white label around the code."""


@dataclass(frozen=True)
class Print:
    """A code as a printer burns it: its dots, 1 bit each, and how many lie in a millimetre."""

    dots: Image.Image
    dots_per_mm: float


def ours(address: str, side: float, dots_per_mm: float) -> tuple[Print, Code]:
    """Our code, its dark square at most `side` millimetres wide."""
    room = round(2 * side * dots_per_mm)
    while (code := code_for(address, room, dots_per_mm)).side > side * dots_per_mm:
        room -= 1
    found = symbol(address, code.version, code.level)
    small = Image.frombytes("1", (found.size, found.size), raster.symbol_rows(found))
    return Print(small.resize((code.side, code.side), Image.Resampling.NEAREST), dots_per_mm), code


def in_library(address: str, side: float, dots_per_mm: float, *, whole: bool = False) -> Print:
    """What `qrcode.make` gives, scaled to the printer's dots as a picture in a document is: its dark square is `side`
    millimetres wide; with `whole`, the picture with its border is."""
    picture = qrcode.make(address).get_image().convert("L")
    if not whole:
        border = 4 * 10
        picture = picture.crop((border, border, picture.width - border, picture.height - border))
    dots = round(side * dots_per_mm)
    scaled = picture.resize((dots, dots), Image.Resampling.BOX)
    return Print(scaled.point(lambda value: 255 if value >= 128 else 0).convert("1"), dots_per_mm)


def photographed(printed: Print, way: str, seed: int) -> Image.Image:
    """The print after one of `WAYS`."""
    # A chance of its own for each mishap: how much one draws must not move the next.
    worn, soiled, held, lit = (random.Random(f"{way} {seed} {what}") for what in ("worn", "soiled", "held", "lit"))
    strength = _WAYS[way]
    dots = printed.dots.convert("L")
    if strength.banding:
        dots = _banded(dots, worn, strength.banding)
    fine = dots.resize((dots.width * _FINE, dots.height * _FINE), Image.Resampling.NEAREST)
    margin = round(_MARGIN * printed.dots_per_mm * _FINE)
    label = Image.new("L", (fine.width + 2 * margin, fine.height + 2 * margin), 255)
    label.paste(fine, (margin, margin))
    per_mm = printed.dots_per_mm * _FINE
    # Heat spreads a little in the paper.
    label = label.filter(ImageFilter.GaussianBlur(0.04 * per_mm))
    if strength.dirt:
        _soil(label, soiled, strength.dirt, (margin, margin, margin + fine.width, margin + fine.height))
    if strength.blur:
        label = label.filter(ImageFilter.GaussianBlur(strength.blur * held.uniform(0.8, 1.2) * per_mm))
    angle = held.uniform(0, 360) if strength.turned else held.uniform(-4, 4)
    label = label.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    squeeze = held.uniform(0.72, 0.9) if strength.turned else 1.0
    scale = PIXELS / per_mm
    size = (round(label.width * scale), round(label.height * scale * squeeze))
    photo = label.resize(size, Image.Resampling.BOX)
    if strength.contrast < 1:
        photo = _dim(photo, lit, strength.contrast)
    return _noisy(photo, lit, 4.0)


@dataclass(frozen=True)
class _Strength:
    blur: float = 0.0
    """Standard deviation in millimetres."""
    turned: bool = False
    dirt: float = 0.0
    """Share of the code's square."""
    contrast: float = 1.0
    banding: float = 0.0


_WAYS: dict[str, _Strength] = {
    "as printed": _Strength(),
    "blur": _Strength(blur=0.14),
    "rotation": _Strength(turned=True),
    "10 % dirt": _Strength(dirt=0.10),
    "low contrast": _Strength(contrast=0.18),
    "thermal banding": _Strength(banding=1.0),
    "all at once, half as bad": _Strength(blur=0.08, turned=True, dirt=0.05, contrast=0.4, banding=0.5),
}
WAYS = tuple(_WAYS)


def _banded(dots: Image.Image, chance: random.Random, strength: float) -> Image.Image:
    """A worn thermal printer: dead elements leave white lines along the paper, the roller slips and sticks, so that
    rows are missing or come twice, and in bands the head is too cool to burn every dot."""
    out = dots.copy()
    draw = ImageDraw.Draw(out)
    for _element in range(round(2 * strength)):
        x = chance.randrange(out.width)
        draw.line((x, 0, x, out.height), fill=255)
    rows, y = [], 0
    while y < out.height:
        slip = chance.random()
        rows += [y, y] if slip < 0.006 * strength else [] if slip < 0.012 * strength else [y]
        y += 1
    slipped = Image.new("L", (out.width, len(rows)), 255)
    for place, row in enumerate(rows):
        slipped.paste(out.crop((0, row, out.width, row + 1)), (0, place))
    for _band in range(round(4 * strength)):
        top, high = chance.randrange(slipped.height), chance.randint(3, 6)
        for row in range(top, min(slipped.height, top + high)):
            for x in range(slipped.width):
                if chance.random() < 0.3:
                    slipped.putpixel((x, row), 255)
    return slipped


def _soil(label: Image.Image, chance: random.Random, share: float, box: tuple[int, int, int, int]) -> None:
    """Splashes, dark and light, until they cover their share of the code's square."""
    left, top, right, bottom = box
    covered = Image.new("L", (right - left, bottom - top), 0)
    wanted = share * covered.width * covered.height
    while covered.histogram()[255] < wanted:
        reach = chance.uniform(0.05, 0.12) * covered.width
        long = reach * chance.uniform(1, 2)
        x, y = chance.uniform(0, covered.width), chance.uniform(0, covered.height)
        # Stains of two to four millimetres.
        ImageDraw.Draw(covered).ellipse((x - long, y - reach, x + long, y + reach), fill=255)
        spot = (left + x - long, top + y - reach, left + x + long, top + y + reach)
        ImageDraw.Draw(label).ellipse(spot, fill=chance.choice((20, 60, 200, 245)))


def _dim(photo: Image.Image, chance: random.Random, contrast: float) -> Image.Image:
    """Dusk, and a shadow across."""
    middle = chance.uniform(90, 150)
    flat = photo.point(lambda value: round(middle + (value - 128) * contrast))
    slope = chance.uniform(-25, 25) * (1 - contrast)
    shadow = Image.linear_gradient("L").resize(flat.size).rotate(chance.choice((0, 90, 180, 270)))
    shadow = shadow.resize(flat.size).point(lambda value: round(128 + slope * (value / 255 - 0.5)))
    return ImageChops.add(flat, shadow, scale=1, offset=-128)


def _noisy(photo: Image.Image, chance: random.Random, sigma: float) -> Image.Image:
    # Pillow's noise has no seed: a picture of it is moved about by chance.
    x, y = chance.randrange(512), chance.randrange(512)
    noise = ImageChops.offset(_NOISE, x, y).crop((0, 0, photo.width, photo.height))
    return ImageChops.add(photo, noise.point(lambda value: round(128 + (value - 128) * sigma / 16)), 1, -128)


def _made_noise() -> Image.Image:
    chance = random.Random(5)
    side = 640
    return Image.frombytes(
        "L", (side, side), bytes(min(255, max(0, round(chance.gauss(128, 16)))) for _pixel in range(side * side))
    )


_NOISE = _made_noise()
Reader = Callable[[Sequence[Image.Image]], list[str]]


def by_zxing(photos: Sequence[Image.Image]) -> list[str]:
    """What zxing-cpp reads in each; empty for nothing."""
    found = []
    for photo in photos:
        codes = zxingcpp.read_barcodes(photo)
        found.append(codes[0].text if codes else "")
    return found


ZBAR = shutil.which("zbarimg")
"""Debian's zbar-tools, where it is installed."""
_SOURCE = re.compile(r"<source href='([^']*)'>(.*?)</source>", re.DOTALL)
_DATA = re.compile(r"<data[^>]*><!\[CDATA\[(.*?)\]\]></data>", re.DOTALL)


def by_zbar(photos: Sequence[Image.Image]) -> list[str]:
    """What zbar reads in each."""
    assert ZBAR is not None
    with tempfile.TemporaryDirectory(prefix="soi-zbar-") as folder:
        paths = [str(Path(folder) / f"{number}.png") for number in range(len(photos))]
        for path, photo in zip(paths, photos, strict=True):
            photo.save(path, compress_level=1)
        command = [ZBAR, "-q", "--xml", "-S*.disable", "-Sqrcode.enable", *paths]
        # It ends with 4 when one of them holds no code.
        told = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    found = {source: _DATA.search(inside) for source, inside in _SOURCE.findall(told.stdout)}
    read = [found.get(path) for path in paths]
    return [one.group(1) if one else "" for one in read]


def right(prints: Sequence[tuple[str, Print]], way: str, readers: Sequence[Reader]) -> list[int]:
    """How many of these (address, print) each reader reads rightly after one of `WAYS`."""
    photos = [photographed(one, way, seed) for seed, (_address, one) in enumerate(prints)]
    wanted = [address for address, _one in prints]
    return [sum(map(str.__eq__, reader(photos), wanted)) for reader in readers]

