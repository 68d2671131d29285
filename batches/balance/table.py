"""The figures behind a picture as CSV, for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response

MARK = "\ufeff"
"""Without a byte order mark, spreadsheets read Vietnamese letters as something else."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(name: str, head: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> Response:
    """A CSV file called `name`. A text that a spreadsheet would take for a formula is given as the text it is."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(MARK + out.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _safe(cell: str | int | None) -> str | int:
    if isinstance(cell, str) and cell.startswith(FORMULA):
        return f"'{cell}"
    return "" if cell is None else cell
