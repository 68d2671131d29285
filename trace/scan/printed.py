"""The code of a page's own address, for the page on paper: one stroke of horizontal runs, as short as a path can be."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from trace.labels.qr import matrix


@dataclass(frozen=True)
class Code:
    """A QR code as SVG: a square of `size` modules with its quiet zone, and the path of its dark ones, which is to be
    stroked one module wide."""

    size: int
    path: str


@lru_cache(maxsize=256)
def print_code(address: str) -> Code:
    """The code for an absolute address."""
    modules = matrix(address)
    rows = []
    for y, row in enumerate(modules):
        drawn, at = "", 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                drawn += f"m{at} 0h{length}" if drawn else f"M{at} {y}.5h{length}"
            # From the row's edge to its first run, then from the end of one run to the next.
            at = 0 if dark else length
        rows.append(drawn)
    return Code(len(modules), "".join(rows))
