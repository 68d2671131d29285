"""Reading what a producer typed on a page: kilograms as people write them, a time, readings."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from batches.devices.signing import read_body, salt_of
from batches.processes.models import Kind, Process, ReadingNeed, Stage
from batches.stages.schemas import MOST_DONG
from batches.stages.wanted import FACT_LENGTH, NOTE_LENGTH, Make, Measure, Signed, Take, Wanted
from village import clock
from village.errors import BadInput, SoiError
from village.forms import optional_number
from village.i18n import lazy_gettext as _l
from village.text import clean_line, clean_text

_THOUSANDS = re.compile(r"\d{1,3}(?:[.\s]\d{3})+")
_DECIMAL = re.compile(r"(\d{1,9})(?:,(\d{1,3}))?")
_POINT = re.compile(r"(\d{1,9})\.(\d{1,2})")
SIGNED = frozenset(("claim", "device_claim", "device_key", "device_seq", "device_signature", "device_salt"))
"""Fields that the phone's script adds to a form."""
_UNITS = re.compile(r"\d{1,7}")
PARTS = 6
"""How many fields a split has for its parts; the empty ones do not count."""


def grams(text: str, field: str) -> int:
    """Kilograms as written in Vietnamese (`1.250`, `12,5`, `0,125`) to grams. A point before one or two digits, as
    some phones type it, is a decimal point; before three it groups thousands."""
    typed = text.strip().removesuffix("kg").strip()
    if _THOUSANDS.match(typed):
        whole, _, rest = typed.partition(",")
        if _THOUSANDS.fullmatch(whole):
            typed = re.sub(r"[.\s]", "", whole) + (f",{rest}" if rest else "")
    found = _DECIMAL.fullmatch(typed) or _POINT.fullmatch(typed)
    if not typed.isascii() or found is None:
        raise BadInput("not-kilograms", _l("Chỗ này là số cân, thí dụ 12,5 hoặc 1.250."), field=field)
    return int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0"))


def shown_kilograms(amount: int) -> str:
    """Grams as a field shows them: `1.250` or `12,5`."""
    whole, rest = divmod(amount, 1000)
    text = f"{whole:,}".replace(",", ".")
    return f"{text},{rest:03d}".rstrip("0") if rest else text


def units(text: str, field: str) -> int:
    """A whole number of packs."""
    typed = text.strip().replace(".", "")
    if not typed.isascii() or not _UNITS.fullmatch(typed) or int(typed) == 0:
        raise BadInput("not-units", _l("Chỗ này là số gói, thí dụ 40."), field=field)
    return int(typed)


def moment(text: str) -> dt.datetime:
    """What a date-and-time field sends, in the village's zone; now, when it was left empty."""
    if not text.strip():
        return clock.now().astimezone(clock.VN)
    try:
        found = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput("not-a-time", _l("Bác chọn lại ngày giờ giúp nhé."), field="occurred_at") from None
    return found.replace(tzinfo=clock.VN) if found.tzinfo is None else found


def readings(stage: Stage, typed: Mapping[str, str]) -> tuple[Measure, ...]:
    """The readings that were filled in, one field each."""
    return tuple(
        _reading(need, typed[field].strip())
        for need in stage.readings
        if typed.get(field := f"reading-{need.type}", "").strip()
    )


def _reading(need: ReadingNeed, typed: str) -> Measure:
    text = typed.replace(",", ".").removesuffix("%").strip()
    if not re.fullmatch(r"-?\d{1,5}(?:\.\d{1,3})?", text, re.ASCII):
        raise BadInput("not-a-reading", _l("Chỗ này là một con số, thí dụ 13,2."), field=f"reading-{need.type}")
    return Measure(need.type, Decimal(text), need.unit)


def wanted(process: Process, stage: Stage, typed: Mapping[str, str], event_id: str) -> Wanted:
    """The stage as typed on its form.

    `take-<batch>` in kilograms (packs where the stage counts packs), `packs-<batch>` in packs, `tick-<batch>` for a
    blend; `product` with `made` and `made2`, `units` or `part-0` and so on; `by-<material>` with its product beside it;
    `origin`, `reason`, `sscc` and `value`.
    """
    takes = _takes(process, stage, typed)
    outputs = _makes(stage, typed, takes)
    if stage.kind is Kind.SPLIT:
        takes = _split_from(typed, outputs)
    signed = _signed(typed)
    told = typed.get("occurred_at", "").strip()
    if signed is not None and not told:
        # The moment at which the phone asked what to sign.
        told = str(signed.claim.get("occurred_at", ""))
    return Wanted(
        id=event_id,
        process=process.key,
        stage=stage.key,
        occurred_at=moment(told),
        site=typed.get("site", ""),
        inputs=takes,
        outputs=outputs,
        readings=readings(stage, typed),
        note=clean_text(typed.get("note", ""), "note", NOTE_LENGTH),
        passed=typed.get("passed") != "no" if stage.kind is Kind.INSPECT else None,
        facts=facts(stage, typed),
        value_dong=dong(typed),
        household=None if signed else typed.get("household") or None,
        device=signed,
    )


