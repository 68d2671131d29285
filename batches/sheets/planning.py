"""From rows to a plan: who takes from whom, in which order, under which id, and what was recorded before."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from batches.sheets.columns import EVENT, REF, TAKES
from batches.sheets.lines import Fault, Line, Source
from batches.sheets.order import in_order
from batches.sheets.plan import Origin, Plan, Planned, row_id
from trace.events.models import Event, EventBatch
from trace.lots.models import Batch
from village.db import core
from village.i18n import gettext as _
from village.people.access import Actor
from village.places.models import Household

MANY = 500


def plan(session: Session, who: Actor, lines: Sequence[Line], unread: set[str], go_on: Callable[[], None]) -> Plan:
    """Put the rows in order and find what they name. `unread`: references of rows that could not be read."""
    made = Plan()
    own = _own_names(lines, made)
    by_number = {line.number: line for line in lines}
    there = _batches_there(session, who, lines, own)
    needs = {line.number: [own[source.name][0] for source in line.sources if source.name in own] for line in lines}
    by_time = [line.number for line in sorted(lines, key=lambda line: (line.when, line.number))]
    ordered, turning = in_order(by_time, needs)
    makers = _makers(session, [batch_id for batch_id, _ambiguous in there.values()])
    seen: Counter[str] = Counter()
    ids: dict[int, str] = {}
    bad = {fault.line for fault in made.faults}
    for at, number in enumerate(ordered):
        if at % 1000 == 0:
            go_on()
        line = by_number[number]
        if number in turning:
            made.faults.append(_fault(line, TAKES, "", _("Các dòng lấy của nhau thành vòng tròn.")))
            bad.add(number)
            continue
        origins, faults = _origins(line, own, there, bad, unread)
        if faults or number in bad:
            made.faults += faults
            bad.add(number)
            continue
        sources = [f"{ids[one.row]}/{one.place}" if one.row else makers.get(one.batch, one.batch) for one in origins]
        first = row_id(who.cooperative_id, line, sources, 0)
        seen[first] += 1
        ids[number] = first if seen[first] == 1 else row_id(who.cooperative_id, line, sources, seen[first] - 1)
        made.rows.append(Planned(line, ids[number], origins))
    _recognise(session, who, made)
    return made


def _fault(line: Line, column: str, value: str, reason: str) -> Fault:
    return Fault(line.number, column, value, reason)


def _own_names(lines: Iterable[Line], made: Plan) -> dict[str, tuple[int, int]]:
    """(row, which of its outputs) by every name that the sheet itself gives: references, and lot codes of its own."""
    own: dict[str, tuple[int, int]] = {}
    for line in lines:
        names = [(line.ref, 0)] if line.ref else []
        names += [(one.lot, place) for place, one in enumerate(line.results) if one.lot]
        if line.ref and len(line.results) > 1:
            names += [(f"{line.ref}/{place + 1}", place) for place in range(len(line.results))]
        for name, place in names:
            if name in own and own[name] != (line.number, place):
                told = _("Tên này dòng %(line)s đã dùng rồi.", line=own[name][0])
                made.faults.append(_fault(line, REF, name, told))
            else:
                own[name] = (line.number, place)
    return own


def _batches_there(
    session: Session, who: Actor, lines: Iterable[Line], own: dict[str, tuple[int, int]]
) -> dict[str, tuple[str, bool]]:
    """(batch id, True if there are several) by the lot codes that are not the sheet's own."""
    wanted = sorted({source.name for line in lines for source in line.sources if source.name not in own})
    found: dict[str, tuple[str, bool]] = {}
    for start in range(0, len(wanted), MANY):
        rows = core(session).execute(
            select(Batch.lot, Batch.id, Batch.gtin).where(
                Batch.lot.in_([name.rpartition("/")[2] for name in wanted[start : start + MANY]]),
                Batch.cooperative_id == who.cooperative_id,
                Batch.void.is_(False),
            )
        )
        for lot, batch_id, gtin in rows:
            found[lot] = (batch_id, lot in found)
            found[f"{gtin}/{lot}"] = (batch_id, False)
    return found


