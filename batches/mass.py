"""Mass cannot be invented: is what is said to have come out possible for what went in?

Pure, and in integers: grams, packs and basis points (18 % is 1800). `judge` gives findings; `refuse` is
impossible, `doubt` needs a reason from the producer and stays visible as a warning.

Slugs and their params (grams as integers, shares in basis points, readings as strings):

- `wrong-input` material, stage; `no-input` stage; `no-output` stage; `unusual-amount` grams, low, high
- `wrong-output` material, stage; `one-input`, `two-inputs`, `one-part`, `two-parts`, `one-material` stage
- `yield-above-bound`, `yield-below-bound`, `yield-unusual` out, in, share, low, high
- `byproduct-above-bound`, `byproduct-below-bound`, `byproduct-unusual` the same and material
- `overall-above-bound`, `overall-below-bound`, `overall-unusual` the same and origin
- `blend-above-bound`, `blend-below-bound`, `blend-unusual` where the origin of a part is unknown: origin, in (its
  grams), rest (grams of what the unknown part is made from), out, floor, ceiling (grams)
- `more-out-than-in` out, in; `gone-missing` lost, in, share, most
- `dry-matter-changed` before, after
- `packed-more-than-there-is` packed, in, units, net; `pack-loss` lost, in, share, most; `net-weight-unknown`
- `reading-missing` type; `reading-unit` type, unit, found; `reading-over-limit` type, value, limit
- `reading-impossible`, `reading-unusual` type, value, low, high (empty for a value that is no number)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from batches.origins import Portion, ancestors, behind, between, carry_origins, share
from batches.processes.models import WHOLE, Bounds, Kind, Overall, Process, Stage

__all__ = [
    "Finding", "Measured", "Portion", "ancestors", "basis_points", "carry_origins", "judge", "judge_overall", "share",
]  # fmt: skip

DRY_MATTER_TOLERANCE = 500
"""Dry matter m·(1−w) must be kept within ± 5 %."""
MISSING = 200
"""More than 2 % gone when a batch is only divided or blended is doubtful."""

Severity = Literal["refuse", "doubt"]


@dataclass(frozen=True)
class Measured:
    """A reading as it was sent."""

    type: str
    value: Decimal
    unit: str


@dataclass(frozen=True)
class Finding:
    """Something impossible (`refuse`) or doubtful (`doubt`)."""

    severity: Severity
    slug: str
    params: Mapping[str, int | str]


def judge(
    process: Process,
    stage: Stage,
    inputs: Sequence[Portion],
    output_grams: int | None = None,
    units: int | None = None,
    net_grams: int | None = None,
    readings: Sequence[Measured] = (),
    *,
    byproducts: Mapping[str, int] = MappingProxyType({}),
    parts: int | None = None,
) -> list[Finding]:
    """All findings about one recording of `stage`, the impossible ones first.

    `output_grams` is the weight of all outputs together without by-products, whose grams `byproducts` has by material;
    a packing gives `units` and a pack's `net_grams` instead. `parts`: how many batches a split or a merge gives.
    """
    found = [*_inputs(stage, inputs), *_beside(stage, inputs, byproducts), *_readings(stage, readings)]
    taken = sum(portion.grams for portion in inputs)
    if stage.kind is Kind.PACK:
        found += _packing(process, stage, taken, units, net_grams)
    elif stage.kind in (Kind.SPLIT, Kind.MERGE):
        found += _regrouping(stage, inputs, output_grams, parts)
    elif stage.output is not None and (output_grams is None or output_grams <= 0):
        found.append(Finding("refuse", "no-output", {"stage": stage.key}))
    elif stage.output is not None and output_grams is not None:
        found += _amount(stage, output_grams)
        if not any(finding.severity == "refuse" for finding in found):
            found += _yield(stage, inputs, output_grams)
            found += _together(stage, taken, output_grams + sum(byproducts.values()))
            found += judge_overall(process, stage.output, inputs, output_grams)
            found += _dry_matter(stage, inputs, output_grams, readings)
    return sorted(found, key=lambda finding: finding.severity != "refuse")


def basis_points(percent: Decimal) -> int:
    """A percentage as read from a meter, in basis points."""
    return int((percent * 100).to_integral_value())


def _inputs(stage: Stage, inputs: Sequence[Portion]) -> list[Finding]:
    found = [
        Finding("refuse", "wrong-input", {"material": portion.material, "stage": stage.key})
        for portion in inputs
        if portion.material not in stage.inputs
    ]
    # Packs that are only looked at or sent away have no weight of their own; a case is opened by its number.
    weighs = stage.kind in (Kind.TRANSFORM, Kind.PACK, Kind.SPLIT, Kind.MERGE, Kind.LOSE)
    empty = not inputs or (weighs and any(portion.grams <= 0 for portion in inputs))
    if stage.inputs and stage.kind is not Kind.UNCASE and empty:
        found.append(Finding("refuse", "no-input", {"stage": stage.key}))
    return found


def _beside(stage: Stage, inputs: Sequence[Portion], byproducts: Mapping[str, int]) -> list[Finding]:
    """By-products within their bounds of all that went in."""
    bounds = {one.material: one.bounds for one in stage.byproducts}
    taken = sum(portion.grams for portion in inputs)
    found: list[Finding] = []
    for material, grams in byproducts.items():
        if material not in bounds:
            found.append(Finding("refuse", "wrong-output", {"material": material, "stage": stage.key}))
        elif grams <= 0:
            found.append(Finding("refuse", "no-output", {"stage": stage.key}))
        elif taken > 0:
            found += _within("byproduct", [(taken, bounds[material])], grams, {"material": material})
    return found


def _together(stage: Stage, taken: int, out: int) -> list[Finding]:
    """Where no bound lets anything grow, no water is added: all that comes out weighs no more than what went in."""
    bounds = [*stage.yields.values(), *(one.bounds for one in stage.byproducts)]
    if not stage.byproducts or any(one.hard_max > WHOLE for one in bounds) or out <= taken:
        return []
    return [Finding("refuse", "more-out-than-in", {"out": out, "in": taken})]


def _regrouping(
    stage: Stage, inputs: Sequence[Portion], out: int | None, parts: int | None
) -> list[Finding]:
    """A split or a merge: nothing is made, so nothing can be more than before."""
    splits = stage.kind is Kind.SPLIT
    wrong = [
        (splits and len(inputs) != 1, "one-input"),
        (splits and parts is not None and parts < 2, "two-parts"),
        (not splits and len(inputs) < 2, "two-inputs"),
        (not splits and parts is not None and parts != 1, "one-part"),
        (len({portion.material for portion in inputs}) > 1, "one-material"),
        (not out or out <= 0, "no-output"),
    ]
    found = [Finding("refuse", slug, {"stage": stage.key}) for is_wrong, slug in wrong if is_wrong]
    taken = sum(portion.grams for portion in inputs)
    if found or out is None:
        return found
    if out > taken:
        return [Finding("refuse", "more-out-than-in", {"out": out, "in": taken})]
    lost = taken - out
    if lost * WHOLE > taken * MISSING:
        facts = {"lost": lost, "in": taken, "share": lost * WHOLE // taken, "most": MISSING}
        return [Finding("doubt", "gone-missing", facts)]
    return []


def _amount(stage: Stage, grams: int) -> list[Finding]:
    if stage.usual_grams is None or stage.usual_grams[0] <= grams <= stage.usual_grams[1]:
        return []
    low, high = stage.usual_grams
    return [Finding("doubt", "unusual-amount", {"grams": grams, "low": low, "high": high})]


def _yield(stage: Stage, inputs: Sequence[Portion], out: int) -> list[Finding]:
    if not stage.yields:
        return []
    weighed = [(portion.grams, stage.yields[portion.material]) for portion in inputs]
    return _within("yield", weighed, out, {})


def judge_overall(process: Process, material: str, inputs: Sequence[Portion], out: int) -> list[Finding]:
    """Whether `out` grams of `material` can come of the ancestors behind `inputs`.

    What is known bounds what can come out: a part whose ancestor is unknown is bounded by what it is made from instead.
    """
    found: list[Finding] = []
    for rule in process.overall:
        # The stage's own yield already speaks where the origin itself went in.
        direct = all(portion.material == rule.origin for portion in inputs)
        if rule.material != material or direct:
            continue
        weighed: dict[str, tuple[int, Bounds]] = {}
        for portion in inputs:
            for source, (grams, bounds) in _sources(process, material, portion, rule).items():
                weighed[source] = (grams + weighed.get(source, (0, bounds))[0], bounds)
        if weighed.get(rule.origin, (0, rule.bounds))[0] <= 0:
            continue
        facts = {"origin": rule.origin}
        if len(weighed) == 1:
            found += _within("overall", list(weighed.values()), out, facts)
        else:
            found += _blend(weighed, rule.origin, out)
    return found


def _sources(process: Process, material: str, portion: Portion, rule: Overall) -> dict[str, tuple[int, Bounds]]:
    """What a portion is made from, the rule's origin as far as it is known, with what can come of each."""
    found = {}
    for source, grams in behind(portion, rule.origin).items():
        bounds = rule.bounds if source == rule.origin else between(process, material, source)
        if bounds is None:
            # It came a way that this version of the process does not know; its own material still leads there.
            own = between(process, material, portion.material) or rule.bounds
            return {portion.material: (portion.grams, own)}
        found[source] = (grams, bounds)
    return found


