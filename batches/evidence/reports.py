"""Laboratories' reports: taken in with their paper, on the ledger where they are about lots, watched to the end."""

import datetime as dt
from collections.abc import Sequence

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from batches.evidence.acts import act, batches_named, done_before, office_only
from batches.evidence.errors import no_room, too_big
from batches.evidence.fields import ReportFields
from batches.evidence.papers import paper
from batches.evidence.services import SPARE
from trace.events.models import Event, EventBatch
from trace.lots.holding import REPORT
from trace.lots.models import Batch
from trace.reports.models import LabReport
from trace.reports.services import papers
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.people.access import Actor
from village.places.models import Site
from village.products.models import Product
from village.revision import bump

SOON = dt.timedelta(days=60)
"""How long before its end a report asks for attention."""


def reports_of(who: Actor) -> list[LabReport]:
    """The cooperative's reports, those that end first on top; what a correction took back is left out."""
    rows = db.session.scalars(
        select(LabReport)
        .outerjoin(Event, Event.id == LabReport.event_id)
        .where(LabReport.cooperative_id == who.cooperative_id, Event.corrected_by.is_(None))
        .options(
            joinedload(LabReport.event).selectinload(Event.parts).joinedload(EventBatch.batch),
            joinedload(LabReport.product),
            joinedload(LabReport.site),
        )
        .order_by(LabReport.expires_on.is_(None), LabReport.expires_on, LabReport.issued_on.desc(), LabReport.id)
    )
    return list(rows)


def ending_count(session: Session, cooperative_id: str) -> int:
    """How many of a cooperative's reports have ended, or end within `SOON`."""
    return (
        session.scalar(
            select(func.count())
            .select_from(LabReport)
            .outerjoin(Event, Event.id == LabReport.event_id)
            .where(
                LabReport.cooperative_id == cooperative_id,
                LabReport.expires_on <= clock.today() + SOON,
                Event.corrected_by.is_(None),
            )
        )
        or 0
    )


def add_report(who: Actor, fields: ReportFields, data: bytes, report_id: str) -> None:
    """Take a report in with its paper. Sent twice, done once.

    About lots it goes on the ledger, with the paper's hash; one that failed holds them and all that came of them.
    """
    office_only(who)
    most = current_app.extensions["soi"].max_photo
    if not data:
        raise BadInput("no-file", _l("Bác chọn tệp PDF hoặc ảnh chụp tờ phiếu."), field="paper")
    if len(data) > most:
        raise too_big(most, "paper")
    mime, body = paper(data, "paper")
    if papers().room() - len(body) < SPARE:
        raise no_room()
    sha256 = papers().put(body)
    try:
        _add(who, fields, report_id, sha256, mime)
    except BaseException:
        _drop_unless_used(sha256)
        raise


def _add(who: Actor, fields: ReportFields, report_id: str, sha256: str, mime: str) -> None:
    with write(ledger=True) as session:
        if done_before(session, report_id, "report_id") or session.get(LabReport, report_id) is not None:
            return
        report = LabReport(
            id=report_id, cooperative_id=who.cooperative_id, laboratory=fields.laboratory, number=fields.number,
            issued_on=fields.issued_on, expires_on=fields.expires_on, passed=fields.passed,
            parameters=fields.parameters, sha256=sha256, mime=mime, public=fields.public,
        )  # fmt: skip
        if fields.lots:
            batches = batches_named(session, who, fields.lots, "lot")
            _refuse_mixed(batches)
            act(session, who, REPORT, report_id, batches, passed=fields.passed, facts=_facts(fields, sha256))
            report.event_id = report_id
        elif fields.product_id:
            report.product_id = _own(who, session.get(Product, fields.product_id), "product")
        else:
            report.site_id = _own(who, session.get(Site, fields.site_id), "site")
        session.add(report)
        bump(session)


def report_of(who: Actor, report_id: str) -> LabReport:
    """One report of the asker's cooperative; NotFound for any other."""
    report = db.session.get(LabReport, report_id)
    if report is None or report.cooperative_id != who.cooperative_id:
        raise _no_report()
    return report


def remove_report(who: Actor, report_id: str) -> None:
    """Take off a report on a product or a place. One on lots stands on the ledger, and is corrected there."""
    office_only(who)
    with write() as session:
        report = session.get(LabReport, report_id)
        if report is None or report.cooperative_id != who.cooperative_id:
            raise _no_report()
        if report.event_id is not None:
            raise Conflict("on-the-ledger", _l("Phiếu này đã nằm trong sổ. Ghi nhầm thì bác khai lại ở bước ấy."))
        session.delete(report)
        bump(session)
    _drop_unless_used(report.sha256)


def _drop_unless_used(sha256: str) -> None:
    if db.session.scalar(select(LabReport.id).where(LabReport.sha256 == sha256).limit(1)) is None:
        papers().remove(sha256)


def new_id() -> str:
    """The id that a new report's form carries: its event's too, where it has one."""
    return uuid7()


def _facts(fields: ReportFields, sha256: str) -> dict[str, str]:
    told = {
        "certificate": sha256, "laboratory": fields.laboratory, "number": fields.number,
        "issued": fields.issued_on.isoformat(),
    }  # fmt: skip
    return told | ({"expires": fields.expires_on.isoformat()} if fields.expires_on else {})


def _refuse_mixed(batches: Sequence[Batch]) -> None:
    if len({(batch.process, batch.household_id) for batch in batches}) > 1:
        raise BadInput(
            "mixed-lots",
            _l("Các lô này của nhiều hộ hoặc nhiều nghề. Mỗi hộ một lần ghi, cùng tờ phiếu ấy cũng được."),
            field="lot",
        )  # fmt: skip


def _own(who: Actor, row: Product | Site | None, field: str) -> str:
    if row is None or row.cooperative_id != who.cooperative_id:
        raise BadInput("not-a-choice", _l("Chỗ này chỉ chọn trong danh sách."), field=field)
    return row.id


def _no_report() -> NotFound:
    return NotFound("no-report", _l("Hợp tác xã không có phiếu này."))
