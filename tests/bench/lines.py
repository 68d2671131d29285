"""Figures of different kinds, as a table and as a picture of how far each is from its aim."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.bench.figures import AIM, INK, LEFT, OURS, QUIET, TOP
from village import clock


@dataclass(frozen=True)
class Line:
    """One line of the table. `aim` is what we want: at least, or with `most` at most."""

    what: str
    figure: float
    unit: str
    aim: float | None = None
    most: bool = False
    beside: str = ""
    """A limit or a peer in the same run."""

    @property
    def reached(self) -> bool:
        """True when there is no aim, or it is reached."""
        return self.aim is None or self.share >= 1

    @property
    def share(self) -> float:
        """How much of the aim is reached: 1 is all of it, more is better."""
        if self.aim is None or not self.figure:
            return 0.0
        return self.aim / self.figure if self.most else self.figure / self.aim

    @property
    def shown(self) -> str:
        """The figure with its unit."""
        return f"{_number(self.figure)} {self.unit}" if self.unit != "/s" else f"{_number(self.figure)}/s"


def _number(value: float) -> str:
    return f"{value:,.{0 if value >= 100 else 1}f}"


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}"


def lines_table(lines: Sequence[Line]) -> list[str]:
    """The lines as Markdown."""
    rows = []
    for line in lines:
        aim = "–" if line.aim is None else f"{'≤' if line.most else '≥'} {_number(line.aim)}"
        told = "–" if line.aim is None else "yes" if line.reached else "**no**"
        rows.append(f"| {line.what} | {line.shown} | {aim} | {told} | {line.beside} |")
    return ["| what | figure | aim | reached | beside it |", "| --- | ---: | ---: | --- | --- |", *rows]


def table(lines: Sequence[Line], seconds: float) -> str:
    """docs/bench-ledger.md."""
    return "\n".join(
        [
            "# How fast the ledger is",
            "",
            f"Written by `make bench` on {clock.today().isoformat()}: {_machine()}, SQLite in WAL mode with",
            "synchronous FULL. An append counts when its receipt can be given: entry, chains, tree, commitment and",
            f"signed checkpoint are on the disk. Writers had {seconds:.0f} s each; an entry of 1.3 KB touches two",
            "batches. The bare SQLite group commit puts the same weight into one table under the same lock; pymerkle",
            "keeps entry and leaf only, with as many threads in one process.",
            "",
            "![How much of each aim is reached](bench-ledger.svg)",
            "",
            *lines_table(lines),
            "",
        ]
    )


ROW, WIDTH, FULL = 34, 300, 3.0
"""Bars end at three times the aim."""
LABELS = LEFT + 170


def picture(lines: Sequence[Line]) -> str:
    """docs/bench-ledger.svg: a bar for each figure with an aim; the mark is the aim."""
    drawn = [line for line in lines if line.aim is not None]
    height = TOP + ROW * len(drawn) + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 {height}" font-family="system-ui, sans-serif" '
        f'role="img" aria-label="How much of each aim is reached">',
        f'<rect width="900" height="{height}" fill="#fffdf9"/>',
        f'<text x="16" y="30" font-size="18" font-weight="600" fill="{INK}">How much of each aim is reached</text>',
    ]
    mark = LABELS + WIDTH / FULL
    for number, line in enumerate(drawn):
        y = TOP + number * ROW
        bar = min(line.share, FULL) / FULL * WIDTH
        parts += [
            f'<text x="{LABELS - 10}" y="{y + 16}" font-size="13" text-anchor="end" fill="{INK}">'
            f"{escape(line.what)}</text>",
            f'<rect x="{LABELS}" y="{y + 2}" width="{bar:.1f}" height="20" rx="3" fill="{OURS}"/>',
            f'<text x="{LABELS + bar + 8:.1f}" y="{y + 16}" font-size="13" fill="{INK}">{escape(line.shown)}</text>',
            f'<path d="M{mark:.1f} {y - 2} V{y + 26}" stroke="{AIM}" stroke-width="3"/>',
        ]
    foot = f"Green marks: the aim; longer is better. {_machine()}, {clock.today().isoformat()}."
    parts += [f'<text x="16" y="{height - 14}" font-size="12" fill="{QUIET}">{escape(foot)}</text>', "</svg>"]
    return "\n".join(parts) + "\n"
