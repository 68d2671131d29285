"""What a sheet comes to: its rows in order, each with an id that only it can have, and the batches that it names.

A row's id is made of what the row says and of the events that made what it takes. So the same row, in whatever file and
however often it is sent, is the same event: what was recorded is found again, and nothing is recorded twice.
"""

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from batches.processes.models import Kind
from batches.sheets.lines import Fault, Line, Result, Source
from batches.stages.wanted import Measure

DOMAIN = "soi-sheet-row-1"


@dataclass(frozen=True)
class Origin:
    """Where a batch that a row takes comes from: which output of which row, or a batch that is there already."""

    row: int = 0
    place: int = 0
    batch: str = ""


@dataclass
class Planned:
    """A row, ready to be recorded."""

    line: Line
    id: str = ""
    origins: tuple[Origin, ...] = ()
    recorded: bool = False
    """True when it was recorded before."""


@dataclass
class Plan:
    """All rows in order, and what is wrong with any."""

    rows: list[Planned] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def row_id(cooperative: str, line: Line, makers: Sequence[str], nth: int) -> str:
    """A UUID (version 8) of what the row says, of what made its sources, and of how many such rows came before it.

    It begins with the row's own time, as a UUIDv7 does with its making: neighbours lie beside each other in an index.
    """
    said = [
        DOMAIN, cooperative, line.when.isoformat(), line.day_only, line.household, line.site, line.process, line.stage,
        [[maker, str(one.amount), one.unit] for maker, one in zip(makers, line.sources, strict=True)],
        [[one.product, str(one.amount), one.unit, one.lot] for one in line.results],
        sorted([one.type, str(one.value), one.unit] for one in line.readings),
        line.passed, sorted(line.facts.items()), line.value, line.note, line.event, nth,
    ]  # fmt: skip
    digest = hashlib.sha256(orjson.dumps(said)).digest()
    milliseconds = int(line.when.timestamp() * 1000)
    value = milliseconds << 80 | int.from_bytes(digest[:10])
    value = value & ~(0xF << 76) | 0x8 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def write(path: Path, rows: Iterable[Planned]) -> int:
    """Keep what is to be recorded, one row a line; how many. The file is there whole or not at all."""
    draft = path.with_suffix(".draft")
    count = 0
    with draft.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps(_told(row)) + b"\n")
            count += 1
    draft.replace(path)
    return count


def read(path: Path) -> Iterator[Planned]:
    """The rows that were kept."""
    with path.open("rb") as file:
        for text in file:
            yield _heard(orjson.loads(text))


def _told(row: Planned) -> list[Any]:
    line = row.line
    return [
        row.id,
        line.number,
        line.when.isoformat(),
        [line.household, line.site, line.process, line.stage, line.kind.value],
        [[s.name, str(s.amount) if s.amount is not None else None, s.unit] for s in line.sources],
        [[o.row, o.place, o.batch] for o in row.origins],
        [[r.product, str(r.amount), r.unit, r.lot] for r in line.results],
        [[m.type, str(m.value), m.unit] for m in line.readings],
        line.passed,
        dict(line.facts),
        line.value,
        line.note,
    ]


def _heard(told: list[Any]) -> Planned:
    row_id, number, when, names, sources, origins, results, readings, passed, facts, value, note = told
    household, site, process, stage, kind = names
    line = Line(
        number, dt.datetime.fromisoformat(when), False, household, site, process, stage, Kind(kind),
        tuple(Source(name, Decimal(amount) if amount is not None else None, unit) for name, amount, unit in sources),
        tuple(Result(product, Decimal(amount), unit, lot) for product, amount, unit, lot in results),
        tuple(Measure(type_, Decimal(reading), unit) for type_, reading, unit in readings),
        passed, facts, value, note,
    )  # fmt: skip
    return Planned(line, row_id, tuple(Origin(*one) for one in origins))


def at(row: Planned, when: dt.datetime) -> Planned:
    """The same row at another time of its day."""
    return replace(row, line=replace(row.line, when=when))
