"""Where a lot began, as its page and its JSON tell it: whose harvests, and what was bought from outside."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from trace.events.models import Event
from trace.lots.models import Batch, Edge
from trace.lots.services import listed, reachable
from trace.lots.shares import Weighed, grouped, percents, shares_of
from trace.lots.weights import weight
from village.i18n import gettext as _
from village.i18n import number, percent
from village.places.models import Household

MOST = 8
"""More sources than this are summed up under one name."""


@dataclass(frozen=True)
class Origin:
    """One source of a lot, and its share in whole per cent; all of a lot's sum to 100."""

    name: str
    """A household where it agreed to be named, else where it lives; or the region it was bought from."""
    percent: int
    outside: bool

    @property
    def said(self) -> str:
        """The share in words: what is there is never said to be nothing."""
        return percent(Decimal(self.percent) / 100) if self.percent else _("dưới 1 %")


@dataclass(frozen=True)
class _Source:
    """What is told as one: a named household, the unnamed ones of one hamlet and cooperative, one outside region."""

    kind: str
    key: str

    @property
    def outside(self) -> bool:
        """True for what was bought."""
        return self.kind in ("outside", "starch")


def origins_of(
    lot: Batch, edges: Iterable[Edge], events: Mapping[str, Event], batches: Mapping[str, Batch]
) -> list[Origin]:
    """The sources of `lot`, the largest first. `batches` are the lot and all above it; each edge's event is there."""
    steps = [
        Weighed(edge.child_id, edge.parent_id, edge.grams * _weight(events.get(edge.event_id), batches[edge.parent_id]))
        for edge in edges
        if edge.child_id in batches and edge.parent_id in batches
    ]
    try:
        began = shares_of(lot.id, steps)
    except ValueError:
        # A lot that is its own ancestor: only raw SQL can write that, and nothing true can be said of it.
        return []
    sources = {batch_id: _source(batches[batch_id]) for batch_id in began}
    households: dict[_Source, dict[str, Household]] = {}
    for batch_id, source in sources.items():
        own = batches[batch_id].household
        households.setdefault(source, {})[own.id] = own
    shares = grouped(began, sources)
    return _told(_few(shares), households)


def read_origins(session: Session, lot: Batch) -> list[Origin]:
    """The same, read for one lot."""
    family = listed(session, {lot.id, *reachable(session, [lot.id], "up")})
    batches = session.scalars(
        select(Batch)
        .where(Batch.id.in_(family))
        .options(joinedload(Batch.household).options(joinedload(Household.hamlet), joinedload(Household.cooperative)))
    )
    edges = session.scalars(select(Edge).where(Edge.child_id.in_(family))).all()
    events = session.scalars(select(Event).where(Event.id.in_(listed(session, {edge.event_id for edge in edges}))))
    return origins_of(lot, edges, {one.id: one for one in events}, {one.id: one for one in batches})


def _weight(event: Event | None, parent: Batch) -> int:
    return weight(event.process, event.process_version, event.stage, parent.material) if event else 1


def _source(batch: Batch) -> _Source:
    if batch.outside is not None:
        return _Source("starch" if batch.material.endswith("starch") else "outside", batch.outside)
    own = batch.household
    return _Source("named", own.id) if own.named else _Source("unnamed", f"{own.hamlet_id} {own.cooperative_id}")


def _few(shares: Mapping[_Source, Fraction]) -> dict[_Source, Fraction]:
    """What comes from outside each by itself, and the largest of the village's; the rest of the village together."""
    kept, rest = dict[_Source, Fraction](), Fraction(0)
    own = 0
    for source, share in shares.items():
        if source.outside or own < MOST:
            kept[source] = share
            own += not source.outside
        else:
            rest += share
    if rest:
        kept[_Source("rest", "")] = rest
    return kept


def _told(shares: Mapping[_Source, Fraction], households: Mapping[_Source, Mapping[str, Household]]) -> list[Origin]:
    whole = percents(shares)
    return [
        Origin(_name(source, list(households.get(source, {}).values())), whole[source], source.outside)
        for source in shares
    ]


def _name(source: _Source, households: list[Household]) -> str:
    if source.kind == "starch":
        return _("Tinh bột mua ngoài, từ %(place)s", place=source.key)
    if source.kind == "outside":
        return _("Mua ngoài, từ %(place)s", place=source.key)
    if source.kind == "rest":
        return _("Các hộ khác trong làng")
    one = households[0]
    if source.kind == "named":
        return one.name
    # Imported late: the words of the scan page know these modules.
    from trace.scan.words import hamlet, who

    if len(households) == 1:
        return who(one)
    return _(
        "%(count)s hộ ở %(hamlet)s, %(cooperative)s",
        count=number(len(households)), hamlet=hamlet(one.hamlet.name), cooperative=one.cooperative.name,
    )  # fmt: skip
