"""What a finding says to a person: doubtful or impossible values, in a neighbour's words."""

from collections.abc import Mapping
from decimal import Decimal

from babel.support import LazyProxy

from batches.processes.models import Process
from village.i18n import gettext as _
from village.i18n import in_language, kilograms, number, percent
from village.i18n import lazy_gettext as _l

TEXTS: dict[str, LazyProxy] = {
    "wrong-input": _l("Việc này không làm từ %(material)s được."),
    "no-input": _l("Bác chọn giúp mẻ nào đem ra làm, và bao nhiêu cân."),
    "no-output": _l("Bác ghi giúp làm ra được bao nhiêu."),
    "unusual-amount": _l("%(grams)s một lần là khác thường (hay gặp từ %(low)s đến %(high)s)."),
    "yield-above-bound": _l("Từ %(in)s không thể ra %(out)s được: nhiều nhất là %(high)s. Bác xem lại số cân nhé."),
    "yield-below-bound": _l(
        "Từ %(in)s mà chỉ ra %(out)s thì ít quá: ít nhất cũng phải %(low)s. Bác xem lại số cân nhé."
    ),
    "yield-unusual": _l("Từ %(in)s ra %(out)s, tức %(share)s, khác mọi khi (thường từ %(low)s đến %(high)s)."),
    "overall-above-bound": _l(
        "Tính từ %(in)s %(origin)s thì không thể ra %(out)s được: nhiều nhất là %(high)s. Bác xem lại số cân nhé."
    ),
    "overall-below-bound": _l("Tính từ %(in)s %(origin)s mà chỉ ra %(out)s thì ít quá. Bác xem lại số cân nhé."),
    "overall-unusual": _l(
        "Tính từ %(in)s %(origin)s thì ra %(out)s, tức %(share)s, khác mọi khi (thường từ %(low)s đến %(high)s)."
    ),
    "blend-above-bound": _l(
        "Tính từ %(in)s %(origin)s và %(rest)s nguyên liệu khác thì không thể ra %(out)s được:"
        " nhiều nhất là %(ceiling)s. Bác xem lại số cân nhé."
    ),
    "blend-below-bound": _l(
        "Tính từ %(in)s %(origin)s và %(rest)s nguyên liệu khác mà chỉ ra %(out)s thì ít quá. Bác xem lại số cân nhé."
    ),
    "blend-unusual": _l(
        "Tính từ %(in)s %(origin)s và %(rest)s nguyên liệu khác thì ra %(out)s,"
        " khác mọi khi (thường từ %(floor)s đến %(ceiling)s)."
    ),
    "byproduct-above-bound": _l(
        "Từ %(in)s không thể ra %(out)s %(material)s được: nhiều nhất là %(high)s. Bác xem lại số cân nhé."
    ),
    "byproduct-below-bound": _l("Từ %(in)s mà chỉ ra %(out)s %(material)s thì ít quá. Bác xem lại số cân nhé."),
    "byproduct-unusual": _l(
        "Từ %(in)s ra %(out)s %(material)s, tức %(share)s, khác mọi khi (thường từ %(low)s đến %(high)s)."
    ),
    "wrong-output": _l("Việc này không làm ra %(material)s."),
    "one-input": _l("Mỗi lần chia, bác chọn một mẻ thôi nhé."),
    "two-parts": _l("Chia mẻ thì phải ra ít nhất hai phần. Bác ghi giúp số cân từng phần."),
    "two-inputs": _l("Gộp mẻ thì phải từ hai mẻ trở lên. Bác chọn thêm mẻ nhé."),
    "one-part": _l("Gộp mẻ thì chỉ ra một mẻ."),
    "one-material": _l("Chỉ gộp được các mẻ cùng một thứ với nhau."),
    "more-out-than-in": _l("Lấy ra có %(in)s mà cộng lại được %(out)s, nhiều hơn số có. Bác xem lại số cân nhé."),
    "gone-missing": _l("Cộng lại thiếu mất %(lost)s, tức %(share)s."),
    "dry-matter-changed": _l("Trừ nước đi thì trước có %(before)s chất khô, sau lại là %(after)s."),
    "packed-more-than-there-is": _l(
        "%(units)s gói là %(packed)s, mà chỉ lấy ra %(in)s. Không đóng được nhiều hơn số có."
    ),
    "pack-loss": _l("Đóng gói hao mất %(lost)s, tức %(share)s, nhiều hơn mọi khi."),
    "net-weight-unknown": _l("Sản phẩm này chưa có khối lượng mỗi gói, nên chưa đóng gói được."),
    "reading-missing": _l("Còn thiếu số đo %(type)s."),
    "reading-unit": _l("Số đo %(type)s phải theo đơn vị %(unit)s, không phải %(found)s."),
    "reading-impossible": _l("Số đo %(type)s là %(value)s thì không thể có (từ %(low)s đến %(high)s)."),
    "reading-over-limit": _l("Số đo %(type)s là %(value)s, quá mức %(limit)s."),
    "reading-unusual": _l("Số đo %(type)s là %(value)s, khác mọi khi (thường từ %(low)s đến %(high)s)."),
}
_WEIGHTS = frozenset(("grams", "in", "out", "before", "after", "packed", "lost", "net", "rest", "floor", "ceiling"))


def tell(process: Process, slug: str, params: Mapping[str, int | str]) -> str:
    """The finding in the reader's language, its grams as kilograms and its shares as per cent."""
    return str(TEXTS[slug]) % {name: _shown(process, slug, name, value) for name, value in params.items()}


def _shown(process: Process, slug: str, name: str, value: int | str) -> str:
    if name in ("material", "origin"):
        text = process.material(str(value)).name
        return in_language(text.vi, text.en)
    if name == "type":
        return measured_name(process, str(value))
    if isinstance(value, str):
        return number(Decimal(value)) if name in ("value", "low", "high", "limit") else value
    if name in _WEIGHTS or slug == "unusual-amount":
        return kilograms(value)
    if name in ("low", "high", "share", "most"):
        return percent(Decimal(value) / 10_000)
    return number(value)


def measured_name(process: Process, type_: str) -> str:
    """What a reading's type is called in this process."""
    for stage in process.stages:
        if need := stage.reading(type_):
            return in_language(need.name.vi, need.name.en)
    known = {"Moisture": _("độ ẩm"), "Temperature": _("nhiệt độ"), "RelativeHumidity": _("độ ẩm không khí")}
    return known.get(type_, type_)
