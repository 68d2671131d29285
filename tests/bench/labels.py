"""`python -m tests.bench.labels`: codes of 15 mm after what befalls a label, ours beside the library's, into
docs/bench-labels.md.

The number of labels for each line may be given: `python -m tests.bench.labels 200`; otherwise 40.
"""

import platform
import random
import sys
import time
from dataclasses import dataclass
from functools import partial

import wsgi  # noqa: F401  # first: it sees to it that `trace` is ours  # isort: skip
from PIL import Image, ImageDraw

from tests.support import marred
from tests.support.marred import WAYS, Print
from trace.gs1.lots import READABLE
from trace.labels.design import LEAST_MODULE, Code
from village import clock
from village.settings import ROOT

SIDE = 15.0
COUNT = 40
PRINTERS = (("203 dpi", 8.0), ("300 dpi", 300 / 25.4))
READERS = (("zxing-cpp", marred.by_zxing), ("zbar", marred.by_zbar))
ADDRESS = "https://soi.example.vn/01/09506000134352/10/BL26M-7K3Q9/21/"


@dataclass(frozen=True)
class Row:
    """One printer and one way: how many of each print each reader read."""

    printer: str
    way: str
    ours: list[int]
    library: list[int]


def addresses(count: int) -> list[str]:
    """Unit labels' addresses, the same in every run."""
    chance = random.Random(15)
    return [ADDRESS + "".join(chance.choice(READABLE) for _place in range(12)) for _label in range(count)]


def main() -> None:
    """Print, mar and read; write the table and the picture."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    readers = [(name, read) for name, read in READERS if name != "zbar" or marred.ZBAR]
    began = time.monotonic()
    rows: list[Row] = []
    codes: dict[str, Code] = {}
    for printer, dots_per_mm in PRINTERS:
        wanted = addresses(count)
        ours = [(one, marred.ours(one, SIDE, dots_per_mm)) for one in wanted]
        codes[printer] = ours[0][1][1]
        mine = [(one, printed) for one, (printed, _code) in ours]
        library = [(one, marred.in_library(one, SIDE, dots_per_mm)) for one in wanted]
        for way in WAYS:
            tell = partial(marred.right, way=way, readers=[read for _name, read in readers])
            rows.append(Row(printer, way, tell(mine), tell(library)))
            print(f"{printer}, {way}: ours {rows[-1].ours}, library {rows[-1].library} of {count}", flush=True)
    picture(mine[0][1], library[0][1])
    told = table(rows, codes, [name for name, _read in readers], count, time.monotonic() - began)
    (ROOT / "docs" / "bench-labels.md").write_text(told, encoding="utf-8")


def table(rows: list[Row], codes: dict[str, Code], readers: list[str], count: int, seconds: float) -> str:
    """docs/bench-labels.md."""
    lines = [
        "# What a label stands",
        "",
        f"Written by `python -m tests.bench.labels {count}` on {clock.today():%d/%m/%Y}: {platform.machine()}, "
        f"{seconds:.0f} s.",
        "",
        f"Unit labels' addresses ({len(addresses(1)[0])} characters) as codes whose dark square is at most",
        f"{SIDE:.0f} mm wide, printed in whole dots of a thermal printer, marred, and photographed with 12 pixels",
        "to a millimetre as by a phone (all of it computed, from a seed: `tests/support/marred.py`). Each number is",
        "the share read rightly.",
        "*Ours* is what `trace.labels.design.code_for` chooses: the strongest error correction whose modules still are",
        f"{LEAST_MODULE} mm, in whole dots. *Library* is `qrcode.make(address)` with its defaults, scaled to a dark",
        "square of the full 15 mm, as a picture in a document is. Both go through the very same chances.",
        "",
        *(
            f"- {printer}: ours is version {code.version}-{code.level}, {code.module} dots a module."
            for printer, code in codes.items()
        ),
        "",
        "| printer | after | " + " | ".join(f"{name}, ours | {name}, library" for name in readers) + " |",
        "| --- | --- | " + " | ".join("---: | ---:" for _name in readers) + " |",
    ]
    for row in rows:
        cells = [
            f"{_share(mine, count, mine >= theirs)} | {_share(theirs, count, False)}"
            for mine, theirs in zip(row.ours, row.library, strict=True)
        ]
        lines.append(f"| {row.printer} | {row.way} | " + " | ".join(cells) + " |")
    sums = [
        f"{sum(row.ours[at] for row in rows) / count / len(rows):.0%} | "
        f"{sum(row.library[at] for row in rows) / count / len(rows):.0%}"
        for at in range(len(readers))
    ]
    lines += ["| both | all of them | " + " | ".join(sums) + " |", ""]
    lines += [
        f"Of {count} labels each: a share near one half is known to ± {98 / count**0.5:.0f} points.",
        "",
        "Strong correction needs more and so smaller modules in the same 15 mm: that costs blurred photographs, and",
        "saves soiled and badly printed labels. On all papers but the smallest the village's codes have more room:",
        "they are 15.4 to 21 mm wide.",
        "",
        "![Ours above, the library's below, after each](bench-labels.png)",
        "",
    ]
    return "\n".join(lines)


def _share(number: int, count: int, bold: bool) -> str:
    told = f"{number / count:.0%}"
    return f"**{told}**" if bold else told


def picture(mine: Print, library: Print) -> None:
    """One label after each way, ours above the library's."""
    side = 230
    page = Image.new("L", (side * len(WAYS), 2 * side), 255)
    for row, printed in enumerate((mine, library)):
        for column, way in enumerate(WAYS):
            photo = marred.photographed(printed, way, 3)
            photo.thumbnail((side - 10, side - 10))
            page.paste(photo, (side * column + 5, side * row + 5))
    ImageDraw.Draw(page).line((0, side, page.width, side), fill=128)
    page.quantize(16).save(ROOT / "docs" / "bench-labels.png", optimize=True)


if __name__ == "__main__":
    main()
