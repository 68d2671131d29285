"""A process file as a whole: does it hang together from the field to the pack?"""

from collections.abc import Iterator, Sequence

from batches.processes.models import Kind, Material, Overall, Stage
from batches.processes.nodes import ProcessFileError, Value
from batches.processes.stages import BEGINS

_ONCE = frozenset((Kind.SPLIT, Kind.MERGE, Kind.LOSE, Kind.CASE, Kind.UNCASE, Kind.DISPATCH))
"""Kinds of which one stage is enough for each material."""
Materials = Sequence[tuple[Value, Material]]
Stages = Sequence[tuple[Value, Stage]]
Overalls = Sequence[tuple[Value, Overall]]


def faults(materials: Materials, stages: Stages, overall: Overalls) -> Iterator[ProcessFileError]:
    """Everything that is wrong between the pieces of a file whose pieces are each right."""
    yield from _suffixes(materials)
    yield from _making(materials, stages)
    yield from _reaching(stages)
    yield from _twice(stages)
    yield from _circles(stages)
    yield from _overalls(stages, overall)


def _suffixes(materials: Materials) -> Iterator[ProcessFileError]:
    seen: dict[str, int] = {}
    for value, material in materials:
        if material.suffix in seen:
            yield value.error(
                f"the suffix {material.suffix} was used on line {seen[material.suffix]};"
                " choose another, for it tells lot codes apart."
            )
        seen.setdefault(material.suffix, value.line)


def _making(materials: Materials, stages: Stages) -> Iterator[ProcessFileError]:
    made = {key for _, stage in stages for key in stage.gives}
    for value, material in materials:
        if material.key not in made:
            yield value.error(
                f"no stage gives the material {material.key!r} and none buys it; add one, or remove the material."
            )


def reached(stages: Sequence[Stage]) -> set[str]:
    """The materials that a harvest or a purchase leads to."""
    there: set[str] = set()
    grew = True
    while grew:
        before = len(there)
        for stage in stages:
            if stage.kind in BEGINS or there.intersection(stage.inputs):
                there.update(stage.gives)
        grew = len(there) > before
    return there


def _reaching(stages: Stages) -> Iterator[ProcessFileError]:
    there = reached([stage for _, stage in stages])
    for value, stage in stages:
        if stage.kind not in BEGINS and not there.intersection(stage.inputs):
            yield value.error(
                f"nothing leads to the stage {stage.key!r}: no harvest or purchase ends in what it takes"
                f" ({', '.join(stage.inputs)})."
            )


def _twice(stages: Stages) -> Iterator[ProcessFileError]:
    seen: dict[tuple[str, ...], tuple[Value, Stage]] = {}
    for value, stage in stages:
        if stage.kind in (Kind.OBSERVE, Kind.INSPECT):
            continue
        gives = "" if stage.kind in _ONCE else stage.output or ""
        for key in stage.inputs or ("",):
            way = (stage.kind, key, gives)
            if way in seen:
                first_value, first = seen[way]
                yield value.error(
                    f"the stages {first.key!r} (line {first_value.line}) and {stage.key!r} do the same"
                    f" with {key or gives!r}; remove one."
                )
            seen.setdefault(way, (value, stage))


def _circles(stages: Stages) -> Iterator[ProcessFileError]:
    behind: dict[str, set[str]] = {}
    for _, stage in stages:
        for given in stage.gives:
            behind.setdefault(given, set()).update(stage.inputs)
    for value, stage in stages:
        if stage.output is not None and stage.output in _ancestors(behind, stage.inputs):
            yield value.error(
                f"{stage.output!r} is made from itself, round in a circle; give what comes back a material of its own."
            )


def _ancestors(behind: dict[str, set[str]], of: Sequence[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(of)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += behind.get(key, ())
    return found


def _overalls(stages: Stages, overall: Overalls) -> Iterator[ProcessFileError]:
    behind: dict[str, set[str]] = {}
    for _, stage in stages:
        if stage.output is not None:
            behind.setdefault(stage.output, set()).update(stage.inputs)
    seen: dict[tuple[str, str], int] = {}
    for value, rule in overall:
        if rule.origin not in _ancestors(behind, tuple(behind.get(rule.material, ()))):
            yield value.error(f"{rule.material!r} is not made from {rule.origin!r}, so these bounds bind nothing.")
        pair = (rule.material, rule.origin)
        if pair in seen:
            yield value.error(f"the bounds of these two stand on line {seen[pair]} already; remove one.")
        seen.setdefault(pair, value.line)
