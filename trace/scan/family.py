"""All that a scan page is made from: a lot, its ancestry, what happened to them, and the ledger's bytes for it.

Read in one snapshot and in a bounded number of queries, however long the story is.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from trace.capture.claims import Claim, claims_of
from trace.events.models import Event, EventBatch
from trace.ledger import merkle, store
from trace.ledger.canonical import parse
from trace.ledger.errors import LedgerError
from trace.ledger.merkle import NodeId
from trace.ledger.models import LedgerEntry, LedgerKey, LedgerLink, LedgerState
from trace.lots.models import Batch, Edge
from trace.lots.services import listed, reachable
from trace.photos.services import Shot, shots
from trace.recalls.models import RecallLot
from trace.recalls.reading import of_lot
from trace.reports.models import LabReport
from trace.reports.services import about
from trace.scan import journey
from trace.scan.way import Place
from trace.series.services import series_of
from village.certificates.models import SHOWN_KINDS, Certificate
from village.db import db, in_parts
from village.places.models import Household, Site

MAX_SIBLINGS = 6
"""How many other lots of the same parents are drawn beside this one."""


@dataclass(frozen=True)
class Stored:
    """An entry as it lies in the database: its bytes and the leaf hash kept beside them."""

    index: int
    leaf_hash: bytes
    body: bytes


@dataclass(frozen=True)
class Link:
    """A stored link: entry `index` is number `seq` in the chain of batch `batch` (its canonical id)."""

    batch: str
    seq: int
    index: int
    leaf_hash: bytes


@dataclass(frozen=True)
class Family:
    """One lot with everything behind it. `batches` are the lot and its ancestors, by id."""

    batch: Batch
    batches: dict[str, Batch]
    siblings: dict[str, Batch]
    siblings_in_all: int
    edges: list[Edge]
    """Every step of ancestry from one of `batches`, or to one."""
    events: list[Event]
    """Everything that touched any of `batches`, oldest first, corrected events included."""
    entries: dict[int, Stored] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    state: LedgerState | None = None
    nodes: dict[NodeId, bytes] = field(default_factory=dict)
    certificates: list[Certificate] = field(default_factory=list)
    series: dict[str, dict[int, bytes]] = field(default_factory=dict)
    """Bytes of sensors' series, by event and by the reading's place in it."""
    photos: Mapping[str, Shot] = field(default_factory=dict)
    """Every photo that one of `events` names, by its hash."""
    reports: list[LabReport] = field(default_factory=list)
    """What laboratories found of `batches`, of the product, and of the places where it was made."""
    hamlets: Mapping[str, Place] = field(default_factory=dict)
    """Hamlets whose position is known, by id."""
    claims: list[Claim] = field(default_factory=list)
    """What others claim of `batches`."""
    recall: RecallLot | None = None
    """What stops this lot; None while nothing does."""

    @property
    def epcs(self) -> tuple[str, ...]:
        """The canonical ids of `batches`."""
        return tuple(one.epc for one in self.batches.values())


@contextmanager
def snapshot() -> Iterator[Session]:
    """A session in which nothing moves: what was appended after it began is not seen, not even in part."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with Session(connection) as session:
            yield session


def find(session: Session, gtin: str, lot: str) -> Batch | None:
    """The lot that a label names."""
    return session.scalar(
        select(Batch)
        .where(Batch.gtin == gtin, Batch.lot == lot)
        .options(
            joinedload(Batch.product),
            joinedload(Batch.household).options(joinedload(Household.hamlet), joinedload(Household.cooperative)),
            joinedload(Batch.site).options(joinedload(Site.hamlet), joinedload(Site.cooperative)),
        )
    )


