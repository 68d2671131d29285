"""A process in words: what each stage takes and gives, and its bounds as a neighbour would say them."""

from dataclasses import dataclass
from decimal import Decimal

from batches.processes.drawing import numbered
from batches.processes.models import Bounds, Kind, Process, ReadingNeed, Stage, Text
from village.i18n import gettext as _
from village.i18n import in_language, kilograms, number, percent


@dataclass(frozen=True)
class Step:
    """One stage with its number in the picture, what it takes and gives, and its rules."""

    number: int
    stage: Stage
    takes: str
    gives: str
    rules: tuple[str, ...]


def words(text: Text) -> str:
    """A text of a process file in the reader's language."""
    return in_language(text.vi, text.en)


def steps(process: Process, *, rare: bool) -> list[Step]:
    """The stages of the usual way, or the rarer acts."""
    numbers = numbered(process)
    return [
        Step(
            numbers[stage.key],
            stage,
            _names(process, stage.inputs),
            _names(process, stage.gives),
            tuple(_rules(process, stage)),
        )
        for stage in process.stages
        if stage.rare is rare
    ]


def overall(process: Process) -> list[str]:
    """The bounds over the whole way."""
    return [_bounds(_name(process, one.origin), _name(process, one.material), one.bounds) for one in process.overall]


def _rules(process: Process, stage: Stage) -> list[str]:
    told = [
        _bounds(_name(process, key), _name(process, stage.output or ""), bounds) for key, bounds in stage.yields.items()
    ]
    for one in stage.byproducts:
        told.append(
            _(
                "Cứ 100 kg đem làm thường có thêm %(low)s đến %(high)s %(out)s, không khi nào quá %(most)s.",
                low=_share(one.bounds.usual_min), high=_kilograms(one.bounds.usual_max),
                out=_name(process, one.material), most=_kilograms(one.bounds.hard_max),
            )
        )  # fmt: skip
    if stage.keeps_dry_matter:
        told.append(_("Chỉ có nước bay đi, chất khô còn nguyên."))
    if stage.kind is Kind.PACK:
        told.append(_("Hao hơn %(most)s thì hỏi lại vì sao.", most=percent(Decimal(process.max_pack_loss) / 10_000)))
    if stage.usual_grams is not None:
        low, high = stage.usual_grams
        told.append(_("Mỗi lần thường từ %(low)s đến %(high)s.", low=kilograms(low), high=kilograms(high)))
    if stage.kind in (Kind.SPLIT, Kind.MERGE):
        told.append(_("Cộng lại không bao giờ nhiều hơn trước, thiếu hơn 2 % thì hỏi lại."))
    if stage.kind is Kind.BUY:
        told.append(_("Mua từ đâu thì người quét mã thấy đúng như vậy."))
    if stage.reasons:
        told.append(_("Vì sao: %(reasons)s.", reasons=", ".join(words(one.name) for one in stage.reasons)))
    return told + [_reading(need) for need in stage.readings]


def _bounds(origin: str, material: str, bounds: Bounds) -> str:
    return _(
        "Từ 100 kg %(origin)s thường được %(low)s đến %(high)s %(material)s, không khi nào quá %(most)s.",
        origin=origin, material=material, low=_share(bounds.usual_min), high=_kilograms(bounds.usual_max),
        most=_kilograms(bounds.hard_max),
    )  # fmt: skip


def _reading(need: ReadingNeed) -> str:
    name = words(need.name)
    unit = {"P1": "%", "CEL": "°C"}.get(need.unit, need.unit)
    if need.limit is not None:
        return _("Đo %(name)s: không quá %(limit)s %(unit)s.", name=name, limit=number(need.limit), unit=unit)
    if need.usual is not None:
        low, high = need.usual
        told = {"name": name, "low": number(low), "high": number(high), "unit": unit}
        return _("Đo %(name)s: thường từ %(low)s đến %(high)s %(unit)s.", **told)
    return _("Đo %(name)s.", name=name)


def _share(basis_points: int) -> str:
    """Of a hundred kilograms."""
    return number(Decimal(basis_points) / 100)


def _kilograms(basis_points: int) -> str:
    return kilograms(basis_points * 10)


def _name(process: Process, material: str) -> str:
    return words(process.material(material).name)


def _names(process: Process, materials: tuple[str, ...]) -> str:
    return ", ".join(_name(process, key) for key in materials)
