"""Making the file of a run: label after label, in parts that a printer takes and a memory holds."""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, repeat
from pathlib import Path
from typing import IO
from urllib.parse import quote

from trace.labels import escpos, fonts, pdf, raster
from trace.labels.design import Design, design
from trace.labels.papers import Paper
from trace.labels.symbol import symbol
from trace.labels.text import LabelText, serial_line

SAMPLE = "ABCDEFGHJKMN"
"""A serial number to draw a label with before there is one: as long as all of them, and as wide as most."""
SHEETS = 100
"""To a part: what lies in a printer's tray."""
LABELS = 2000
"""To a part of a roll."""


@dataclass(frozen=True)
class Order:
    """What is to be made. `label` is the lot's, without a serial."""

    label: LabelText
    paper: Paper
    form: str
    place: int
    count: int
    unit: bool

    @property
    def per_part(self) -> int:
        """Labels in one part's file."""
        return LABELS if self.paper.roll else SHEETS * self.paper.per_page

    @property
    def ending(self) -> str:
        """What kind of file comes of it: one, or several in a zip."""
        if self.form == "png":
            return "zip" if self.unit and self.count > 1 else "png"
        if self.place - 1 + self.count > self.per_part:
            return "zip"
        return "bin" if self.form == "escpos" else "pdf"


def unit_label(label: LabelText, serial: str) -> LabelText:
    """A lot's label made one pack's own."""
    return replace(label, serial=serial, address=f"{label.address}/21/{quote(serial, safe='')}")


def drawn(order: Order) -> Design:
    """The label as it will be on this paper."""
    label = unit_label(order.label, SAMPLE) if order.unit else order.label
    return design(label, order.paper, raster.measure if order.paper.roll else fonts.width)


def labels(order: Order, looks: Design, serials: Iterable[str]) -> Iterator[pdf.Label]:
    """Each label's code and its number in words."""
    version, level = looks.code.version, looks.code.level
    if not order.unit:
        yield from repeat((symbol(order.label.address, version, level), ""), order.count)
        return
    for serial in serials:
        yield symbol(unit_label(order.label, serial).address, version, level), serial_line(serial)


def make(target: Path, order: Order, serials: Iterable[str], step: Callable[[int], None]) -> None:
    """Write the run's file. `step` is called with the number of labels done, often; what it raises ends the work.

    Written beside its place and moved there when it is whole.
    """
    looks = drawn(order)
    found = _counted(labels(order, looks, serials), step)
    unfinished = target.with_suffix(".part")
    with unfinished.open("wb") as out:
        if order.ending != "zip":
            _part(out, order, looks, found, order.place)
        elif order.form == "png":
            _pictures(out, order, looks, found)
        else:
            _parts(out, order, looks, found)
    unfinished.replace(target)


def preview(order: Order) -> bytes:
    """The first page as it will print, as a PNG of its size; a unit label with a number that is none."""
    looks = drawn(order)
    (found,) = islice(labels(order, looks, [SAMPLE]), 1)
    image = raster.finished(raster.base(looks), looks, *found)
    shown = min(order.count, order.paper.per_page - order.place + 1)
    return raster.page_png([image] * shown, order.paper, order.place)


def _counted(found: Iterator[pdf.Label], step: Callable[[int], None]) -> Iterator[pdf.Label]:
    for number, one in enumerate(found):
        step(number)
        yield one


def _part(out: IO[bytes], order: Order, looks: Design, some: Iterable[pdf.Label], place: int) -> None:
    title = f"{order.label.name} · Lô {order.label.lot}"
    if order.form == "png":
        base = raster.base(looks)
        for one in islice(some, 1):
            out.write(raster.png(raster.finished(base, looks, *one), order.paper))
    elif order.form == "escpos":
        base = raster.base(looks)
        out.write(escpos.BEGIN)
        for one in some:
            out.write(escpos.picture(raster.finished(base, looks, *one)))
    elif order.paper.roll:
        pdf.roll(out, looks, order.paper, some, title, order.label.producer)
    else:
        pdf.sheets(out, looks, order.paper, some, place, title, order.label.producer)


def _parts(out: IO[bytes], order: Order, looks: Design, found: Iterator[pdf.Label]) -> None:
    ending = "bin" if order.form == "escpos" else "pdf"
    # A PDF is compressed as it is.
    method = zipfile.ZIP_DEFLATED if ending == "bin" else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", method) as packed:
        left, place, number = order.count, order.place, 1
        while left > 0:
            count = min(left, order.per_part - place + 1)
            body = io.BytesIO()
            _part(body, order, looks, islice(found, count), place)
            packed.writestr(f"tem-{number:03}.{ending}", body.getbuffer())
            left, place, number = left - count, 1, number + 1


def _pictures(out: IO[bytes], order: Order, looks: Design, found: Iterator[pdf.Label]) -> None:
    base = raster.base(looks)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for number, one in enumerate(found, start=1):
            packed.writestr(
                f"tem-{number:05}.png", raster.png(raster.finished(base, looks, *one), order.paper)
            )
