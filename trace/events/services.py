"""Recording: one call turns what happened into an EPCIS event, a ledger entry, and the rows that project them.

The rules of a stage (who may, how much can come out) are `batches`' business; here it is only written down.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from trace.epcis import events as epcis
from trace.events.models import Event, EventBatch, Kind, Part
from trace.events.readings import epcis_reading
from trace.ledger import store
from trace.ledger.canonical import parse
from trace.lots.models import Batch, Edge
from trace.photos.models import PhotoUse
from village import clock
from village.db import insert_later, insert_now
from village.places.models import Site


@dataclass(frozen=True)
class Share:
    """A batch's part in an event: grams, or for packs units (grams then follow from the net weight)."""

    batch: Batch
    grams: int | None = None
    units: int | None = None


@dataclass(frozen=True)
class Happening:
    """What happened, as `batches` found it right. Texts are kept as they were then."""

    id: str
    kind: Kind
    process: str
    process_version: int
    stage: str
    name: tuple[str, str]
    story: tuple[str, str]
    picture: str
    biz_step: str
    disposition: str | None
    occurred_at: dt.datetime
    """Aware, with the offset that the producer's phone claimed."""
    site: Site
    household_id: str
    member_id: str
    inputs: Sequence[Share] = ()
    outputs: Sequence[Share] = ()
    about: Sequence[Share] = ()
    """Looked at, or put into a case and out of it: nothing is taken from them."""
    readings: Sequence[Mapping[str, object]] = ()
    """`{"type", "value" (decimal text), "unit"}`; over a window with more (trace/events/readings.py)."""
    warnings: Sequence[Mapping[str, object]] = ()
    photos: Sequence[str] = ()
    note: str = ""
    passed: bool | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    """Public texts that this kind of event says besides, each on the ledger as `soi:<name>`."""
    value_dong: int | None = None
    """What it cost or brought in; not on the ledger."""
    corrects: str | None = None
    private: Mapping[str, str] = field(default_factory=dict)
    """Further personal values to commit to, such as the buyer of a dispatch."""
    device: Mapping[str, object] | None = None
    """What the producer's phone signed (docs/formats.md), checked by the caller; None: the custodian signs."""
    salts: Mapping[str, bytes] = field(default_factory=dict)
    """Salts that the phone drew for its commitments."""


@dataclass(frozen=True)
class Recorded:
    """What was written down: the event's id, its entry, and the batches that came out."""

    event_id: str
    entry: store.Appended
    happening: Happening


def record(session: Session, happening: Happening) -> Recorded:
    """Write one event down, in the caller's `write(ledger=True)` transaction.

    Rows are inserted as it ends: call `insert_now` before anything that reads them or refers to them.
    """
    private = {"member": happening.member_id, **happening.private}
    if happening.note:
        private["note"] = happening.note
    extra: dict[str, object] = {}
    if happening.photos:
        extra["photos"] = list(happening.photos)
    draft = store.Draft(
        "event",
        epcis_event(happening),
        tuple(share.batch.epc for share in _shares(happening)),
        private,
        extra,
        born=frozenset(share.batch.epc for share in happening.outputs if happening.corrects is None),
        device=happening.device,
        salts=happening.salts,
    )
    (appended,) = store.append(session, [draft])
    row = {
        "id": happening.id,
        "kind": happening.kind,
        "process": happening.process,
        "process_version": happening.process_version,
        "stage": happening.stage,
        "name_vi": happening.name[0],
        "name_en": happening.name[1],
        "story_vi": happening.story[0],
        "story_en": happening.story[1],
        "picture": happening.picture,
        "occurred_at": happening.occurred_at,
        "offset_minutes": _offset(happening.occurred_at),
        "recorded_at": clock.now(),
        "site_id": happening.site.id,
        "household_id": happening.household_id,
        "member_id": happening.member_id,
        "entry_index": appended.index,
        "readings": [dict(reading) for reading in happening.readings],
        "warnings": [dict(warning) for warning in happening.warnings],
        "photos": list(happening.photos),
        "facts": dict(happening.facts),
        "value_dong": happening.value_dong,
        "note": happening.note,
        "passed": happening.passed,
        "corrects": happening.corrects,
    }
    insert_later(session, Event.__table__, [row])
    uses = [{"sha256": sha256, "event_id": happening.id} for sha256 in dict.fromkeys(happening.photos)]
    insert_later(session, PhotoUse.__table__, uses)
    _relate(session, happening)
    return Recorded(happening.id, appended, happening)


