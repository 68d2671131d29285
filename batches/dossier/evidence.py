"""All that there is of one product in one period, read for its dossier."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from batches.balance import services as balances
from batches.balance.services import Village
from batches.balance.spans import Span
from batches.dossier.models import CertificatePaper
from trace.events.models import Event, EventBatch
from trace.lots.models import Batch
from trace.lots.services import listed, reachable
from trace.photos.models import Photo, PhotoUse
from trace.reports.models import LabReport
from trace.reports.services import about
from village import clock
from village.certificates.models import Certificate
from village.people.access import Actor
from village.places.models import Household, Site
from village.products.models import Product

MOST_LOTS, MOST_INSPECTIONS, MOST_PHOTOS, MOST_PAPERS = 200, 2000, 60, 100
"""How much of each goes into one dossier: the newest."""


@dataclass(frozen=True)
class Evidence:
    """What was found. `lots` are those made in the period that were not declared wrong, oldest first."""

    product: Product
    span: Span
    certificates: list[tuple[Certificate, CertificatePaper | None]]
    lots: list[Batch]
    lots_in_all: int
    void: int
    """Lots of the period that a correction took back: no evidence of anything, but said."""
    reports: list[LabReport]
    inspections: list[Event]
    photos: list[tuple[Photo, Event]]
    photos_in_all: int
    balance: Village

    def of_kind(self, kind: str) -> list[tuple[Certificate, CertificatePaper | None]]:
        """Certificates of a kind, the newest first."""
        return [one for one in self.certificates if one[0].kind == kind]

    @property
    def labelled(self) -> Batch | None:
        """The newest lot whose label may be shown as a sample."""
        return next((one for one in reversed(self.lots) if one.best_before and one.hold != "recalled"), None)


def gather(session: Session, who: Actor, product: Product, span: Span) -> Evidence:
    """Read it all: a bounded number of queries, each for a bounded number of rows."""
    mine = (Batch.product_id == product.id, Batch.made_at >= span.begin, Batch.made_at < span.stop)
    lots = list(
        session.scalars(
            select(Batch)
            .where(*mine, Batch.void.is_(False))
            .order_by(Batch.made_at.desc(), Batch.id.desc())
            .limit(MOST_LOTS)
            .options(
                joinedload(Batch.product),
                joinedload(Batch.household).options(joinedload(Household.hamlet), joinedload(Household.cooperative)),
                joinedload(Batch.site).joinedload(Site.hamlet),
            )
        )
    )[::-1]
    counts = {void: count for void, count in session.execute(
        select(Batch.void, func.count()).where(*mine).group_by(Batch.void)
    )}  # fmt: skip
    own = {lot.id for lot in lots}
    family = own | reachable(session, own, "up") if own else set()
    photos = _photos(session, family)
    return Evidence(
        product=product,
        span=span,
        certificates=_certificates(session, product, span),
        lots=lots,
        lots_in_all=counts.get(False, 0),
        void=counts.get(True, 0),
        reports=about(session, family, product.id, _sites(session, family))[:MOST_PAPERS],
        inspections=list(_inspections(session, family)),
        photos=photos[:MOST_PHOTOS],
        photos_in_all=len(photos),
        balance=balances.of_village(who, span, product.process),
    )


def _certificates(
    session: Session, product: Product, span: Span
) -> list[tuple[Certificate, CertificatePaper | None]]:
    """What held on some day of the period, or holds today."""
    rows = session.execute(
        select(Certificate, CertificatePaper)
        .outerjoin(CertificatePaper, CertificatePaper.certificate_id == Certificate.id)
        .where(
            Certificate.cooperative_id == product.cooperative_id,
            or_(Certificate.product_id.is_(None), Certificate.product_id == product.id),
            Certificate.issued_on <= max(span.last, clock.today()),
            Certificate.expires_on >= span.first,
        )
        .order_by(Certificate.issued_on.desc(), Certificate.id)
        .limit(MOST_PAPERS)
    )
    return [(certificate, paper) for certificate, paper in rows]


def _sites(session: Session, family: set[str]) -> set[str]:
    touched = select(EventBatch.event_id).where(EventBatch.batch_id.in_(listed(session, family)))
    return set(session.scalars(select(Event.site_id).where(Event.id.in_(touched), Event.corrected_by.is_(None))))


def _inspections(session: Session, family: set[str]) -> Iterator[Event]:
    looked_at = select(EventBatch.event_id).where(
        EventBatch.batch_id.in_(listed(session, family)), EventBatch.part == "about"
    )
    rows = session.scalars(
        select(Event)
        .where(Event.id.in_(looked_at), Event.kind == "inspect", Event.corrected_by.is_(None))
        .order_by(Event.occurred_at.desc(), Event.entry_index.desc())
        .limit(MOST_INSPECTIONS)
        .options(
            selectinload(Event.parts).joinedload(EventBatch.batch).joinedload(Batch.product),
            joinedload(Event.household).options(joinedload(Household.hamlet), joinedload(Household.cooperative)),
        )
    )
    return reversed(rows.all())


def _photos(session: Session, family: set[str]) -> list[tuple[Photo, Event]]:
    """Photos that everybody may see, since a standing event of this family names them; each once, the newest first."""
    touched = select(EventBatch.event_id).where(EventBatch.batch_id.in_(listed(session, family)))
    rows = session.execute(
        select(Photo, Event)
        .join(PhotoUse, PhotoUse.sha256 == Photo.sha256)
        .join(Event, Event.id == PhotoUse.event_id)
        .where(Event.id.in_(touched), Event.corrected_by.is_(None), Photo.state == "kept")
        .order_by(Event.occurred_at.desc(), Photo.sha256)
        .limit(MOST_PHOTOS * 20)
    )
    found: dict[str, tuple[Photo, Event]] = {}
    for photo, event in rows:
        found.setdefault(photo.sha256, (photo, event))
    return list(found.values())
