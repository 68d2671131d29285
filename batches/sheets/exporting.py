"""Handing out what was recorded, in the columns in which it could be sent in again; and the lots with what is left."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from batches.processes.catalogue import all_processes, process_of
from batches.sheets.columns import READING, columns
from batches.sheets.written_safely import CsvTable, Table, Value, Workbook
from batches.stages.findings import tell
from trace.events.models import Event, EventBatch
from trace.lots.models import Batch
from village import clock
from village.db import db
from village.i18n import gettext as _
from village.i18n import in_language
from village.jobs.work import Work
from village.people.access import Actor
from village.people.models import Role
from village.places.models import Household

What = Literal["stages", "lots"]
Form = Literal["csv", "xlsx"]
MANY = 500
WIDTHS = (10, 17, 18, 18, 18, 20, 34, 24, 12, 26)


@dataclass(frozen=True)
class Wish:
    """What is to be handed out. Days are the village's, both included; empty fields narrow nothing."""

    what: What
    form: Form
    first: str = ""
    last: str = ""
    household: str = ""
    process: str = ""

    @classmethod
    def from_args(cls, args: Mapping[str, Any]) -> Self:
        """As a job keeps it."""
        return cls(**args)

    def args(self) -> dict[str, str]:
        """For a job to keep."""
        return asdict(self)

    @property
    def span(self) -> tuple[dt.datetime | None, dt.datetime | None]:
        """From when, and until before when."""
        first = _midnight(self.first) if self.first else None
        last = _midnight(self.last) + dt.timedelta(days=1) if self.last else None
        return first, last


def _midnight(day: str) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), clock.VN)


def hand_out(work: Work, who: Actor, wish: Wish, path: Path) -> int:
    """Write the table to `path`; how many rows it has."""
    session = db.session()
    conditions = _stages(who, wish) if wish.what == "stages" else _lots(who, wish)
    model = Event if wish.what == "stages" else Batch
    total = session.scalar(select(func.count()).select_from(model).join(Household).where(*conditions)) or 0
    rows = _stage_rows(session, conditions) if wish.what == "stages" else _lot_rows(session, conditions)
    headings = [one.heading for one in columns()] if wish.what == "stages" else _lot_headings()
    draft = path.with_suffix(".draft")
    count = 0
    try:
        if wish.form == "csv":
            with CsvTable(draft) as table:
                count = _fill(table, headings, rows, work, total)
        else:
            book = Workbook(draft)
            name = _("Ghi chép") if wish.what == "stages" else _("Lô hàng")
            with book.sheet(name, [*WIDTHS, *([14] * (len(headings) - len(WIDTHS)))]) as table:
                count = _fill(table, headings, rows, work, total)
            book.close()
    finally:
        db.session.remove()
    draft.replace(path)
    return count


def _fill(table: Table, headings: Sequence[str], rows: Iterator[list[Value]], work: Work, total: int) -> int:
    table.row(headings)
    count = 0
    for row in rows:
        table.row(row)
        count += 1
        if count % 200 == 0:
            work.progress(count, total)
    return count


def _mine(who: Actor, household: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Household.cooperative_id == who.cooperative_id]
    if not who.has(Role.OFFICE):
        found.append(Household.id == (who.household_id or ""))
    if household:
        found.append(Household.id == household)
    return found


def _stages(who: Actor, wish: Wish) -> list[ColumnElement[bool]]:
    first, last = wish.span
    found = [*_mine(who, wish.household), Event.corrected_by.is_(None)]
    found += [Event.occurred_at >= first] if first else []
    found += [Event.occurred_at < last] if last else []
    return [*found, Event.process == wish.process] if wish.process else found


def _lots(who: Actor, wish: Wish) -> list[ColumnElement[bool]]:
    first, last = wish.span
    found = [*_mine(who, wish.household), Batch.void.is_(False)]
    found += [Batch.made_at >= first] if first else []
    found += [Batch.made_at < last] if last else []
    return [*found, Batch.process == wish.process] if wish.process else found


