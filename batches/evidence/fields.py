"""What the office copies from a laboratory's paper, checked."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from village import clock
from village.errors import BadInput
from village.forms import Form, choice, day
from village.i18n import lazy_gettext as _l
from village.text import clean_line

LONGEST = dt.timedelta(days=20 * 366)
MOST_LINES = 60
_OUTCOMES = {"đạt": True, "dat": True, "pass": True, "không đạt": False, "khong dat": False, "fail": False, "": None}


@dataclass(frozen=True)
class ReportFields:
    """A report as on the paper. One of `lots` (codes as typed), `product_id` and `site_id` says what it is about."""

    lots: str
    product_id: str
    site_id: str
    laboratory: str
    number: str
    issued_on: dt.date
    expires_on: dt.date | None
    passed: bool
    parameters: list[dict[str, Any]]
    public: bool


def report_fields(form: Form) -> ReportFields:
    """The fields of the report's form, or BadInput that names one."""
    subjects = [name for name in ("lot", "product", "site") if form.text(name).strip()]
    if len(subjects) != 1:
        raise BadInput(
            "one-subject", _l("Phiếu đo cái gì: bác ghi mã lô, hoặc chọn sản phẩm, hoặc chọn nơi làm, một trong ba."),
            field="lot",
        )  # fmt: skip
    issued_on = day(form.text("issued_on"), "issued_on")
    if issued_on > clock.today():
        raise BadInput("issued-in-future", _l("Ngày cấp chưa tới mà."), field="issued_on")
    expires_on = day(form.text("expires_on"), "expires_on") if form.text("expires_on").strip() else None
    if expires_on is not None and not issued_on <= expires_on <= issued_on + LONGEST:
        raise BadInput("ends-before-it-begins", _l("Ngày hết hạn phải sau ngày cấp, trong 20 năm."), field="expires_on")
    return ReportFields(
        lots=form.text("lot").strip(),
        product_id=form.text("product"),
        site_id=form.text("site"),
        laboratory=clean_line(form.text("laboratory"), "laboratory", 200),
        number=clean_line(form.text("number"), "number", 60),
        issued_on=issued_on,
        expires_on=expires_on,
        passed=choice(form.text("passed"), "passed", ("yes", "no")) == "yes",
        parameters=parameters(form.text("parameters")),
        public=form.ticked("public"),
    )


def parameters(text: str) -> list[dict[str, Any]]:
    """A line for each thing that was measured: `name; value; unit; limit; đạt or không đạt`, the last three at will."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        raise BadInput("too-many-lines", _l("Nhiều nhất %(most)s dòng thôi nhé."), field="parameters", most=MOST_LINES)
    return [_parameter(line) for line in lines]


def _parameter(line: str) -> dict[str, Any]:
    parts = [part.strip() for part in line.split(";")]
    if not 2 <= len(parts) <= 5:
        raise _unclear(line)
    name, value, unit, limit, outcome = (*parts, *[""] * (5 - len(parts)))
    if outcome.lower() not in _OUTCOMES:
        raise _unclear(line)
    cleaned = {
        key: clean_line(text, "parameters", most, required=key in ("name", "value"))
        for key, text, most in (("name", name, 80), ("value", value, 40), ("unit", unit, 20), ("limit", limit, 40))
    }
    return {**cleaned, "passed": _OUTCOMES[outcome.lower()]}


def _unclear(line: str) -> BadInput:
    return BadInput(
        "unclear-line", _l("Dòng này chưa đọc được: %(line)s. Viết như: Độ ẩm; 12,8; %%; tối đa 14; đạt"),
        field="parameters", line=line[:60],
    )  # fmt: skip
