"""The three kinds of job: looking a sheet over, recording it, handing one out."""

from typing import Any

from flask import url_for
from sqlalchemy import update

from batches.sheets import files, plan
from batches.sheets.exporting import Wish, hand_out
from batches.sheets.limits import Unreadable
from batches.sheets.lines import Fault, Line, Reader
from batches.sheets.models import Sheet, SheetState
from batches.sheets.names import Names
from batches.sheets.planning import plan as plan_of
from batches.sheets.recording import Recording
from batches.sheets.rehearsal import Rehearsal, Totals
from batches.sheets.services import CHECK, EXPORT, WRITE, keep_faults
from batches.sheets.table import Table, read
from village.db import db, write
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.i18n import number
from village.jobs.kinds import kind
from village.jobs.models import Job
from village.jobs.work import Cancelled, Work
from village.people.access import Actor

MOST_FAULTS = 100_000


def _where(job: Job) -> str:
    return url_for("sheets.one", sheet_id=job.args["sheet"])


@kind(CHECK, name=_l("Xem lại bảng tính"), long=True, where=_where)
def check(work: Work) -> dict[str, Any]:
    """Read the sheet and go through all its rows. Nothing is recorded. Done again, it comes to the same."""
    sheet_id = work.args["sheet"]
    assert work.who is not None
    work.progress(0, 0, _("Đang đọc tệp…"), now=True)
    try:
        table = read(files.sent(sheet_id), work.go_on)
        if not table.rows:
            raise Unreadable("sheet-empty", _l("Trong bảng không có dòng nào để ghi."))
    except FileNotFoundError:
        _stand(sheet_id, SheetState.UNREADABLE, {"why": _("Tệp này cũ quá, đã dọn đi rồi. Bác gửi lại nhé.")})
        return {"sheet": sheet_id}
    except Unreadable as error:
        _stand(sheet_id, SheetState.UNREADABLE, {"why": str(error)})
        return {"sheet": sheet_id}
    try:
        rows, faults, totals = _look_over(work, work.who, table)
    finally:
        db.session.remove()
    summary = {**totals.told(), "notes": table.notes, "faults": len(faults)}
    files.plan(sheet_id).unlink(missing_ok=True)
    if not faults:
        plan.write(files.plan(sheet_id), rows)
    state = SheetState.FAULTY if faults else SheetState.READY if totals.rows else SheetState.WRITTEN
    work.progress(1, 1, _("Sắp xong…"), now=True)
    _stand(sheet_id, state, summary, faults[:MOST_FAULTS])
    return {"sheet": sheet_id}


def _look_over(work: Work, who: Actor, table: Table) -> tuple[list[plan.Planned], list[Fault], Totals]:
    session, count = db.session(), len(table.rows)
    reader = Reader(Names(session, who), table.style)
    lines: list[Line] = []
    faults: list[Fault] = []
    unread = set[str]()
    left_out = 0
    for at, raw in enumerate(table.rows):
        line, wrong = reader.line(raw, table.merged.get(raw.number))
        faults += wrong
        if line is not None:
            lines.append(line)
        elif wrong:
            unread.update(str(name).strip() for name in (raw.cells.get("ref"), raw.cells.get("lot")) if name)
        else:
            left_out += 1
        if at % 500 == 0:
            said = _("Đang đọc: %(done)s trên %(total)s dòng", done=number(at), total=number(count))
            work.progress(at, 2 * count, said)
    if left_out:
        said = _("Bỏ qua %(count)s dòng: đóng mở thùng, tạm giữ và kiểm nghiệm thì ghi ở trang riêng.", count=left_out)
        table.notes.append(said)
    table.rows = []
    planned = plan_of(session, who, lines, unread, work.go_on)
    del lines
    rehearsal = Rehearsal(session, who, planned)

    def step(at: int) -> None:
        said = _("Đang xem lại: %(done)s trên %(total)s dòng", done=number(at), total=number(count))
        work.progress(count + at, 2 * count, said)

    rows = rehearsal.run(step)
    return rows, faults + planned.faults, rehearsal.totals


@kind(WRITE, name=_l("Ghi bảng tính vào sổ"), long=True, where=_where)
def record(work: Work) -> dict[str, Any]:
    """Record the sheet's rows. Begun again, it goes on where it was."""
    sheet_id = work.args["sheet"]
    assert work.who is not None
    recording = Recording(work.who, work)
    known = _known(sheet_id)
    try:
        outcome = recording.run(plan.read(files.plan(sheet_id)))
    except Cancelled:
        _stand(sheet_id, SheetState.PARTLY, {"written": recording.outcome.written + recording.outcome.known - known})
        raise
    state = SheetState.PARTLY if outcome.faults else SheetState.WRITTEN
    written = outcome.written + outcome.known - known
    _stand(sheet_id, state, {"written": written, "faults": len(outcome.faults)}, outcome.faults)
    return {"sheet": sheet_id, "written": written, "refused": len(outcome.faults)}


def _known(sheet_id: str) -> int:
    """How many of its rows had been recorded when it was looked over."""
    sheet = db.session.get_one(Sheet, sheet_id)
    known = int(sheet.summary.get("known", 0))
    db.session.remove()
    return known


@kind(EXPORT, name=_l("Lấy bảng tính ra"), long=True, where=lambda job: url_for("sheets.download", job_id=job.id))
def export(work: Work) -> dict[str, Any]:
    """Write a table of what was recorded."""
    assert work.who is not None
    wish = Wish.from_args(work.args)
    count = hand_out(work, work.who, wish, files.handed_out(work.job_id, wish.form))
    return {"rows": count}


def _stand(sheet_id: str, state: SheetState, summary: dict[str, Any], faults: list[Fault] | None = None) -> None:
    """How the sheet stands from here on; what its summary said of other things stays."""
    with write() as session:
        sheet = session.get(Sheet, sheet_id)
        if sheet is None:
            return
        merged = {**sheet.summary, **summary}
        session.execute(update(Sheet).where(Sheet.id == sheet_id).values(state=state, summary=merged))
        if faults is not None:
            keep_faults(session, sheet_id, faults)
