"""The pieces of a process file: each a frozen value, or `ProcessFileError` with its line."""

import re

from batches.processes.models import Bounds, Byproduct, Material, ReadingNeed, Reason, Text
from batches.processes.nodes import Value

LANGUAGES = frozenset(("blt", "twh", "hmn", "ium", "khb", "pcc"))
"""The village's other languages, by BCP 47 tag: Tai Dam, Tai Don, Hmong, Iu Mien, Lü, Giáy (Bouyei)."""
_KEY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_UNIT_CODE = re.compile(r"[A-Z0-9]{2,3}")
_SUFFIX = re.compile(r"[A-Z]{1,2}")


def key(value: Value) -> str:
    """A name for programs, such as `wet-starch`."""
    text = value.text()
    if not _KEY.fullmatch(text):
        raise value.error(
            f"{text!r} is no key; use small letters without marks, digits and hyphens, as in wet-starch."
        )
    return text


def words(value: Value) -> Text:
    """Words in Vietnamese and English, and in those of the village's other languages that somebody gave."""
    fields = value.mapping()
    vi, en = fields.take("vi").text(), fields.take("en").text()
    others = {tag: found.text() for tag in sorted(LANGUAGES) if (found := fields.maybe(tag))}
    fields.done()
    return Text(vi, en, others)


def one_of(value: Value, allowed: frozenset[str]) -> str:
    """One of the words in `allowed`."""
    text = value.text()
    if text not in allowed:
        raise value.error(f"{text!r} is not known; choose one of {', '.join(sorted(allowed))}.")
    return text


def material(value: Value) -> Material:
    """One entry of `materials`."""
    fields = value.mapping()
    suffix_value = fields.take("suffix")
    suffix = suffix_value.text()
    if not _SUFFIX.fullmatch(suffix):
        raise suffix_value.error(f"{suffix!r} is no suffix; use one or two capital letters, as in T.")
    found = Material(
        key(fields.take("key")),
        words(fields.take("name")),
        one_of(fields.take("unit"), frozenset({"grams", "packs"})),
        key(fields.take("picture")),
        suffix,
        keeps=maybe.truth() if (maybe := fields.maybe("keeps")) else False,
    )
    fields.done()
    return found


def known_material(value: Value, known: dict[str, Material]) -> str:
    """The key of a material that the file lists."""
    name = value.text()
    if name not in known:
        raise value.error(
            f"there is no material {name!r}; list it under materials, or use {', '.join(known)}."
        )
    return name


def bounds(value: Value) -> Bounds:
    """Percentages of what went in: `usual: [low, high]`, `hard_max` and perhaps `hard_min`."""
    fields = value.mapping()
    low, high = (side.percent() for side in fields.take("usual").pair())
    hard_max = fields.take("hard_max").percent()
    hard_min = maybe.percent() if (maybe := fields.maybe("hard_min")) else None
    fields.done()
    if not (hard_min or 0) <= low <= high <= hard_max:
        raise value.error("bounds must rise: hard_min ≤ usual low ≤ usual high ≤ hard_max.")
    return Bounds(low, high, hard_max, hard_min)


def byproduct(value: Value, known: dict[str, Material]) -> Byproduct:
    """One entry of a stage's `byproducts`."""
    fields = value.mapping()
    where = fields.take("material")
    name = known_material(where, known)
    if known[name].unit != "grams":
        raise where.error(f"{name!r} is counted in packs; a by-product is weighed.")
    found = Byproduct(name, bounds(fields.take("bounds")))
    fields.done()
    return found


def reason(value: Value) -> Reason:
    """One entry of a stage's `reasons`."""
    fields = value.mapping()
    found = Reason(key(fields.take("key")), words(fields.take("name")), key(fields.take("picture")))
    fields.done()
    return found


def grams(value: Value) -> tuple[int, int]:
    """Two weights, the lower one first."""
    low, high = (side.integer() for side in value.pair())
    if low > high:
        raise value.error(f"the lower bound {low} is above the upper one {high}; exchange them.")
    return low, high


def reading(value: Value) -> ReadingNeed:
    """One entry of a stage's `readings`."""
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
        words(fields.take("name")),
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
