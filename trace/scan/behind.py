"""The lots behind a lot: drawn where there are few, and how much of which went into which."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trace.events.models import Event
from trace.gs1.digital_link import DigitalLink
from trace.lots.models import Batch, Edge
from trace.scan import words
from trace.scan.family import Family
from trace.scan.proof import Verdict
from village.i18n import gettext as _

GRAPH_MAX = 16
"""More lots than this are listed, not drawn."""
MOST_STEPS = 40
"""Lines of so much of one lot in another."""


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
class Behind:
    """What the page tells of the lots behind: `nodes` and `pairs` are for the drawing, empty where there is none."""

    nodes: list[dict[str, object]] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    more_steps: int = 0


def lots_behind(family: Family, verdict: Verdict, standing: list[Event]) -> Behind:
    """The lots behind this one, drawn only where there is more to see than a straight line."""
    everyone = {**family.batches, **family.siblings}
    edges = [e for e in family.edges if e.child_id in everyone and e.parent_id in family.batches]
    edges = [e for e in edges if e.parent_id != family.batch.id]
    parents: dict[str, set[str]] = {}
    for e in edges:
        parents.setdefault(e.child_id, set()).add(e.parent_id)
    blended = any(len(found) > 1 for found in parents.values())
    if not edges or not (blended or family.siblings):
        return Behind()
    own = [e for e in edges if e.child_id in family.batches]
    if len(own) > MOST_STEPS:
        # Not all can be told: what went into this very lot comes first.
        own.sort(key=lambda e: e.child_id != family.batch.id)
    steps, more = [_step(e, everyone) for e in own[:MOST_STEPS]], max(len(own) - MOST_STEPS, 0)
    pairs = sorted({(e.parent_id, e.child_id) for e in edges})
    if len(everyone) > GRAPH_MAX or _circular(pairs):
        return Behind(steps=steps, more_steps=more)
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
    return Behind(nodes, pairs, steps, more)


def _step(edge: Edge, batches: Mapping[str, Batch]) -> Step:
    child, parent = batches[edge.child_id], batches[edge.parent_id]
    return Step(
        child=words.short_name(child),
        child_lot=child.lot,
        parent=words.short_name(parent),
        parent_lot=parent.lot,
        grams=edge.grams,
        href=DigitalLink(parent.gtin, lot=parent.lot).path,
    )


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