def _makers(session: Session, batch_ids: list[str]) -> dict[str, str]:
    """ "<event>/<place>" of the event that first made each batch."""
    found: dict[str, str] = {}
    for start in range(0, len(batch_ids), MANY):
        rows = core(session).execute(
            select(EventBatch.batch_id, EventBatch.event_id, EventBatch.position, func.min(Event.entry_index))
            .join(Event, Event.id == EventBatch.event_id)
            .where(EventBatch.part == "output", EventBatch.batch_id.in_(batch_ids[start : start + MANY]))
            .group_by(EventBatch.batch_id, EventBatch.event_id, EventBatch.position)
            .order_by(func.min(Event.entry_index).desc())
        )
        # The oldest comes last: a correction makes the same batch again.
        found.update((batch_id, f"{event_id}/{place}") for batch_id, event_id, place, _index in rows)
    return found


def _origins(
    line: Line, own: dict[str, tuple[int, int]], there: dict[str, tuple[str, bool]], bad: set[int], unread: set[str]
) -> tuple[tuple[Origin, ...], list[Fault]]:
    origins: list[Origin] = []
    faults: list[Fault] = []
    for source in line.sources:
        reason = ""
        if source.name in own:
            row, place = own[source.name]
            origins.append(Origin(row, place))
            if row in bad:
                reason = _("Lấy từ dòng %(line)s, mà dòng ấy còn chỗ sai.", line=row)
        elif source.name in there:
            batch_id, several = there[source.name]
            origins.append(Origin(batch=batch_id))
            if several:
                reason = _("Có mấy lô mang mã %(lot)s. Bác ghi cả GTIN đằng trước: GTIN/%(lot)s.", lot=source.name)
        elif source.name in unread:
            reason = _("Lấy từ dòng mang số hiệu %(ref)s, mà dòng ấy còn chỗ sai.", ref=source.name)
        else:
            reason = _("Không có mẻ nào mang mã %(batch)s.", batch=source.name)
        if reason:
            faults.append(_fault(line, TAKES, _source(source), reason))
    return tuple(origins), faults


def _source(source: Source) -> str:
    return source.name if source.amount is None else f"{source.name} {source.amount:f}"


def _recognise(session: Session, who: Actor, made: Plan) -> None:
    """Mark the rows that were recorded before: from a sheet, or handed out of this very village."""
    wanted = [row.id for row in made.rows] + [row.line.event for row in made.rows if row.line.event]
    known = set[str]()
    for start in range(0, len(wanted), MANY):
        known.update(recorded(session, wanted[start : start + MANY]))
    foreign = {event for event in known if event in {row.line.event for row in made.rows}}
    mine = _of_cooperative(session, who, foreign)
    for row in made.rows:
        if row.id in known:
            row.recorded = True
        elif row.line.event in mine:
            row.recorded, row.id = True, row.line.event
        elif row.line.event in known:
            made.faults.append(
                _fault(row.line, EVENT, row.line.event, _("Mã lần ghi này không phải của hợp tác xã mình."))
            )


def recorded(session: Session, ids: Sequence[str]) -> set[str]:
    """Those ids that are events."""
    return set(core(session).scalars(select(Event.id).where(Event.id.in_(ids))))


def _of_cooperative(session: Session, who: Actor, ids: set[str]) -> set[str]:
    found = set[str]()
    listed = sorted(ids)
    for start in range(0, len(listed), MANY):
        found.update(
            core(session).scalars(
                select(Event.id)
                .join(Household, Household.id == Event.household_id)
                .where(Event.id.in_(listed[start : start + MANY]), Household.cooperative_id == who.cooperative_id)
            )
        )
    return found


def outputs_of(session: Session, ids: Sequence[str]) -> dict[str, list[str]]:
    """The batches that these events made, in order."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(ids), MANY):
        rows = core(session).execute(
            select(EventBatch.event_id, EventBatch.batch_id)
            .where(EventBatch.part == "output", EventBatch.event_id.in_(ids[start : start + MANY]))
            .order_by(EventBatch.event_id, EventBatch.position)
        )
        for event_id, batch_id in rows:
            found.setdefault(event_id, []).append(batch_id)
    return found
