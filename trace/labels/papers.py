"""The papers that labels are printed on, read from papers.yaml: A4 sheets of labels, and thermal rolls."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

MM_PER_INCH = 25.4
A4 = (210.0, 297.0)
SHEET_DPI = 600
"""What office printers print at: positions on sheets are whole dots of it."""


@dataclass(frozen=True)
class Paper:
    """One kind of paper. Lengths in millimetres."""

    key: str
    width: float
    """Of one label."""
    height: float
    dots_per_mm: float
    across: int = 1
    down: int = 1
    left: float = 0.0
    """From the sheet's left edge to the first label."""
    top: float = 0.0
    gap_across: float = 0.0
    gap_down: float = 0.0
    cut: bool = False
    """True for plain paper, which gets marks to cut along."""
    short: bool = False
    """True when the words that the law wants have no room on it."""
    roll: int = 0
    """The roll's width; 0 for a sheet."""
    dpi: int = SHEET_DPI
    """As its makers call it: 203 is 8 dots a millimetre."""

    @property
    def per_page(self) -> int:
        """Labels on a sheet; one on a roll."""
        return self.across * self.down

    @property
    def wide(self) -> int:
        """A label's width in dots; on a roll whole bytes of dots, as the printer takes them."""
        dots = round(self.width * self.dots_per_mm)
        return dots // 8 * 8 if self.roll else dots

    @property
    def high(self) -> int:
        """A label's height in dots."""
        return round(self.height * self.dots_per_mm)

    def corners(self) -> Iterator[tuple[int, int]]:
        """Each label's upper left corner in dots from the sheet's, row by row from the top."""
        for row in range(self.down):
            for column in range(self.across):
                yield (
                    round((self.left + column * (self.width + self.gap_across)) * self.dots_per_mm),
                    round((self.top + row * (self.height + self.gap_down)) * self.dots_per_mm),
                )

    def dots(self, millimetres: float) -> float:
        """A length in dots."""
        return millimetres * self.dots_per_mm

    def points(self, dots: float) -> float:
        """A length in PDF's points, of which an inch has 72."""
        return dots / self.dots_per_mm * 72 / MM_PER_INCH


@cache
def papers() -> dict[str, Paper]:
    """All papers by key, in the order of the file."""
    read: dict[str, list[dict[str, Any]]] = yaml.safe_load(Path(__file__).with_name("papers.yaml").read_text())
    found = [*map(_sheet, read["sheets"]), *map(_roll, read["rolls"])]
    return {one.key: one for one in found}


PLAIN = "a4-60x40"
"""Plain A4: what everybody has."""


def _sheet(told: dict[str, Any]) -> Paper:
    return Paper(
        key=told["key"], width=told["label"][0], height=told["label"][1], dots_per_mm=SHEET_DPI / MM_PER_INCH,
        across=told["across"], down=told["down"], left=told["first"][0], top=told["first"][1],
        gap_across=told["gap"][0], gap_down=told["gap"][1], cut=told.get("cut", False),
        short=told.get("text") == "short",
    )  # fmt: skip


def _roll(told: dict[str, Any]) -> Paper:
    dots_per_mm = 8.0 if told["dpi"] == 203 else told["dpi"] / MM_PER_INCH
    return Paper(
        key=told["key"], width=told["print"][0], height=told["print"][1], dots_per_mm=dots_per_mm,
        roll=told["roll"], dpi=told["dpi"],
    )  # fmt: skip
