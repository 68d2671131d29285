"""What the office types about sensors, checked."""

import re
from dataclasses import dataclass
from decimal import Decimal

from batches.sensors.kinds import MEASURES, Measure
from batches.sensors.rows import MOST
from village.errors import BadInput
from village.forms import Form, choice, whole_number
from village.i18n import lazy_gettext as _l
from village.text import clean_name

NAME_MAX = 60
_VALUE = re.compile(r"-?\d{1,7}(?:[.,]\d{1,3})?", re.ASCII)


@dataclass(frozen=True)
class SensorFields:
    """A sensor: where it is, what it measures, what is plausible, what is usual. Values in thousandths."""

    name: str
    site_id: str
    measure: Measure
    low: int
    high: int
    usual: tuple[int, int] | None
    silent_minutes: int


def sensor_fields(form: Form) -> SensorFields:
    """The fields of a sensor's form; BadInput for the first one that is not right. Bounds left empty are the kind's."""
    name = clean_name(form.text("name"), "name", NAME_MAX)
    measure = MEASURES[choice(form.text("type"), "type", MEASURES)]
    low = _value(form.text("low"), "low", measure.low)
    high = _value(form.text("high"), "high", measure.high)
    usual_low = _value(form.text("usual_low"), "usual_low", None)
    usual_high = _value(form.text("usual_high"), "usual_high", None)
    if low is None or high is None or low >= high:
        raise BadInput("bounds", _l("Mức thấp phải nhỏ hơn mức cao."), field="high")
    if (usual_low is None) != (usual_high is None):
        at_fault = "usual_low" if usual_low is None else "usual_high"
        raise BadInput("half-a-band", _l("Mức thường gặp cần cả thấp và cao."), field=at_fault)
    usual = (usual_low, usual_high) if usual_low is not None and usual_high is not None else None
    if usual is not None and not low <= usual[0] < usual[1] <= high:
        raise BadInput("bounds", _l("Mức thường gặp phải nằm trong mức có thể."), field="usual_high")
    return SensorFields(
        name=name,
        site_id=form.text("site"),
        measure=measure,
        low=low,
        high=high,
        usual=usual,
        silent_minutes=whole_number(form.text("silent_minutes") or "15", "silent_minutes", 1, 1440),
    )


def typed(value: int | None) -> str:
    """Thousandths as a field shows them: `13,2`."""
    if value is None:
        return ""
    text = format(Decimal(value).scaleb(-3), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")


def _value(text: str, field: str, otherwise: int | None) -> int | None:
    """A number as people write it, in thousandths; `otherwise` where nothing was typed."""
    if not text.strip():
        return otherwise
    if not _VALUE.fullmatch(text.strip()):
        raise BadInput("not-a-reading", _l("Chỗ này là một con số, thí dụ 13,2."), field=field)
    value = int(Decimal(text.strip().replace(",", ".")).scaleb(3))
    if not -MOST <= value <= MOST:
        raise BadInput("not-a-reading", _l("Chỗ này là một con số, thí dụ 13,2."), field=field)
    return value
