"""The knots of a lot's strand: each event in a reader's words, bounded however long the story is."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath

from trace.events.models import Event
from trace.lots.holding import HOLD
from trace.lots.models import Batch
from trace.photos.services import Shot
from trace.scan import words
from trace.scan.family import Family
from trace.scan.proof import Fault, Verdict
from trace.series.shown import Panel, panels_of
from village import i18n
from village.i18n import gettext as _
from village.i18n import in_language
from village.settings import ROOT

MOST_KNOTS, MOST_CUTS = 60, 20
"""Steps that the page tells, and how many of these at most are told for being cut, however old they are."""
MOST_PHOTOS, MOST_CURVES = 24, 6
"""On a whole page: a photo is deferred but its words are not, and a curve is drawn in the page itself."""
_END = dt.datetime.max.replace(tzinfo=dt.UTC)
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
    more: int = 0
    """Photos and curves that are not shown."""


Told = tuple[dt.datetime, int, bool, Callable[[], Knot]]
"""A step still to be told: when, its entry, whether it is cut, and its words."""


def knots_of(family: Family, shown: list[Event], verdict: Verdict) -> tuple[list[Knot], int]:
    """Newest first, and how many more there are. Dispatches are one knot, and so are cases; a corrected event shows
    where it is told right."""
    by_id = {event.id: event for event in family.events}
    told: list[Told] = []
    sent = [event for event in shown if event.kind == "dispatch" and event.stands]
    cased = [event for event in shown if event.kind == "case" and event.stands]
    for many in filter(None, (sent, cased)):
        cut = any(verdict.at(event) is not None for event in many)
        told.append((many[-1].occurred_at, many[-1].entry_index, cut, partial(_many, family.batch, many, verdict)))
    together = {event.id for event in (*sent, *cased)}
    for event in shown:
        if event.id in together:
            continue
        cut = verdict.at(event) is not None
        put_right = event.corrected_by not in (None, event.id) and event.corrected_by in by_id
        if put_right and not cut:
            continue
        told.append((event.occurred_at, event.entry_index, cut, partial(_knot, event, by_id, family, verdict)))
    shown_ids = {event.id for event in shown}
    homes = {index for event in shown for index in (event.entry_index, event.correction_entry)} - {None}
    for fault in verdict.faults:
        # A fault at an entry or event that has no knot of its own.
        if fault.event not in shown_ids if fault.event is not None else fault.index not in homes:
            told.append((_END, fault.index or 0, True, partial(_lost, fault)))
    told.sort(key=lambda one: one[:2], reverse=True)
    chosen = _chosen(told)
    return _within_bounds([told[place][3]() for place in chosen]), len(told) - len(chosen)


def _within_bounds(knots: list[Knot]) -> list[Knot]:
    """No more photos and curves than a page has room for, the newest first."""
    photos, curves = MOST_PHOTOS, MOST_CURVES
    bounded = []
    for knot in knots:
        shown = replace(knot, photos=knot.photos[:photos], curves=knot.curves[:curves])
        left_out = len(knot.photos) + len(knot.curves) - len(shown.photos) - len(shown.curves)
        photos, curves = photos - len(shown.photos), curves - len(shown.curves)
        bounded.append(replace(shown, more=left_out))
    return bounded


def _chosen(told: list[Told]) -> list[int]:
    """Places of the steps to tell: all where there are few; else the newest, and what is cut before anything else."""
    if len(told) <= MOST_KNOTS:
        return list(range(len(told)))
    cut = [place for place, one in enumerate(told) if one[2]][:MOST_CUTS]
    rest = [place for place in range(len(told)) if place not in cut]
    return sorted(cut + rest[: MOST_KNOTS - len(cut)])


def _lost(fault: Fault) -> Knot:
    titles = {
        "unlisted": _("Một bước bị gỡ mất"),
        "missing": _("Một dòng sổ bị mất"),
        "recall": _("Tin thu hồi không khớp"),
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


def picture(key: str) -> str:
    """The key, if there is such a drawing; else the noodles."""
    known = PurePath(key).name == key and (_PICTURES / f"{key}.svg").is_file()
    return key if known else "noodles"
