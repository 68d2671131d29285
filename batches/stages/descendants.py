"""What a correction changes in all that was made since: origins are carried on, and what cannot be stops it."""

from collections.abc import Sequence
from graphlib import TopologicalSorter

from sqlalchemy import select
from sqlalchemy.orm import Session

from batches.mass import judge_overall
from batches.processes.catalogue import process_of
from batches.stages.checks import is_main, portion
from batches.stages.making import origins_after, outside_after, shared_out
from trace.events.models import Event
from trace.lots.models import Batch, Edge
from trace.lots.services import reachable
from village.errors import Conflict
from village.i18n import lazy_gettext as _l


def carry_on(session: Session, changed: Sequence[Batch]) -> None:
    """Carry the corrected origins of these batches on to their descendants. Conflict for what cannot come of them."""
    family = reachable(session, [batch.id for batch in changed], "down")
    if not family:
        return
    rows = session.execute(select(Edge.child_id, Edge.parent_id, Edge.event_id).where(Edge.child_id.in_(family))).all()
    parents: dict[str, set[str]] = {}
    events: dict[str, str] = {}
    for child, parent, event_id in rows:
        parents.setdefault(child, set()).add(parent)
        events[child] = event_id
    done = set[str]()
    # Not by the time of making: phones' clocks differ, and a child may be dated some minutes before its parent.
    for batch_id in TopologicalSorter(parents).static_order():
        event_id = events.get(batch_id, "")
        if batch_id in family and event_id not in done:
            done.add(event_id)
            _remake_event(session, session.get_one(Event, event_id))
    session.flush()


def _remake_event(session: Session, event: Event) -> None:
    process = process_of(event.process, event.process_version)
    stage = process.stage(event.stage)
    inputs = [(part.batch, part.grams or 0) for part in event.parts if part.part == "input"]
    outputs = [(part.batch, part.grams or 0) for part in event.parts if part.part == "output"]
    portions = [portion(parent, grams) for parent, grams in inputs]
    origins = origins_after(stage, portions)
    mains = [(batch, grams) for batch, grams in outputs if is_main(stage, batch.product)]
    before, total = 0, sum(grams for _batch, grams in mains)
    for batch, grams in mains:
        batch.origins = shared_out(origins, before, grams, total)
        batch.outside = outside_after(stage, [parent.outside for parent, _grams in inputs])
        before += grams
    for batch, _grams in mains:
        if any(one.severity == "refuse" for one in judge_overall(process, batch.material, portions, total)):
            raise Conflict(
                "descendant-impossible",
                _l("Sửa như vậy thì mẻ %(lot)s làm ra sau không thể có nhiều đến thế. Bác sửa mẻ ấy trước nhé."),
                lot=batch.lot,
            )
