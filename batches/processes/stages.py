"""One stage of a process file, each of its fields read by itself so that every mistake is told."""

from collections.abc import Sequence
from typing import TypeVar

from batches.processes import fields as read
from batches.processes.models import Bounds, Byproduct, Kind, Material, Reason, Stage
from batches.processes.nodes import Faults, Fields, Value

# Core Business Vocabulary 2.0: those that a village's stages can need.
# fmt: off
BIZ_STEPS = frozenset(
    (
        "accepting", "arriving", "assembling", "collecting", "commissioning", "consigning",
        "creating_class_instance", "departing", "destroying", "holding", "inspecting", "loading", "other",
        "packing", "picking", "receiving", "repackaging", "retail_selling", "sampling", "sensor_reporting",
        "shipping", "staging_outbound", "storing", "transporting", "unpacking",
    )
)
DISPOSITIONS = frozenset(
    (
        "active", "available", "conformant", "container_closed", "damaged", "destroyed", "expired",
        "in_progress", "in_transit", "inactive", "non_conformant", "non_sellable_other", "recalled",
        "retail_sold", "sellable_accessible", "sellable_not_accessible",
    )
)
# fmt: on
BEGINS = frozenset((Kind.COMMISSION, Kind.BUY))
"""Kinds that take nothing."""
_GIVES = frozenset((*BEGINS, Kind.TRANSFORM, Kind.PACK))
_WEIGHS = frozenset((Kind.TRANSFORM, Kind.PACK, Kind.SPLIT, Kind.MERGE))
_COUNTS = frozenset((Kind.CASE, Kind.UNCASE))
_Part = TypeVar("_Part", Byproduct, Reason)


def stage(value: Value, known: dict[str, Material], faults: Faults) -> Stage | None:
    """The stage written here; None when it has faults, which are noted."""
    fields = value.mapping()
    before = len(faults.found)
    with faults.noted():
        key = read.key(fields.take("key"))
    with faults.noted():
        name = read.words(fields.take("name"))
    with faults.noted():
        ask = read.words(fields.take("ask"))
    with faults.noted():
        story = read.words(fields.take("story"))
    with faults.noted():
        picture = read.key(fields.take("picture"))
    with faults.noted():
        biz_step = read.one_of(fields.take("biz_step"), BIZ_STEPS)
    disposition = None
    with faults.noted():
        disposition = read.one_of(maybe, DISPOSITIONS) if (maybe := fields.maybe("disposition")) else None
    usual_grams = None
    with faults.noted():
        usual_grams = read.grams(maybe) if (maybe := fields.maybe("usual_grams")) else None
    per_hectare = None
    with faults.noted():
        per_hectare = read.grams(maybe) if (maybe := fields.maybe("per_hectare")) else None
    keeps_dry_matter = optional = False
    with faults.noted():
        keeps_dry_matter = maybe.truth() if (maybe := fields.maybe("keeps_dry_matter")) else False
    with faults.noted():
        optional = maybe.truth() if (maybe := fields.maybe("optional")) else False
    readings = []
    for item in _items(fields.maybe("readings"), faults):
        with faults.noted():
            readings.append(read.reading(item))
    flow = _flow(value, fields, known, faults)
    faults.found += fields.strangers()
    if flow is None or len(faults.found) > before:
        return None
    kind, inputs, output, yields, byproducts, reasons = flow
    if per_hectare and kind is not Kind.COMMISSION:
        faults.found.append(value.error(f"a stage of kind {kind} grows on no field; remove per_hectare."))
        return None
    return Stage(
        key, kind, name, ask, story, picture, inputs, output, biz_step, disposition, yields, tuple(readings),
        usual_grams, keeps_dry_matter, optional, byproducts, reasons, per_hectare,
    )  # fmt: skip


_Flow = tuple[
    Kind, tuple[str, ...], str | None, dict[str, Bounds], tuple[Byproduct, ...], tuple[Reason, ...]
]


