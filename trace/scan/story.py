"""A lot's story as the scan page tells it: the verdict, the knots of the strand, the facts that the law asks for."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from trace.events.models import Event
from trace.gs1.digital_link import DigitalLink
from trace.lots.models import Batch
from trace.lots.origins import Origin, origins_of
from trace.reports.models import LabReport
from trace.scan import words
from trace.scan.behind import Behind, lots_behind
from trace.scan.family import Family
from trace.scan.journey import Journey, journey_of
from trace.scan.knots import Knot, knots_of, picture
from trace.scan.proof import Verdict, prove
from village import clock
from village.certificates.models import Certificate

MOST_REPORTS = 12
MOST_PEOPLE = 8
SOON = dt.timedelta(days=30)
"""How long before its best-before date a lot says so at the top."""


@dataclass(frozen=True)
class Maker:
    """A household that had a hand in it, as far as it agreed to be told of."""

    name: str
    story: str
    times: int
    """How many of the steps are its."""


@dataclass(frozen=True)
class Story:
    """Everything that the template shows."""

    batch: Batch
    name: str
    verdict: Verdict
    cut: str
    """The sentence beside the first cut, and where it is; empty when the strand is whole."""
    cut_at: str
    knots: list[Knot]
    more_knots: int
    """Steps that were checked like the others, and are not told."""
    behind: Behind
    more_siblings: int
    makers: list[Maker]
    more_makers: int
    way: Journey | None
    origins: list[Origin]
    """Where it began: whose harvests, and what was bought."""
    certificates: list[Certificate]
    expired_certificates: list[Certificate]
    reports: list[LabReport]
    more_reports: int
    finished: Event | None
    """The last step that changed the product: the law asks for its place."""
    newest_entry: int | None
    address: str
    picture: str
    expired: bool
    days_left: int | None
    """Days until its best-before date, where that is soon."""
    packed: bool


def tell(family: Family) -> Story:
    """The story of `family.batch`, with the proof done anew."""
    verdict = prove(family)
    batch = family.batch
    shown = [event for event in family.events if _belongs(event, family)]
    knots, more_knots = knots_of(family, shown, verdict)
    first_cut = next((knot for knot in knots if knot.state == "cut"), None)
    standing = [event for event in shown if event.stands]
    finished = [event for event in standing if event.kind in ("commission", "buy", "transform", "pack")]
    today = clock.today()
    behind = lots_behind(family, verdict, standing)
    makers = _makers(standing)
    own_entries = [link.index for link in family.links if link.batch == batch.epc]
    certificates = _certificates(family, today)
    return Story(
        batch=batch,
        name=words.name(batch.product),
        verdict=verdict,
        cut=(first_cut.why if first_cut else words.fault(verdict.faults[0])) if verdict.faults else "",
        cut_at=first_cut.title if first_cut else "",
        knots=knots,
        more_knots=more_knots,
        behind=behind,
        makers=makers[:MOST_PEOPLE],
        more_makers=max(len(makers) - MOST_PEOPLE, 0),
        way=journey_of(standing, family.hamlets),
        origins=origins_of(batch, family.edges, {event.id: event for event in family.events}, family.batches),
        more_siblings=max(family.siblings_in_all - len(family.siblings), 0),
        certificates=[one for one in certificates if one.expires_on >= today],
        expired_certificates=[one for one in certificates if one.expires_on < today],
        reports=family.reports[:MOST_REPORTS],
        more_reports=max(len(family.reports) - MOST_REPORTS, 0),
        finished=finished[-1] if finished else None,
        newest_entry=max(own_entries, default=None),
        address=DigitalLink(batch.gtin, lot=batch.lot).path,
        picture=picture(batch.product.picture),
        expired=batch.best_before is not None and batch.best_before < today,
        days_left=_days_left(batch.best_before, today),
        packed=batch.product.packed,
    )


def _days_left(best_before: dt.date | None, today: dt.date) -> int | None:
    if best_before is None or not today <= best_before <= today + SOON:
        return None
    return (best_before - today).days


def _makers(standing: list[Event]) -> list[Maker]:
    """Who did the steps, the most first."""
    times = Counter(event.household_id for event in standing)
    households = {event.household_id: event.household for event in standing}
    return [
        Maker(words.who(one), one.story if one.named else "", count)
        for one, count in ((households[key], count) for key, count in times.most_common())
    ]


def _belongs(event: Event, family: Family) -> bool:
    """Part of this lot's way: it made it or an ancestor, looked at one, or took of this very lot.

    Cases that are opened again leave no trace on the packs.
    """
    if event.kind == "uncase":
        return False
    for part in event.parts:
        if part.part in ("output", "about") and part.batch_id in family.batches:
            return True
        if event.kind in ("dispatch", "lose") and part.batch_id == family.batch.id:
            return True
    return False


def _certificates(family: Family, today: dt.date) -> list[Certificate]:
    """One of each kind and subject: the newest; what is not yet valid is not shown at all."""
    newest: dict[tuple[str, str | None], Certificate] = {}
    for one in family.certificates:
        if one.issued_on <= today:
            newest.setdefault((one.kind, one.product_id), one)
    return list(newest.values())
