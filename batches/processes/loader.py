"""Process files (`*.yaml` beside this file) read into frozen values, and checked as a whole."""

import re
from pathlib import Path
from typing import TypeVar

from batches.processes.models import Bounds, Kind, Material, Overall, Process, ReadingNeed, Stage, Text
from batches.processes.nodes import Fields, ProcessFileError, Value, read

__all__ = ["FOLDER", "ProcessFileError", "load", "load_all", "parse"]

FOLDER = Path(__file__).parent
_KEY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_UNIT_CODE = re.compile(r"[A-Z0-9]{2,3}")
_SUFFIX = re.compile(r"[A-Z]{1,2}")

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
_Keyed = TypeVar("_Keyed", Material, Stage)

# Kinds that take nothing, and kinds that give nothing new.
_BEGINS = {Kind.COMMISSION}
_LOOKS = {Kind.OBSERVE, Kind.INSPECT, Kind.DISPATCH}


def load_all(folder: Path = FOLDER) -> dict[str, Process]:
    """Every process in `folder`, by key. Raises `ProcessFileError`."""
    found: dict[str, Process] = {}
    for path in sorted(folder.glob("*.yaml")):
        process = load(path)
        found[process.key] = process
    return found


def load(path: Path) -> Process:
    """The process in one file, whose name must be its key. Raises `ProcessFileError`."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ProcessFileError(path.name, 1, "the file is not UTF-8; save it as UTF-8.") from error
    return parse(text, path.name)


def parse(text: str, file: str) -> Process:
    """The process written in `text`. Raises `ProcessFileError`."""
    top = read(text, file).mapping()
    key = _key(top.take("key"))
    if file != f"{key}.yaml":
        raise top.take("key").error(f"the key {key!r} and the file's name differ; call the file {key}.yaml.")
    version = top.take("version").integer()
    name = _text(top.take("name"))
    months = top.take("shelf_life_months").integer()
    loss = top.take("max_pack_loss").percent()
    materials = _unique([(value, _material(value)) for value in top.take("materials").items()])
    known = {material.key: material for material in materials}
    stages = _unique([(value, _stage(value, known)) for value in top.take("stages").items()])
    overall = _overall(top, known)
    top.done()
    _every_material_is_made(top, known, stages)
    return Process(key, version, name, months, materials, stages, overall, loss)


def _unique(pairs: list[tuple[Value, _Keyed]]) -> tuple[_Keyed, ...]:
    seen: dict[str, int] = {}
    for value, thing in pairs:
        if thing.key in seen:
            raise value.error(f"the key {thing.key!r} was used on line {seen[thing.key]}; choose another.")
        seen[thing.key] = value.line
    return tuple(thing for _, thing in pairs)


def _key(value: Value) -> str:
    text = value.text()
    if not _KEY.fullmatch(text):
        raise value.error(
            f"{text!r} is no key; use small letters without marks, digits and hyphens, as in wet-starch."
        )
    return text


def _text(value: Value) -> Text:
    fields = value.mapping()
    found = Text(fields.take("vi").text(), fields.take("en").text())
    fields.done()
    return found


def _one_of(value: Value, allowed: frozenset[str]) -> str:
    text = value.text()
    if text not in allowed:
        raise value.error(f"{text!r} is not known; choose one of {', '.join(sorted(allowed))}.")
    return text


def _material(value: Value) -> Material:
    fields = value.mapping()
    suffix_value = fields.take("suffix")
    suffix = suffix_value.text()
    if not _SUFFIX.fullmatch(suffix):
        raise suffix_value.error(f"{suffix!r} is no suffix; use one or two capital letters, as in T.")
    found = Material(
        _key(fields.take("key")),
        _text(fields.take("name")),
        _one_of(fields.take("unit"), frozenset({"grams", "packs"})),
        _key(fields.take("picture")),
        suffix,
    )
    fields.done()
    return found


def _known(value: Value, known: dict[str, Material]) -> str:
    key = value.text()
    if key not in known:
        raise value.error(
            f"there is no material {key!r}; list it under materials, or use {', '.join(known)}."
        )
    return key


def _stage(value: Value, known: dict[str, Material]) -> Stage:
    fields = value.mapping()
    kind = Kind(_one_of(fields.take("kind"), frozenset(Kind)))
    inputs = tuple(_known(item, known) for item in maybe.items()) if (maybe := fields.maybe("inputs")) else ()
    output = _known(maybe, known) if (maybe := fields.maybe("output")) else None
    _check_flow(value, kind, inputs, output, known)
    yields = _yields(fields, kind, inputs)
    disposition = fields.maybe("disposition")
    stage = Stage(
        key=_key(fields.take("key")),
        kind=kind,
        name=_text(fields.take("name")),
        ask=_text(fields.take("ask")),
        story=_text(fields.take("story")),
        picture=_key(fields.take("picture")),
        inputs=inputs,
        output=output,
        biz_step=_one_of(fields.take("biz_step"), BIZ_STEPS),
        disposition=_one_of(disposition, DISPOSITIONS) if disposition else None,
        yields=yields,
        readings=tuple(_reading(item) for item in maybe.items())
        if (maybe := fields.maybe("readings"))
        else (),
        usual_grams=_grams(maybe) if (maybe := fields.maybe("usual_grams")) else None,
        keeps_dry_matter=maybe.truth() if (maybe := fields.maybe("keeps_dry_matter")) else False,
        optional=maybe.truth() if (maybe := fields.maybe("optional")) else False,
    )
    fields.done()
    return stage


def _check_flow(
    value: Value, kind: Kind, inputs: tuple[str, ...], output: str | None, known: dict[str, Material]
) -> None:
    if bool(inputs) is (kind in _BEGINS):
        raise value.error(f"a stage of kind {kind} {'takes no' if inputs else 'needs'} inputs.")
    if (output is None) is not (kind in _LOOKS):
        raise value.error(f"a stage of kind {kind} {'needs an' if output is None else 'has no'} output.")
    if len(set(inputs)) < len(inputs):
        raise value.error("an input stands here twice; remove one.")
    if output is not None and (known[output].unit == "packs") is not (kind is Kind.PACK):
        raise value.error(
            f"only a stage of kind pack gives packs; the unit of {output!r} does not fit kind {kind}."
        )
    if output in inputs:
        raise value.error(f"{output!r} goes in and comes out; give what comes out a material of its own.")


def _yields(fields: Fields, kind: Kind, inputs: tuple[str, ...]) -> dict[str, Bounds]:
    value = fields.maybe("yields")
    if kind is not Kind.TRANSFORM:
        if value is not None:
            raise value.error(f"only a stage of kind transform has yields, not {kind}; remove them.")
        return {}
    if value is None:
        raise fields.owner.error("'yields' is missing; say for each input how much comes out, in per cent.")
    by_input = value.mapping()
    found = {key: _bounds(by_input.take(key)) for key in inputs}
    by_input.done()
    return found


def _bounds(value: Value) -> Bounds:
    fields = value.mapping()
    low, high = (side.percent() for side in fields.take("usual").pair())
    hard_max = fields.take("hard_max").percent()
    hard_min = maybe.percent() if (maybe := fields.maybe("hard_min")) else None
    fields.done()
    if not (hard_min or 0) <= low <= high <= hard_max:
        raise value.error("bounds must rise: hard_min ≤ usual low ≤ usual high ≤ hard_max.")
    return Bounds(low, high, hard_max, hard_min)


def _grams(value: Value) -> tuple[int, int]:
    low, high = (side.integer() for side in value.pair())
    if low > high:
        raise value.error(f"the lower bound {low} is above the upper one {high}; exchange them.")
    return low, high


def _reading(value: Value) -> ReadingNeed:
    fields = value.mapping()
    unit_value = fields.take("unit")
    unit = unit_value.text()
    if not _UNIT_CODE.fullmatch(unit):
        raise unit_value.error(
            f"{unit!r} is no unit code; use two or three of A–Z and 0–9, as in P1 (%) or CEL (°C)."
        )
    low, high = (side.decimal() for side in fields.take("plausible").pair())
    usual_value = fields.maybe("usual")
    usual = None
    if usual_value is not None:
        first, last = usual_value.pair()
        usual = (first.decimal(), last.decimal())
    limit_value = fields.maybe("limit")
    limit = limit_value.decimal() if limit_value else None
    need = ReadingNeed(
        fields.take("type").text(),
        unit,
        _text(fields.take("name")),
        low,
        high,
        usual,
        limit,
        required=maybe.truth() if (maybe := fields.maybe("required")) else False,
    )
    fields.done()
    marks = [low, *(usual or ()), high]
    if marks != sorted(marks) or (limit is not None and not low <= limit <= high):
        raise value.error("bounds must rise, and 'usual' and 'limit' lie within 'plausible'.")
    return need


def _overall(top: Fields, known: dict[str, Material]) -> tuple[Overall, ...]:
    found = []
    value = top.maybe("overall")
    for item in value.items() if value else []:
        fields = item.mapping()
        material, origin = _known(fields.take("material"), known), _known(fields.take("origin"), known)
        bounds = _bounds(fields.take("bounds"))
        fields.done()
        found.append(Overall(material, origin, bounds))
    return tuple(found)


def _every_material_is_made(top: Fields, known: dict[str, Material], stages: tuple[Stage, ...]) -> None:
    made = {stage.output for stage in stages}
    for value, key in zip(top.take("materials").items(), known, strict=True):
        if key not in made:
            raise value.error(f"no stage gives the material {key!r}; add one, or remove the material.")
