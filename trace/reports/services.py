"""Reading laboratory reports: for scan pages, for whoever wants to see the paper."""

from collections.abc import Collection
from pathlib import Path

from flask import current_app
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, joinedload

from trace.events.models import Event, EventBatch
from trace.lots.services import listed
from trace.photos.store import Store
from trace.reports.models import LabReport
from village.db import db
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.people.models import Role

STORE = "soi.reports"


def papers() -> Store:
    """The instance's papers, by their hash."""
    found: Store = current_app.extensions[STORE]
    return found


def folder(instance: Path) -> Path:
    """Where the instance keeps them."""
    return instance / "reports"


def about(session: Session, batch_ids: Collection[str], product_id: str, sites: Collection[str]) -> list[LabReport]:
    """The standing reports on these lots, this product and these places, newest first."""
    these = EventBatch.batch_id.in_(listed(session, batch_ids))
    lots = exists().where(EventBatch.event_id == LabReport.event_id, these)
    rows = session.scalars(
        select(LabReport)
        .outerjoin(Event, Event.id == LabReport.event_id)
        .where(
            or_(lots, LabReport.product_id == product_id, LabReport.site_id.in_(listed(session, sites))),
            Event.corrected_by.is_(None),
        )
        .options(joinedload(LabReport.event), joinedload(LabReport.site))
        .order_by(LabReport.issued_on.desc(), LabReport.id)
    )
    return list(rows)


def paper_for(who: Actor | None, sha256: str) -> tuple[LabReport, bool]:
    """A report with this paper that the asker may read, and whether everybody may; NotFound otherwise."""
    rows = db.session.scalars(select(LabReport).where(LabReport.sha256 == sha256).options(joinedload(LabReport.event)))
    found = [one for one in rows if one.stands]
    everybody = next((one for one in found if one.public), None)
    mine = next((one for one in found if who and who.has(Role.OFFICE, Role.AUDITOR) and _ours(who, one)), None)
    report = everybody or mine
    if report is None or not papers().intact(sha256):
        raise NotFound("no-paper", _l("Không có tờ giấy nào ở địa chỉ này, hoặc giấy không bày ra cho mọi người."))
    return report, everybody is not None


def _ours(who: Actor, report: LabReport) -> bool:
    return report.cooperative_id == who.cooperative_id
