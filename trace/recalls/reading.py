"""Reading recalls: who may see one, which lots stand in several, and what a scan page says of a lot."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from trace.lots.models import Batch
from trace.recalls.models import Recall, RecallLot, RecallStep, What
from village.db import db
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor

ENDS = (What.LIFTED, What.CLOSED)


def no_recall() -> NotFound:
    """For an id that no recall has, or one that does not concern the asker."""
    return NotFound("no-recall", _l("Không có đợt thu hồi nào như vậy."))


def lifted() -> ColumnElement[bool]:
    """True for recalls that were taken back."""
    return exists().where(RecallStep.recall_id == Recall.id, RecallStep.what == What.LIFTED)


def going_on() -> ColumnElement[bool]:
    """True for recalls that are no drill and have not ended."""
    ended = exists().where(RecallStep.recall_id == Recall.id, RecallStep.what.in_(ENDS))
    return Recall.drill.is_(False) & ~ended


def concerns(who: Actor) -> ColumnElement[bool]:
    """True for recalls that the asker's cooperative called, and for real ones that took in lots of its own."""
    own = select(RecallLot.recall_id).join(Batch, Batch.id == RecallLot.batch_id)
    own = own.where(Batch.cooperative_id == who.cooperative_id)
    return or_(Recall.cooperative_id == who.cooperative_id, Recall.drill.is_(False) & Recall.id.in_(own))


def mine(session: Session, who: Actor, recall_id: str, *, lock: bool = False) -> Recall:
    """A recall that the asker's own cooperative called; NotFound for others."""
    query = select(Recall).where(Recall.id == recall_id, Recall.cooperative_id == who.cooperative_id)
    query = query.options(selectinload(Recall.steps))
    if lock:
        query = query.with_for_update(of=Recall).execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise no_recall()
    return found


def one(who: Actor, recall_id: str) -> Recall:
    """A recall that concerns the asker; NotFound for others."""
    loaded = (
        selectinload(Recall.steps).options(joinedload(RecallStep.member), joinedload(RecallStep.batch)),
        joinedload(Recall.cooperative),
    )
    found = db.session.scalar(select(Recall).where(Recall.id == recall_id, concerns(who)).options(*loaded))
    if found is None:
        raise no_recall()
    return found


def all_of(who: Actor) -> Sequence[Recall]:
    """The recalls and drills that concern the asker, newest first."""
    query = select(Recall).where(concerns(who)).order_by(Recall.started_at.desc(), Recall.id.desc()).limit(200)
    return db.session.scalars(query.options(selectinload(Recall.steps), joinedload(Recall.cooperative))).all()


def lots_of(session: Session, recall_id: str) -> Sequence[RecallLot]:
    """Its lots: those that were named first, then packs, oldest first."""
    return session.scalars(
        select(RecallLot)
        .join(Batch, Batch.id == RecallLot.batch_id)
        .where(RecallLot.recall_id == recall_id)
        .options(joinedload(RecallLot.batch).options(joinedload(Batch.product), joinedload(Batch.household)))
        .order_by(RecallLot.chosen.desc(), (RecallLot.packed == 0), Batch.made_at, Batch.id)
    ).all()


def elsewhere(session: Session, recall_id: str) -> set[str]:
    """Ids of a recall's lots that another one, not lifted, took in as well."""
    its = select(RecallLot.batch_id).where(RecallLot.recall_id == recall_id)
    others = (
        select(RecallLot.batch_id)
        .join(Recall, Recall.id == RecallLot.recall_id)
        .where(Recall.id != recall_id, Recall.drill.is_(False), ~lifted(), RecallLot.batch_id.in_(its))
    )
    return set(session.scalars(others))


def of_lot(session: Session, batch: Batch) -> RecallLot | None:
    """The recall's row that stops this lot and stands on the ledger, for its scan page; None for a lot that none
    stops, without asking the database."""
    if batch.hold != "recalled":
        return None
    return session.scalars(
        select(RecallLot)
        .join(Recall, Recall.id == RecallLot.recall_id)
        .where(RecallLot.batch_id == batch.id, Recall.drill.is_(False), ~lifted(), RecallLot.entry_index.is_not(None))
        .order_by(Recall.started_at.desc())
        .limit(1)
    ).first()


def recall_count(session: Session, cooperative_id: str) -> int:
    """How many recalls of a cooperative go on."""
    query = select(func.count()).select_from(Recall).where(Recall.cooperative_id == cooperative_id, going_on())
    return session.scalar(query) or 0
