"""A lot's story as the scan page tells it: the verdict, the knots of the strand, the facts that the law asks for."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from trace.events.models import Event
from trace.gs1.digital_link import DigitalLink
from trace.lots.holding import HOLD
from trace.lots.models import Batch
from trace.lots.origins import Origin, origins_of
from trace.photos.services import Shot
from trace.reports.models import LabReport
from trace.scan import words
from trace.scan.family import Family
from trace.scan.proof import Fault, Verdict, prove
from trace.series.shown import Panel, panels_of
from village import clock, i18n
from village.certificates.models import Certificate
from village.i18n import gettext as _
from village.i18n import in_language
from village.settings import ROOT

GRAPH_MAX = 16
"""More lots than this are listed, not drawn."""
_PICTURES = ROOT / "static" / "pictures"


@dataclass(frozen=True)
class Knot:
    """One event on the strand, in the words of `macros/strand.html`."""

    title: str
    when: str = ""
    where: str = ""
    who: str = ""
    text: str = ""
    story: str = ""
    picture: str = ""
    state: str = "whole"
    why: str = ""
    shape: str = "straight"
    href: str = ""
    index: int | None = None
    """Its ledger entry."""
    correction: int | None = None
    signed: str = ""
    """Who signed the entry: device or custodian; empty where that does not hold."""
    curves: tuple[Panel, ...] = ()
    """What sensors told, where that holds."""
    photos: tuple[Shot, ...] = ()


@dataclass(frozen=True)
class Step:
    """So much of one lot went into another."""

    child: str
    child_lot: str
    parent: str
    parent_lot: str
    grams: int
    href: str


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
    nodes: list[dict[str, object]]
    edges: list[tuple[str, str]]
    steps: list[Step]
    more_siblings: int
    origins: list[Origin]
    """Where it began: whose harvests, and what was bought."""
    certificates: list[Certificate]
    expired_certificates: list[Certificate]
    reports: list[LabReport]
    finished: Event | None
    """The last step that changed the product: the law asks for its place."""
    newest_entry: int | None
    address: str
    picture: str
    expired: bool
    packed: bool


def tell(family: Family) -> Story:
    """The story of `family.batch`, with the proof done anew."""
    verdict = prove(family)
    batch = family.batch
    shown = [event for event in family.events if _belongs(event, family)]
    knots = _knots(family, shown, verdict)
    first_cut = next((knot for knot in knots if knot.state == "cut"), None)
    standing = [event for event in shown if event.stands]
    finished = [event for event in standing if event.kind in ("commission", "buy", "transform", "pack")]
    today = clock.today()
    nodes, edges, steps = _graph(family, verdict, standing)
    own_entries = [link.index for link in family.links if link.batch == batch.epc]
    certificates = _certificates(family, today)
    return Story(
        batch=batch,
        name=words.name(batch.product),
        verdict=verdict,
        cut=(first_cut.why if first_cut else words.fault(verdict.faults[0])) if verdict.faults else "",
        cut_at=first_cut.title if first_cut else "",
        knots=knots,
        nodes=nodes,
        edges=edges,
        steps=steps,
        origins=origins_of(batch, family.edges, {event.id: event for event in family.events}, family.batches),
        more_siblings=max(family.siblings_in_all - len(family.siblings), 0),
        certificates=[one for one in certificates if one.expires_on >= today],
        expired_certificates=[one for one in certificates if one.expires_on < today],
        reports=family.reports,
        finished=finished[-1] if finished else None,
        newest_entry=max(own_entries, default=None),
        address=DigitalLink(batch.gtin, lot=batch.lot).path,
        picture=picture(batch.product.picture),
        expired=batch.best_before is not None and batch.best_before < today,
        packed=batch.product.packed,
    )


def picture(key: str) -> str:
    """The key, if there is such a drawing; else the noodles."""
    known = PurePath(key).name == key and (_PICTURES / f"{key}.svg").is_file()
    return key if known else "noodles"


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


def _knots(family: Family, shown: list[Event], verdict: Verdict) -> list[Knot]:
    """Newest first. Dispatches are one knot, and so are cases; a corrected event shows where it is told right."""
    by_id = {event.id: event for event in family.events}
    knots: list[tuple[dt.datetime, int, Knot]] = []
    sent = [event for event in shown if event.kind == "dispatch" and event.stands]
    cased = [event for event in shown if event.kind == "case" and event.stands]
    for many in filter(None, (sent, cased)):
        knots.append((many[-1].occurred_at, many[-1].entry_index, _many(family.batch, many, verdict)))
    for event in shown:
        if event in sent or event in cased:
            continue
        put_right = event.corrected_by not in (None, event.id) and event.corrected_by in by_id
        if put_right and verdict.at(event) is None:
            continue
        knots.append((event.occurred_at, event.entry_index, _knot(event, by_id, family, verdict)))
    placed = {event.id for event in family.events}
    shown_ids = {event.id for event in shown}
    for fault in verdict.faults:
        if _homeless(fault, family, placed, shown_ids):
            knots.append((dt.datetime.max.replace(tzinfo=dt.UTC), fault.index or 0, _lost(fault)))
    knots.sort(key=lambda one: one[:2], reverse=True)
    return [knot for _when, _index, knot in knots]


def _homeless(fault: Fault, family: Family, placed: set[str], shown: set[str]) -> bool:
    """True for a fault at an entry or event that has no knot of its own."""
    if fault.event is not None:
        return fault.event not in shown
    at = [e for e in family.events if fault.index is not None and fault.index in (e.entry_index, e.correction_entry)]
    return not any(event.id in shown for event in at)


def _lost(fault: Fault) -> Knot:
    titles = {
        "unlisted": _("Một bước bị gỡ mất"),
        "missing": _("Một dòng sổ bị mất"),
    }
    return Knot(
        title=titles.get(fault.slug, _("Sổ không khớp")),
        state="cut",
        why=words.fault(fault),
        picture="cut-strand",
        index=fault.index,
    )


def _knot(event: Event, by_id: Mapping[str, Event], family: Family, verdict: Verdict) -> Knot:
    fault = verdict.at(event)
    before = by_id.get(event.corrects) if event.corrects else None
    state, why = "whole", ""
    if fault is not None:
        state, why = "cut", words.fault(fault)
    elif not event.stands:
        state, why = "corrected", _(
            "Bước này ghi nhầm, thật ra không có. Đã khai lại trong sổ, bản cũ vẫn giữ ở dòng %(index)s.",
            index=event.entry_index,
        )  # fmt: skip
    elif event.kind == "inspect" and not event.passed:
        state, why = "doubt", (
            _("Hợp tác xã giữ lại để xem.") if event.stage == HOLD else _("Lần kiểm tra này chưa đạt.")
        )
    elif before is not None:
        state, why = "corrected", words.corrected(before, event)
    elif event.warnings:
        state, why = "doubt", _("Số ở bước này khác lệ thường; người làm đã nêu lý do và hợp tác xã giữ lại.")
    series = family.series.get(event.id, {}) if event.stands and not fault else {}
    curves = tuple(panels_of(body for _place, body in sorted(series.items())))
    return Knot(
        title=in_language(event.name_vi, event.name_en),
        when=i18n.moment(event.occurred_at),
        where=words.place(event.site),
        who=words.who(event.household),
        # A curve tells the same beneath itself.
        text="" if curves else words.what_happened(event),
        story=in_language(event.story_vi, event.story_en),
        picture=picture(event.picture),
        state=state,
        why=why,
        shape=_shape(event, family),
        index=event.entry_index,
        correction=event.correction_entry,
        signed=_signed(event, verdict),
        curves=curves,
        photos=tuple(family.photos[sha256] for sha256 in event.photos) if event.stands and not fault else (),
    )


def _many(batch: Batch, events: list[Event], verdict: Verdict) -> Knot:
    """Dispatches, or cases packed: one knot, at the last of them."""
    last = events[-1]
    units = sum(part.units or 0 for event in events for part in event.parts if part.batch_id == batch.id)
    fault = next((found for found in map(verdict.at, events) if found is not None), None)
    if last.kind == "dispatch":
        text = _("%(packs)s của lô này đã rời Bình Lư.", packs=words.packs(units))
        if len(events) > 1:
            text += " " + _("Gửi làm %(times)s lần, lần cuối ghi ở trên.", times=i18n.number(len(events)))
    else:
        text = _(
            "%(packs)s của lô này được đóng vào %(cases)s thùng.",
            packs=words.packs(units), cases=i18n.number(len(events)),
        )  # fmt: skip
    return Knot(
        title=in_language(last.name_vi, last.name_en),
        when=i18n.moment(last.occurred_at),
        where=words.place(last.site),
        text=text,
        story=in_language(last.story_vi, last.story_en),
        picture=picture(last.picture),
        state="cut" if fault else "whole",
        why=words.fault(fault) if fault else "",
        index=last.entry_index,
        signed=_signed(last, verdict),
    )


def _signed(event: Event, verdict: Verdict) -> str:
    signed = verdict.signed.get(event.entry_index)
    return signed.role if signed else ""


def _shape(event: Event, family: Family) -> str:
    """Strands that twist where several went in; one that parts where others were made of the same."""
    inputs = {part.batch_id for part in event.parts if part.part == "input"}
    if len(inputs) > 1:
        return "twists"
    outputs = {part.batch_id for part in event.parts if part.part == "output"}
    children = {edge.child_id for edge in family.edges if edge.parent_id in inputs}
    return "parts" if outputs and (len(outputs) > 1 or children - outputs) else "straight"


def _graph(
    family: Family, verdict: Verdict, standing: list[Event]
) -> tuple[list[dict[str, object]], list[tuple[str, str]], list[Step]]:
    """The lots behind this one, drawn only where there is more to see than a straight line."""
    everyone = {**family.batches, **family.siblings}
    edges = [e for e in family.edges if e.child_id in everyone and e.parent_id in family.batches]
    edges = [e for e in edges if e.parent_id != family.batch.id]
    parents = {child: {e.parent_id for e in edges if e.child_id == child} for child in everyone}
    blended = any(len(found) > 1 for found in parents.values())
    if not edges or not (blended or family.siblings):
        return [], [], []
    cut = {
        part.batch_id
        for event in standing
        if verdict.at(event) is not None
        for part in event.parts
        if part.part == "output"
    }
    nodes: list[dict[str, object]] = [
        {
            "id": one.id,
            "label": words.short_name(one),
            "under": _("bị đứt") if one.id in cut else _under(one),
            "href": "" if one.id == family.batch.id else DigitalLink(one.gtin, lot=one.lot).path,
            "state": "cut" if one.id in cut else "whole",
            "here": one.id == family.batch.id,
        }
        for one in everyone.values()
    ]
    steps = [
        Step(
            child=words.short_name(everyone[e.child_id]),
            child_lot=everyone[e.child_id].lot,
            parent=words.short_name(family.batches[e.parent_id]),
            parent_lot=family.batches[e.parent_id].lot,
            grams=e.grams,
            href=DigitalLink(family.batches[e.parent_id].gtin, lot=family.batches[e.parent_id].lot).path,
        )
        for e in edges
        if e.child_id in family.batches
    ]
    pairs = sorted({(e.parent_id, e.child_id) for e in edges})
    if len(nodes) > GRAPH_MAX or _circular(pairs):
        return [], [], steps
    return nodes, pairs, steps


def _under(batch: Batch) -> str:
    amount = words.amount(batch.made_grams, batch.made_units)
    return _("%(amount)s, mua ngoài", amount=amount) if batch.outside is not None else amount


def _circular(pairs: list[tuple[str, str]]) -> bool:
    """True for a lot made from itself: only raw SQL can write that, and it cannot be drawn."""
    left = set(pairs)
    while left:
        parents = {parent for parent, _child in left}
        done = {pair for pair in left if pair[1] not in parents}
        if not done:
            return True
        left -= done
    return False


def _certificates(family: Family, today: dt.date) -> list[Certificate]:
    """One of each kind and subject: the newest; what is not yet valid is not shown at all."""
    newest: dict[tuple[str, str | None], Certificate] = {}
    for one in family.certificates:
        if one.issued_on <= today:
            newest.setdefault((one.kind, one.product_id), one)
    return list(newest.values())