def _stage_rows(session: Session, conditions: list[ColumnElement[bool]]) -> Iterator[list[Value]]:
    """A few hundred events at a time, in the ledger's order."""
    after = -1
    while True:
        events = session.scalars(
            select(Event)
            .join(Household)
            .where(*conditions, Event.entry_index > after)
            .order_by(Event.entry_index)
            .limit(MANY)
            .options(joinedload(Event.household), joinedload(Event.site))
        ).all()
        if not events:
            return
        after = events[-1].entry_index
        parts: dict[str, list[EventBatch]] = {}
        for part in session.scalars(
            select(EventBatch)
            .where(EventBatch.event_id.in_([event.id for event in events]))
            .order_by(EventBatch.event_id, EventBatch.part, EventBatch.position)
            .options(joinedload(EventBatch.batch).joinedload(Batch.product))
        ):
            parts.setdefault(part.event_id, []).append(part)
        for event in events:
            yield _stage_row(event, parts.get(event.id, []))
        session.expunge_all()


def _stage_row(event: Event, parts: list[EventBatch]) -> list[Value]:
    process = process_of(event.process, event.process_version)
    stage = next((one for one in process.stages if one.key == event.stage), None)
    outputs = [part for part in parts if part.part == "output"]
    readings = {str(one["type"]): Decimal(str(one["value"])) for one in event.readings}
    reason = event.facts.get("reason", "")
    named = next((one.name.vi for one in stage.reasons if one.key == reason), reason) if stage else reason
    values: dict[str, Value] = {
        "when": event.occurred_at.astimezone(clock.VN),
        "household": event.household.name,
        "site": event.site.gln,
        "process": process.name.vi,
        "stage": stage.name.vi if stage and stage.key in _stage_keys(process.key) else event.stage,
        "takes": "; ".join(_taken(part) for part in parts if part.part != "output"),
        "product": "; ".join(part.batch.product.gtin for part in outputs),
        "amount": _amounts(outputs),
        "lot": "; ".join(part.batch.lot for part in outputs),
        "passed": None if event.passed is None else _("đạt") if event.passed else _("không đạt"),
        "reason": named,
        "origin": event.facts.get("origin", ""),
        "value": event.value_dong,
        "note": event.note,
        "event": event.id,
        "entry": event.entry_index,
        "doubts": " ".join(tell(process, one["slug"], one["params"]) for one in event.warnings),
    }
    values |= {READING + type_: value for type_, value in readings.items()}
    return [values.get(one.key) for one in columns()]


def _stage_keys(process: str) -> set[str]:
    return {stage.key for stage in all_processes()[process].stages} if process in all_processes() else set()


def _taken(part: EventBatch) -> str:
    if part.part == "about":
        return part.batch.lot
    return f"{part.batch.lot} {_plain(part)}"


def _plain(part: EventBatch) -> str:
    if part.units is not None:
        return _("%(count)s gói", count=part.units)
    return f"{_kilograms(part.grams or 0):f} kg".replace(".", ",")


def _amounts(outputs: list[EventBatch]) -> Value:
    if not outputs:
        return None
    if len(outputs) > 1:
        return "; ".join(_plain(part) for part in outputs)
    (one,) = outputs
    return one.units if one.units is not None else _kilograms(one.grams or 0)


def _kilograms(grams: int) -> Decimal:
    return Decimal(grams) / 1000


def _lot_headings() -> list[str]:
    return [
        _("Mã lô"), "GTIN", _("Sản phẩm"), _("Hộ"), _("Quy trình"), _("Ngày làm"), _("Làm ra kg"), _("Làm ra gói"),
        _("Còn kg"), _("Còn gói"), _("Hạn dùng"), _("Tạm giữ"), _("Mua từ"),
    ]  # fmt: skip


def _lot_rows(session: Session, conditions: list[ColumnElement[bool]]) -> Iterator[list[Value]]:
    after = ""
    holds = {"none": "", "held": _("tạm giữ"), "recalled": _("thu hồi")}
    while True:
        batches = session.scalars(
            select(Batch)
            .join(Household)
            .where(*conditions, Batch.id > after)
            .order_by(Batch.id)
            .limit(MANY)
            .options(joinedload(Batch.product), joinedload(Batch.household))
        ).all()
        if not batches:
            return
        after = batches[-1].id
        for one in batches:
            process = all_processes().get(one.process)
            yield [
                one.lot, one.gtin, in_language(one.product.name_vi, one.product.name_en), one.household.name,
                process.name.vi if process else one.process, one.made_at.astimezone(clock.VN),
                _kilograms(one.made_grams), one.made_units, _kilograms(one.left_grams), one.left_units,
                one.best_before.strftime("%d/%m/%Y") if one.best_before else None, holds[one.hold], one.outside,
            ]  # fmt: skip
        session.expunge_all()