def unsigned(typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed: the same form is the same request, whoever signs it."""
    return {name: value for name, value in typed.items() if name not in SIGNED}


def _signed(typed: Mapping[str, str]) -> Signed | None:
    """The phone's signature that came with the form; None when the custodian is to sign."""
    if not typed.get("device_key") or typed.get("claim"):
        return None
    claim = read_body(typed.get("device_claim", "").encode("utf-8", "replace"))
    number = typed.get("device_seq", "")
    return Signed(
        typed["device_key"],
        int(number) if re.fullmatch(r"[0-9]{1,10}", number) else 0,
        typed.get("device_signature", ""),
        claim,
        salt_of(typed.get("device_salt")),
        as_built=True,
    )


def facts(stage: Stage, typed: Mapping[str, str]) -> dict[str, str]:
    """What this kind of stage says besides: `origin` of a purchase, `reason` of a loss, `sscc` of a case."""
    found = {}
    if stage.kind is Kind.BUY:
        found["origin"] = clean_line(typed.get("origin", ""), "origin", FACT_LENGTH)
    if stage.kind is Kind.LOSE:
        if typed.get("reason") not in {reason.key for reason in stage.reasons}:
            raise BadInput("no-reason", _l("Bác chọn một lý do giúp nhé."), field="reason")
        found["reason"] = typed["reason"]
    if stage.kind in (Kind.CASE, Kind.UNCASE) and (sscc := re.sub(r"\s", "", typed.get("sscc", ""))):
        found["sscc"] = sscc
    if stage.kind is Kind.UNCASE and not found:
        raise BadInput("no-sscc", _l("Bác chọn giúp mở thùng nào."), field="sscc")
    return found


def dong(typed: Mapping[str, str]) -> int | None:
    """What was paid or got, in whole đồng; None when the field was left empty."""
    return optional_number(typed.get("value", "").strip().removesuffix("đ"), "value", 0, MOST_DONG)


def counted(process: Process, stage: Stage) -> bool:
    """True for a stage whose inputs are packs alone."""
    return bool(stage.inputs) and all(process.material(key).unit == "packs" for key in stage.inputs)


def _takes(process: Process, stage: Stage, typed: Mapping[str, str]) -> tuple[Take, ...]:
    """What goes in. A case is opened by its number, and a blend takes only what was ticked."""
    takes: list[Take] = []
    if stage.kind in (Kind.UNCASE, Kind.SPLIT):
        return ()
    for name, value in typed.items():
        act, _, batch = name.partition("-")
        if act not in ("take", "packs") or not batch or not value.strip():
            continue
        if stage.kind is Kind.MERGE and not typed.get(f"tick-{batch}"):
            continue
        if stage.kind in (Kind.OBSERVE, Kind.INSPECT):
            takes.append(Take(batch))
        elif act == "packs" or counted(process, stage):
            takes.append(Take(batch, units=units(value, name)))
        else:
            takes.append(Take(batch, grams(value, name)))
    return tuple(takes)


def _split_from(typed: Mapping[str, str], parts: Sequence[Make]) -> tuple[Take, ...]:
    """The batch that is split: as much of it as its parts weigh together, unless it was weighed itself."""
    name, value = next(((n, v) for n, v in typed.items() if n.startswith("take-")), ("", ""))
    if not name:
        return ()
    taken = grams(value, name) if value.strip() else sum(part.grams or 0 for part in parts)
    return (Take(name.removeprefix("take-"), taken),)


def _makes(stage: Stage, typed: Mapping[str, str], takes: Sequence[Take]) -> tuple[Make, ...]:
    product = typed.get("product", "")
    if stage.kind is Kind.SPLIT:
        filled = [name for name in (f"part-{n}" for n in range(PARTS)) if typed.get(name, "").strip()]
        return tuple(Make(product, grams(typed[name], name)) for name in filled)
    if stage.kind is Kind.MERGE:
        weighed = typed.get("made", "").strip()
        return (Make(product, grams(weighed, "made") if weighed else sum(take.grams or 0 for take in takes)),)
    if stage.output is None:
        return ()
    if stage.kind is Kind.PACK:
        return (Make(product, units=units(typed.get("units", ""), "units")),)
    made = [name for name in ("made", "made2") if name == "made" or typed.get(name, "").strip()]
    return (*(Make(product, grams(typed.get(name, ""), name)) for name in made), *_beside(stage, typed))


def _beside(stage: Stage, typed: Mapping[str, str]) -> tuple[Make, ...]:
    """By-products that were weighed."""
    names = {f"by-{one.material}" for one in stage.byproducts}
    weighed = [name for name in sorted(names) if typed.get(name, "").strip()]
    return tuple(Make(typed.get(f"{name}-product", ""), grams(typed[name], name)) for name in weighed)


def field_of(stage: Stage, error: SoiError | None) -> str | None:
    """Beside which field of the form an error of the services belongs."""
    if error is None or error.field is None:
        return None
    head, _, rest = error.field.partition(".")
    if head == "outputs":
        if error.slug.startswith("byproduct"):
            return f"by-{stage.byproducts[0].material}"
        return {Kind.PACK: "units", Kind.SPLIT: "part-0"}.get(stage.kind, "made")
    if head == "facts":
        return rest
    if head == "value_dong":
        return "value"
    return {"readings": next((f"reading-{n.type}" for n in stage.readings), None)}.get(head, error.field)