def _flow(value: Value, fields: Fields, known: dict[str, Material], faults: Faults) -> _Flow | None:
    """What goes in and what comes out, which hang together."""
    told = {
        name: fields.maybe(name) for name in ("kind", "inputs", "output", "yields", "byproducts", "reasons")
    }
    with faults.noted():
        kind = Kind(read.one_of(fields.take("kind"), frozenset(Kind)))
        inputs = tuple(read.known_material(item, known) for item in (told["inputs"].items() if told["inputs"] else ()))
        output = read.known_material(told["output"], known) if told["output"] else None
        _check_flow(value, kind, inputs, output, known)
        yields = _yields(value, told["yields"], kind, inputs)
        byproducts = tuple(read.byproduct(item, known) for item in _only(told["byproducts"], kind, Kind.TRANSFORM))
        for item, one in zip(_only(told["byproducts"], kind, Kind.TRANSFORM), byproducts, strict=True):
            if one.material == output or one.material in inputs:
                raise item.error(f"{one.material!r} is an input or the output of this stage already; remove one.")
        reasons = tuple(read.reason(item) for item in _only(told["reasons"], kind, Kind.LOSE))
        if kind is Kind.LOSE and not reasons:
            raise value.error("'reasons' is missing; a stage of kind lose says what it can have been.")
        _no_twins(told["byproducts"], [one.material for one in byproducts])
        _no_twins(told["reasons"], [one.key for one in reasons])
        return kind, inputs, output, yields, byproducts, reasons
    return None


def _items(value: Value | None, faults: Faults) -> list[Value]:
    with faults.noted():
        return value.items() if value else []
    return []


def _only(value: Value | None, kind: Kind, owner: Kind) -> list[Value]:
    if value is not None and kind is not owner:
        raise value.error(f"only a stage of kind {owner} has this, not {kind}; remove it.")
    return value.items() if value else []


def _no_twins(value: Value | None, keys: Sequence[str]) -> None:
    if value is not None and len(set(keys)) < len(keys):
        raise value.error("one stands here twice; remove it.")


def _check_flow(
    value: Value, kind: Kind, inputs: tuple[str, ...], output: str | None, known: dict[str, Material]
) -> None:
    if bool(inputs) is (kind in BEGINS):
        raise value.error(f"a stage of kind {kind} {'takes no' if inputs else 'needs'} inputs.")
    if (output is not None) is not (kind in _GIVES):
        raise value.error(f"a stage of kind {kind} {'needs an' if output is None else 'has no'} output.")
    if len(set(inputs)) < len(inputs):
        raise value.error("an input stands here twice; remove one.")
    if output is not None and (known[output].unit == "packs") is not (kind is Kind.PACK):
        raise value.error(
            f"only a stage of kind pack gives packs; the unit of {output!r} does not fit kind {kind}."
        )
    wrong = {"packs"} if kind in _WEIGHS else {"grams"} if kind in _COUNTS else set()
    for key in inputs:
        if known[key].unit in wrong:
            raise value.error(f"a stage of kind {kind} cannot take {key!r}, which is in {known[key].unit}.")
    if output in inputs:
        raise value.error(f"{output!r} goes in and comes out; give what comes out a material of its own.")


def _yields(stage: Value, value: Value | None, kind: Kind, inputs: tuple[str, ...]) -> dict[str, Bounds]:
    if kind is not Kind.TRANSFORM:
        if value is not None:
            raise value.error(f"only a stage of kind transform has yields, not {kind}; remove them.")
        return {}
    if value is None:
        raise stage.error("'yields' is missing; say for each input how much comes out, in per cent.")
    by_input = value.mapping()
    for name in by_input.names():
        if name not in inputs:
            raise by_input.take(name).error(
                f"the yield of {name!r} is told, but this stage does not take it; it takes {', '.join(inputs)}."
            )
    return {key: read.bounds(by_input.take(key)) for key in inputs}
