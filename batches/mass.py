"""Mass cannot be invented: is what is said to have come out possible for what went in?

Pure, and in integers: grams, packs and basis points (18 % is 1800). `judge` gives findings; `refuse` is
impossible, `doubt` needs a reason from the producer and stays visible as a warning.

Slugs and their params (grams as integers, shares in basis points, readings as strings):

- `wrong-input` material, stage; `no-input` stage; `no-output` stage; `unusual-amount` grams, low, high
- `yield-above-bound`, `yield-below-bound`, `yield-unusual` out, in, share, low, high
- `overall-above-bound`, `overall-below-bound`, `overall-unusual` the same and origin
- `dry-matter-changed` before, after
- `packed-more-than-there-is` packed, in, units, net; `pack-loss` lost, in, share, most; `net-weight-unknown`
- `reading-missing` type; `reading-unit` type, unit, found; `reading-over-limit` type, value, limit
- `reading-impossible`, `reading-unusual` type, value, low, high (empty for a value that is no number)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from batches.processes.models import WHOLE, Bounds, Kind, Process, Stage

DRY_MATTER_TOLERANCE = 500
"""Dry matter m·(1−w) must be kept within ± 5 %."""

Severity = Literal["refuse", "doubt"]


@dataclass(frozen=True)
class Portion:
    """Grams taken from a batch.

    `origins`: grams of each ancestor material that stand behind them, where known.
    `moisture`: the batch's last measured one, in basis points.
    """

    material: str
    grams: int
    origins: Mapping[str, int] = field(default_factory=dict)
    moisture: int | None = None


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
) -> list[Finding]:
    """All findings about one recording of `stage`, the impossible ones first.

    `output_grams` is the weight of all outputs together; a packing gives `units` and
    a pack's `net_grams` instead.
    """
    found = [*_inputs(stage, inputs), *_readings(stage, readings)]
    taken = sum(portion.grams for portion in inputs)
    if stage.kind is Kind.PACK:
        found += _packing(process, stage, taken, units, net_grams)
    elif stage.output is not None and (output_grams is None or output_grams <= 0):
        found.append(Finding("refuse", "no-output", {"stage": stage.key}))
    elif stage.output is not None and output_grams is not None:
        found += _amount(stage, output_grams)
        if not any(finding.severity == "refuse" for finding in found):
            found += _yield(stage, inputs, output_grams)
            found += _overall(process, stage, inputs, output_grams)
            found += _dry_matter(stage, inputs, output_grams, readings)
    return sorted(found, key=lambda finding: finding.severity != "refuse")


def carry_origins(inputs: Sequence[Portion]) -> dict[str, int]:
    """The ancestors behind what comes out: those that every portion knows, summed. A portion is its own, too.

    An ancestor that one portion does not know is left out: half an origin would make yields look too good.
    """
    known = [{**portion.origins, portion.material: portion.grams} for portion in inputs]
    shared = set.intersection(*(set(origins) for origins in known)) if known else set()
    return {key: sum(origins[key] for origins in known) for key in sorted(shared)}


def share(origin_grams: int, whole: int, before: int, taken: int) -> int:
    """The part of a batch's origin that goes with `taken` of its `whole` grams, after `before` were taken.

    Pro rata in integers; the shares of a batch that is wholly used up sum to exactly `origin_grams`.
    """
    if not (before >= 0 and taken >= 0 and before + taken <= whole and whole > 0):
        raise ValueError(f"Cannot take {taken} g after {before} g out of {whole} g.")
    return origin_grams * (before + taken) // whole - origin_grams * before // whole


def basis_points(percent: Decimal) -> int:
    """A percentage as read from a meter, in basis points."""
    return int((percent * 100).to_integral_value())


def _inputs(stage: Stage, inputs: Sequence[Portion]) -> list[Finding]:
    found = [
        Finding("refuse", "wrong-input", {"material": portion.material, "stage": stage.key})
        for portion in inputs
        if portion.material not in stage.inputs
    ]
    # Packs that are only looked at or sent away have no weight of their own.
    weighs = stage.kind in (Kind.TRANSFORM, Kind.PACK)
    if stage.inputs and (not inputs or (weighs and any(portion.grams <= 0 for portion in inputs))):
        found.append(Finding("refuse", "no-input", {"stage": stage.key}))
    return found


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


def _overall(process: Process, stage: Stage, inputs: Sequence[Portion], out: int) -> list[Finding]:
    origins = carry_origins(inputs)
    found: list[Finding] = []
    for rule in process.overall:
        # The stage's own yield already speaks where the origin itself went in.
        direct = all(portion.material == rule.origin for portion in inputs)
        if rule.material == stage.output and not direct and origins.get(rule.origin, 0) > 0:
            found += _within("overall", [(origins[rule.origin], rule.bounds)], out, {"origin": rule.origin})
    return found


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