def _blend(weighed: Mapping[str, tuple[int, Bounds]], origin: str, out: int) -> list[Finding]:
    """Bounds of what has several sources: what is known of each bounds what can come of it."""
    parts = weighed.values()
    scaled = out * WHOLE
    low = sum(grams * bounds.usual_min for grams, bounds in parts)
    high = sum(grams * bounds.usual_max for grams, bounds in parts)
    most = sum(grams * bounds.hard_max for grams, bounds in parts)
    least = sum(grams * (bounds.hard_min or 0) for grams, bounds in parts)
    rest = sum(grams for material, (grams, _) in weighed.items() if material != origin)
    facts: dict[str, int | str] = {"origin": origin, "in": weighed[origin][0], "rest": rest, "out": out}
    hard = {**facts, "floor": least // WHOLE, "ceiling": most // WHOLE}
    if scaled > most:
        return [Finding("refuse", "blend-above-bound", hard)]
    if scaled < least:
        return [Finding("refuse", "blend-below-bound", hard)]
    if not low <= scaled <= high:
        return [Finding("doubt", "blend-unusual", {**facts, "floor": low // WHOLE, "ceiling": high // WHOLE})]
    return []


def _within(
    name: str, weighed: Sequence[tuple[int, Bounds]], out: int, params: Mapping[str, int | str]
) -> list[Finding]:
    """Compare `out` with the bounds of each part that went in, summed; multiplied out, never divided."""
    taken = sum(grams for grams, _ in weighed)
    scaled = out * WHOLE
    low = sum(grams * bounds.usual_min for grams, bounds in weighed)
    high = sum(grams * bounds.usual_max for grams, bounds in weighed)
    most = sum(grams * bounds.hard_max for grams, bounds in weighed)
    least = sum(grams * (bounds.hard_min or 0) for grams, bounds in weighed)
    facts = {**params, "out": out, "in": taken, "share": scaled // taken}
    if scaled > most:
        return [
            Finding("refuse", f"{name}-above-bound", {**facts, "low": least // taken, "high": most // taken})
        ]
    if scaled < least:
        return [
            Finding("refuse", f"{name}-below-bound", {**facts, "low": least // taken, "high": most // taken})
        ]
    if not low <= scaled <= high:
        return [Finding("doubt", f"{name}-unusual", {**facts, "low": low // taken, "high": high // taken})]
    return []


def _dry_matter(
    stage: Stage, inputs: Sequence[Portion], out: int, readings: Sequence[Measured]
) -> list[Finding]:
    after = next((basis_points(one.value) for one in readings if one.type == "Moisture"), None)
    moistures = [portion.moisture for portion in inputs]
    if not stage.keeps_dry_matter or after is None or any(moisture is None for moisture in moistures):
        return []
    before_dry = sum(portion.grams * (WHOLE - (portion.moisture or 0)) for portion in inputs)
    after_dry = out * (WHOLE - after)
    low, high = before_dry * (WHOLE - DRY_MATTER_TOLERANCE), before_dry * (WHOLE + DRY_MATTER_TOLERANCE)
    if low <= after_dry * WHOLE <= high:
        return []
    return [
        Finding("doubt", "dry-matter-changed", {"before": before_dry // WHOLE, "after": after_dry // WHOLE})
    ]


def _packing(
    process: Process, stage: Stage, taken: int, units: int | None, net_grams: int | None
) -> list[Finding]:
    if units is None or units <= 0:
        return [Finding("refuse", "no-output", {"stage": stage.key})]
    if net_grams is None or net_grams <= 0:
        return [Finding("refuse", "net-weight-unknown", {})]
    packed = units * net_grams
    if packed > taken:
        facts: dict[str, int | str] = {"packed": packed, "in": taken, "units": units, "net": net_grams}
        return [Finding("refuse", "packed-more-than-there-is", facts)]
    lost = taken - packed
    if lost * WHOLE > taken * process.max_pack_loss:
        facts = {"lost": lost, "in": taken, "share": lost * WHOLE // taken, "most": process.max_pack_loss}
        return [Finding("doubt", "pack-loss", facts)]
    return []


def _readings(stage: Stage, readings: Sequence[Measured]) -> list[Finding]:
    found: list[Finding] = []
    measured = {reading.type for reading in readings}
    for need in stage.readings:
        if need.required and need.type not in measured:
            found.append(Finding("refuse", "reading-missing", {"type": need.type}))
    for reading in readings:
        asked = stage.reading(reading.type)
        facts: dict[str, int | str] = {"type": reading.type, "value": str(reading.value)}
        if not reading.value.is_finite():
            found.append(Finding("refuse", "reading-impossible", {**facts, "low": "", "high": ""}))
            continue
        if asked is None:
            continue
        if reading.unit != asked.unit:
            found.append(
                Finding(
                    "refuse",
                    "reading-unit",
                    {"type": reading.type, "unit": asked.unit, "found": reading.unit},
                )
            )
        elif not asked.low <= reading.value <= asked.high:
            bounds = {"low": str(asked.low), "high": str(asked.high)}
            found.append(Finding("refuse", "reading-impossible", {**facts, **bounds}))
        elif asked.limit is not None and reading.value > asked.limit:
            found.append(Finding("doubt", "reading-over-limit", {**facts, "limit": str(asked.limit)}))
        elif asked.usual is not None and not asked.usual[0] <= reading.value <= asked.usual[1]:
            bounds = {"low": str(asked.usual[0]), "high": str(asked.usual[1])}
            found.append(Finding("doubt", "reading-unusual", {**facts, **bounds}))
    return found