def load(session: Session, batch: Batch) -> Family:
    """Everything about `batch`, which `find` found in the same session."""
    ids = {batch.id} | reachable(session, [batch.id], "up")
    batches = _batches(session, ids)
    edges = list(
        session.scalars(
            select(Edge)
            .where(or_(Edge.parent_id.in_(listed(session, ids)), Edge.child_id.in_(listed(session, ids))))
            .order_by(Edge.child_id, Edge.parent_id, Edge.event_id)
        )
    )
    # What was made of this very lot is not part of its own story.
    aside = sorted({e.child_id for e in edges if e.parent_id != batch.id} - ids)
    siblings = _batches(session, set(aside[:MAX_SIBLINGS])) if aside else {}
    events = _events(session, ids)
    epcs = [one.epc for one in batches.values()]
    links = _links(session, epcs)
    state = session.get(LedgerState, 1)
    wanted = {link.index for link in links}
    wanted |= {index for e in events for index in (e.entry_index, e.correction_entry) if index is not None}
    entries = _entries(session, wanted)
    keys = key_entries(session, entries.values())
    entries |= _entries(session, keys - wanted)
    certificates = session.scalars(
        select(Certificate)
        .where(
            Certificate.cooperative_id == batch.cooperative_id,
            or_(Certificate.product_id.is_(None), Certificate.product_id == batch.product_id),
            Certificate.kind.in_(SHOWN_KINDS),
        )
        .order_by(Certificate.kind, Certificate.expires_on.desc(), Certificate.number)
    )
    return Family(
        batch=batch,
        batches=batches,
        siblings=siblings,
        siblings_in_all=len(aside),
        edges=edges,
        events=events,
        entries=entries,
        links=links,
        state=state,
        nodes=_nodes(session, state, wanted | keys),
        certificates=list(certificates),
        series=series_of(session, events),
        photos=shots(session, {sha256 for event in events for sha256 in event.photos}),
        reports=about(session, ids, batch.product_id, {event.site_id for event in events}),
        hamlets=journey.hamlets(session),
        claims=claims_of(session, epcs),
        recall=of_lot(session, batch),
    )


def ledger_of(session: Session, batch: Batch) -> tuple[list[Stored], tuple[str, ...]]:
    """The ledger's entries about `batch` and its ancestors, in the log's order, and those batches' canonical ids."""
    ids = {batch.id} | reachable(session, [batch.id], "up")
    epcs = list(session.scalars(select(Batch.epc).where(Batch.id.in_(listed(session, ids))).order_by(Batch.epc)))
    links = _links(session, epcs)
    entries = _entries(session, {link.index for link in links})
    return sorted(entries.values(), key=lambda one: one.index), tuple(epcs)


def key_entries(session: Session, entries: Iterable[Stored]) -> set[int]:
    """Where the keys that signed these entries begin and end, and those of the log itself."""
    devices = {key for one in entries if (key := _device_of(one)) is not None}
    rows = session.execute(
        select(LedgerKey.enrolled_entry, LedgerKey.ended_entry).where(
            or_(LedgerKey.role != "device", LedgerKey.key.in_(devices))
        )
    )
    return {index for row in rows for index in row if index is not None}


def _device_of(stored: Stored) -> str | None:
    """The phone's key that an entry says it was signed with; None for the custodian's, or bytes that are no entry."""
    if b'"device":' not in stored.body:
        return None
    try:
        key = parse(stored.body)["device"]["key"]
    except (LedgerError, KeyError, TypeError):
        return None
    return key if isinstance(key, str) else None


def _batches(session: Session, ids: set[str]) -> dict[str, Batch]:
    rows = session.scalars(
        select(Batch)
        .where(Batch.id.in_(listed(session, ids)))
        .options(
            joinedload(Batch.product),
            joinedload(Batch.household).options(joinedload(Household.hamlet), joinedload(Household.cooperative)),
        )
        .order_by(Batch.made_at, Batch.id)
    )
    return {one.id: one for one in rows}


def _events(session: Session, ids: set[str]) -> list[Event]:
    touched = select(EventBatch.event_id).where(EventBatch.batch_id.in_(listed(session, ids)))
    return list(
        session.scalars(
            select(Event)
            .where(Event.id.in_(touched))
            .order_by(Event.occurred_at, Event.entry_index)
            .options(
                selectinload(Event.parts).joinedload(EventBatch.batch).joinedload(Batch.product),
                joinedload(Event.site).joinedload(Site.hamlet),
                joinedload(Event.household).options(joinedload(Household.hamlet), joinedload(Household.cooperative)),
            )
        )
    )


def _links(session: Session, epcs: list[str]) -> list[Link]:
    table = LedgerLink.__table__
    rows = session.execute(
        select(table.c.batch, table.c.seq, table.c.entry_index, table.c.leaf_hash)
        .where(table.c.batch.in_(listed(session, epcs)))
        .order_by(table.c.batch, table.c.seq)
    )
    return [Link(*row) for row in rows]


def _entries(session: Session, indexes: set[int]) -> dict[int, Stored]:
    table = LedgerEntry.__table__
    found = {}
    for some in in_parts(sorted(indexes)):
        rows = session.execute(select(table.c.index, table.c.leaf_hash, table.c.body).where(table.c.index.in_(some)))
        found.update({index: Stored(index, bytes(leaf), bytes(body)) for index, leaf, body in rows})
    return found


def _nodes(session: Session, state: LedgerState | None, indexes: set[int]) -> dict[NodeId, bytes]:
    if state is None:
        return {}
    needed: set[NodeId] = set()
    for index in indexes:
        if index < state.size:
            needed |= merkle.nodes_needed(merkle.inclusion_plan(index, state.size))
    return store.nodes(session, frozenset(needed))
