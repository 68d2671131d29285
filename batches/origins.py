"""What stands behind a batch: the grams of its ancestors, as far as they are known, and what can come of them.

Pure, and in integers: grams and basis points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from batches.processes.models import WHOLE, Bounds, Kind, Process

BESIDE = "?"
"""Stands in the key `tuber?dry-starch` between an ancestor and what is there in its stead: grams of dry starch whose
tubers nobody knows."""


@dataclass(frozen=True)
class Portion:
    """Grams taken from a batch.

    `origins`: grams of each ancestor material that stand behind them, where known; and under `tuber?dry-starch` the
    grams of dry starch behind that part of them whose tubers are unknown, because it was bought.
    `moisture`: the batch's last measured one, in basis points.
    """

    material: str
    grams: int
    origins: Mapping[str, int] = field(default_factory=dict)
    moisture: int | None = None


def carry_origins(inputs: Sequence[Portion]) -> dict[str, int]:
    """The ancestors behind what comes out, summed over the portions. A portion is its own, too.

    Where a portion does not know an ancestor that another one knows, its own grams stand beside it as
    `ancestor?material`: half an origin alone would make yields look too good.
    """
    carried: dict[str, int] = {}
    known = {key.partition(BESIDE)[0] for portion in inputs for key in (*portion.origins, portion.material)}
    for origin in sorted(known):
        for portion in inputs:
            for material, grams in behind(portion, origin).items():
                key = origin if material == origin else f"{origin}{BESIDE}{material}"
                carried[key] = carried.get(key, 0) + grams
    return carried


def ancestors(origins: Mapping[str, int]) -> dict[str, int]:
    """The grams of each known ancestor alone, without what stands beside it."""
    return {key: grams for key, grams in origins.items() if BESIDE not in key}


def behind(portion: Portion, origin: str) -> dict[str, int]:
    """What of `origin` is behind a portion, and what stands in its stead where it is unknown, in grams by material."""
    if portion.material == origin:
        return {origin: portion.grams}
    found = {origin: portion.origins[origin]} if origin in portion.origins else {}
    start = f"{origin}{BESIDE}"
    found |= {key.removeprefix(start): grams for key, grams in portion.origins.items() if key.startswith(start)}
    return found or {portion.material: portion.grams}


def share(origin_grams: int, whole: int, before: int, taken: int) -> int:
    """The part of a batch's origin that goes with `taken` of its `whole` grams, after `before` were taken.

    Pro rata in integers; the shares of a batch that is wholly used up sum to exactly `origin_grams`.
    """
    if not (before >= 0 and taken >= 0 and before + taken <= whole and whole > 0):
        raise ValueError(f"Cannot take {taken} g after {before} g out of {whole} g.")
    return origin_grams * (before + taken) // whole - origin_grams * before // whole


def between(process: Process, material: str, origin: str) -> Bounds | None:
    """How much of `material` can come of `origin`: the process's own bounds, or else its stages' multiplied.

    Where several ways lead there, the widest of each side; None if none does.
    """
    told = next((r.bounds for r in process.overall if (r.material, r.origin) == (material, origin)), None)
    if told is not None:
        return told
    if material == origin:
        return Bounds(WHOLE, WHOLE, WHOLE)
    ways: list[Bounds] = []
    for stage in process.stages:
        if stage.output != material or stage.kind is not Kind.TRANSFORM:
            continue
        for key, last in stage.yields.items():
            first = between(process, key, origin)
            if first is None:
                continue
            ways.append(
                Bounds(
                    first.usual_min * last.usual_min // WHOLE,
                    -(-first.usual_max * last.usual_max // WHOLE),
                    -(-first.hard_max * last.hard_max // WHOLE),
                    (first.hard_min or 0) * (last.hard_min or 0) // WHOLE,
                )
            )
    if not ways:
        return None
    return Bounds(
        min(one.usual_min for one in ways),
        max(one.usual_max for one in ways),
        max(one.hard_max for one in ways),
        min(one.hard_min or 0 for one in ways),
    )


