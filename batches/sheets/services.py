"""Taking a sheet in, looking it over, and recording it: who may, and in which state."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session, joinedload

from batches.sheets import files
from batches.sheets.columns import READING, column
from batches.sheets.lines import Fault
from batches.sheets.models import Sheet, SheetFault, SheetState
from batches.sheets.written_safely import defused
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.jobs.models import Job
from village.jobs.services import ask
from village.people.access import Actor
from village.people.models import Role
from village.text import clean_line

CHECK, WRITE, EXPORT = "sheets.check", "sheets.write", "sheets.export"
PAGE = 50
"""Faults on a page."""
SHOWN = 20
MANY = 1000
WRITABLE = (SheetState.READY, SheetState.PARTLY, SheetState.WRITING)


@dataclass(frozen=True)
class Standing:
    """A sheet with its job."""

    sheet: Sheet
    job: Job

    @property
    def going(self) -> bool:
        """True while the job is at it."""
        return self.job.going

    @property
    def writable(self) -> bool:
        """True when its rows may be recorded now, for the first time or the rest of them."""
        return self.sheet.state is SheetState.READY or (not self.going and self.sheet.state in WRITABLE)


def take_in(who: Actor, name: str, stream: IO[bytes]) -> Sheet:
    """Keep a sheet that is sent, and have it looked over."""
    sheet_id = uuid7()
    try:
        name = clean_line(name.replace("\\", "/").rpartition("/")[2], "file", 200)
    except BadInput:
        name = _("bảng tính")
    kept = files.keep(stream, sheet_id)
    if not kept.size:
        files.sent(sheet_id).unlink(missing_ok=True)
        raise BadInput("no-file", _l("Bác chọn giúp tệp bảng tính."), field="file")
    with write() as session:
        job = ask(session, CHECK, who, {"sheet": sheet_id})
        sheet = Sheet(
            id=sheet_id, cooperative_id=who.cooperative_id, member_id=who.id, name=name, digest=kept.digest,
            size=kept.size, state=SheetState.CHECKING, job_id=job.id, summary={},
        )  # fmt: skip
        session.add(sheet)
        session.flush()
    return sheet


def standing(who: Actor, sheet_id: str) -> Standing:
    """The sheet, if this member sent it or is of the office of its cooperative; else NotFound."""
    sheet = db.session.get(Sheet, sheet_id, populate_existing=True)
    if sheet is None or not _may_see(who, sheet):
        raise NotFound("no-sheet", _l("Không có bảng nào mang mã này."), sheet=sheet_id)
    job = db.session.get(Job, sheet.job_id, populate_existing=True)
    if job is None:
        raise NotFound("no-sheet", _l("Bảng này cũ quá, đã dọn đi rồi."), sheet=sheet_id)
    return Standing(sheet, job)


def _may_see(who: Actor, sheet: Sheet) -> bool:
    office = who.has(Role.OFFICE) and sheet.cooperative_id == who.cooperative_id
    return office or (sheet.member_id == who.id and who.has(Role.PRODUCER))


def start_writing(who: Actor, sheet_id: str) -> Sheet:
    """Have the sheet's rows recorded. Asked twice at once, it is done once."""
    found = standing(who, sheet_id)
    if found.going and found.sheet.state is SheetState.WRITING:
        return found.sheet
    if not found.writable:
        raise Conflict("sheet-not-ready", _l("Bảng này chưa ghi được. Bác xem lại những chỗ cần sửa."))
    if not files.plan(sheet_id).exists():
        raise Conflict("sheet-gone", _l("Tệp này cũ quá, đã dọn đi rồi. Bác gửi lại nhé."))
    with write() as session:
        job = ask(session, WRITE, who, {"sheet": sheet_id}, total=int(found.sheet.summary.get("rows", 0)))
        moved = session.execute(
            update(Sheet)
            .where(Sheet.id == sheet_id, Sheet.state.in_(WRITABLE), Sheet.job_id == found.job.id)
            .values(state=SheetState.WRITING, job_id=job.id)
            .execution_options(synchronize_session=False)
            .returning(Sheet.id)
        ).all()
        if not moved:
            raise Conflict("sheet-not-ready", _l("Có người vừa bấm ghi bảng này rồi."))
    return found.sheet


def latest(who: Actor) -> Sequence[Sheet]:
    """The newest sheets that this member may see."""
    query = select(Sheet).where(Sheet.cooperative_id == who.cooperative_id)
    if not who.has(Role.OFFICE):
        query = query.where(Sheet.member_id == who.id)
    query = query.order_by(Sheet.made_at.desc(), Sheet.id.desc()).limit(SHOWN).options(joinedload(Sheet.member))
    return db.session.scalars(query).all()


def keep_faults(session: Session, sheet_id: str, faults: Sequence[Fault]) -> None:
    """What is wrong with a sheet, instead of what was wrong before. In the caller's transaction."""
    session.execute(
        delete(SheetFault).where(SheetFault.sheet_id == sheet_id).execution_options(synchronize_session=False)
    )
    ordered = sorted(faults, key=lambda fault: fault.line)
    for start in range(0, len(ordered), MANY):
        session.connection().execute(
            insert(SheetFault),
            [
                {
                    "sheet_id": sheet_id, "number": start + number, "line": fault.line,
                    "column": _heading(fault.column), "value": fault.value[:200], "reason": fault.reason[:600],
                }
                for number, fault in enumerate(ordered[start : start + MANY])
            ],
        )  # fmt: skip


def _heading(key: str) -> str:
    if not key:
        return ""
    return _("Số đo") if key == READING else column(key).heading


def faults_page(sheet_id: str, page: int) -> tuple[list[SheetFault], int]:
    """One page of what is wrong, and how many pages there are."""
    count = db.session.scalar(select(func.count()).where(SheetFault.sheet_id == sheet_id)) or 0
    rows = db.session.scalars(
        select(SheetFault)
        .where(SheetFault.sheet_id == sheet_id, SheetFault.number >= (page - 1) * PAGE)
        .order_by(SheetFault.number)
        .limit(PAGE)
    )
    return list(rows), (count + PAGE - 1) // PAGE


def faults_csv(sheet_id: str) -> Iterator[bytes]:
    """All of what is wrong, as a table for the sheet's sender."""
    yield b"\xef\xbb\xbf"
    yield _row([_("dòng"), _("cột"), _("giá trị"), _("lỗi")])
    at = 0
    while True:
        rows = db.session.execute(
            select(SheetFault.line, SheetFault.column, SheetFault.value, SheetFault.reason)
            .where(SheetFault.sheet_id == sheet_id, SheetFault.number >= at)
            .order_by(SheetFault.number)
            .limit(MANY)
        ).all()
        for row in rows:
            yield _row([str(row.line), row.column, row.value, row.reason])
        if len(rows) < MANY:
            return
        at += MANY


def _row(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow([defused(cell) for cell in cells])
    return text.getvalue().encode()