def declare_error(session: Session, event: Event, reason: epcis.ErrorReason, corrective: str | None) -> store.Appended:
    """Put the event on the ledger again with an errorDeclaration: EPCIS's way of taking back what cannot be edited.

    What stands on the ledger is repeated word for word; `corrective` is the id of the event that tells it right.
    """
    told = parse(store.entry(event.entry_index).body)
    declaration = epcis.ErrorDeclaration(
        declared=clock.now().astimezone(clock.VN),
        reason=reason,
        corrective_event_ids=(epcis.event_urn(UUID(corrective)),) if corrective else (),
    )
    batches = tuple(link["batch"] for link in told["chain"])
    draft = store.Draft("correction", epcis.correct(told["event"], declaration), batches)
    (appended,) = store.append(session, [draft])
    insert_now(session)
    event.correction_entry = appended.index
    event.correction_reason = reason
    # A corrective event is yet to be written down; whoever writes it names it here.
    event.corrected_by = event.id
    session.execute(delete(Edge).where(Edge.event_id == event.id))
    session.flush()
    return appended


def epcis_event(happening: Happening) -> epcis.JsonObject:
    """The EPCIS 2.0 event, with public fields only (domain.md's mapping)."""
    core = epcis.Core(
        id=UUID(happening.id),
        time=happening.occurred_at,
        biz_step=happening.biz_step,
        disposition=happening.disposition,
        read_point=happening.site.gln,
        # What was sent off or lost is not to be found here any more.
        biz_location=happening.site.gln if happening.kind not in ("dispatch", "lose") else None,
        readings=tuple(map(epcis_reading, happening.readings)),
        extra={
            "soi:process": f"{happening.process}/{happening.process_version}",
            "soi:stage": happening.stage,
            **{f"soi:{name}": text for name, text in happening.facts.items()},
        },
    )
    inputs, outputs, about = (_amounts(s) for s in (happening.inputs, happening.outputs, happening.about))
    match happening.kind:
        case "commission":
            return epcis.object_event(core, "ADD", outputs, _ilmd(happening))
        case "buy":
            return epcis.buy(core, outputs, _ilmd(happening))
        case "transform" | "split" | "merge":
            return epcis.transform(core, inputs, outputs, _ilmd(happening))
        case "pack":
            return epcis.pack(core, inputs, outputs, _ilmd(happening))
        case "inspect":
            return epcis.inspect(core, about, bool(happening.passed))
        case "observe":
            return epcis.observe(core, about)
        case "dispatch":
            return epcis.dispatch(core, inputs)
        case "lose":
            return epcis.lose(core, inputs)
        case "case":
            return epcis.put_in_case(core, happening.facts["sscc"], about)
        case "uncase":
            return epcis.take_out_of_case(core, happening.facts["sscc"], about)


def _shares(happening: Happening) -> list[Share]:
    return [*happening.inputs, *happening.outputs, *happening.about]


def _amounts(shares: Sequence[Share]) -> list[epcis.Amount]:
    return [
        epcis.packs(share.batch.epc, share.units) if share.units is not None
        else epcis.grams(share.batch.epc, share.grams or share.batch.made_grams)
        for share in shares
    ]


def _ilmd(happening: Happening) -> epcis.Ilmd | None:
    """What holds for a lot from birth. An event with several lots has none in common but the day."""
    # What was bought was made elsewhere, and what was split or blended before: the lots behind it tell of that.
    made_here = happening.kind not in ("buy", "split", "merge")
    day = happening.occurred_at.date() if made_here else None
    country = "VN" if made_here else None
    if len(happening.outputs) != 1:
        return epcis.Ilmd(produced=day, origin_country=country)
    made = happening.outputs[0].batch
    return epcis.Ilmd(
        lot=made.lot,
        produced=day,
        expires=made.best_before,
        harvested=day if happening.kind == "commission" else None,
        origin_country=country,
    )


def _offset(moment: dt.datetime) -> int:
    offset = moment.utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else 0


def _relate(session: Session, happening: Happening) -> None:
    parts: tuple[tuple[Part, Sequence[Share]], ...] = (
        ("input", happening.inputs),
        ("output", happening.outputs),
        ("about", happening.about),
    )
    rows = [
        {
            "event_id": happening.id,
            "part": part,
            "position": position,
            "batch_id": share.batch.id,
            "grams": share.grams,
            "units": share.units,
        }
        for part, shares in parts
        for position, share in enumerate(shares)
    ]
    insert_later(session, EventBatch.__table__, rows)
    insert_later(session, Edge.__table__, _edges(happening))


def _edges(happening: Happening) -> list[dict[str, object]]:
    total = sum(share.grams or 0 for share in happening.outputs)
    rows: list[dict[str, object]] = []
    for parent in happening.inputs:
        before = 0
        for child in happening.outputs:
            # Shared out by weight in integers, so that a parent's grams sum up exactly.
            taken, grams = parent.grams or 0, child.grams or 0
            part = taken * (before + grams) // total - taken * before // total if total else 0
            before += grams
            rows.append(
                {"child_id": child.batch.id, "parent_id": parent.batch.id, "event_id": happening.id, "grams": part}
            )
    return rows
