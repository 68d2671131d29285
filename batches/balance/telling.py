"""What a flag says to the office, in words."""

from babel.support import LazyProxy

from batches.balance.flags import Flag
from batches.balance.flows import Knot
from batches.balance.words import knot_words
from batches.processes.catalogue import all_processes
from batches.stages.findings import tell
from village.i18n import kilograms, number, percent
from village.i18n import lazy_gettext as _l

TEXTS: dict[str, LazyProxy] = {
    "yield-bounds": _l("%(what)s: từ %(in)s ra %(out)s, được %(figure)s. Thường được từ %(low)s đến %(high)s."),
    "yield-history": _l(
        "%(what)s: từ %(in)s ra %(out)s, được %(figure)s. %(count)s lần trước của nhà này quanh mức %(median)s "
        "(từ %(low)s đến %(high)s)."
    ),
    "day-amount": _l("Một ngày làm ra %(figure)s %(goods)s. Nhiều nhất thường là %(high)s."),
    "week-amount": _l("Bảy ngày liền làm ra %(figure)s %(goods)s. Nhiều nhất thường là %(high)s."),
    "per-hectare": _l("Ruộng %(area)s m² mà thu %(grams)s, tức %(figure)s một héc-ta. Thường không quá %(high)s."),
    "season-beyond": _l("Cả mùa làm ra %(figure)s %(goods)s, mà mọi thứ có trong tay thì nhiều nhất chỉ ra %(high)s."),
    "packs-beyond": _l("Đóng gói nhiều hơn số có: thừa ra %(figure)s không biết từ đâu."),
    "used-beyond": _l("%(what)s: dùng nhiều hơn số có, thừa ra %(figure)s không biết từ đâu."),
}


def flag_words(flag: Flag) -> str:
    """One sentence about a flag: the figure, and what was expected."""
    process = all_processes()[flag.process]
    if flag.slug == "told":
        return tell(process, flag.what, flag.params)
    shown = percent_of if flag.share else kilograms
    values: dict[str, object] = {"figure": shown(flag.figure)}
    if flag.low is not None:
        values["low"] = shown(flag.low)
    if flag.high is not None:
        values["high"] = shown(flag.high)
    for name, value in flag.params.items():
        if isinstance(value, int):
            in_grams = name in ("in", "out", "grams")
            values[name] = kilograms(value) if in_grams else percent_of(value) if name == "median" else number(value)
    if flag.slug in ("yield-bounds", "yield-history"):
        values["what"] = knot_words(process, Knot("stage", flag.what))
    elif flag.slug == "used-beyond":
        values["what"] = knot_words(process, Knot("stage" if flag.params["kind"] == "stage" else "material", flag.what))
    elif flag.slug in ("day-amount", "week-amount", "season-beyond"):
        goods = knot_words(process, Knot("material", flag.what))
        values["goods"] = goods[:1].lower() + goods[1:]
    return str(TEXTS[flag.slug]) % values


def percent_of(basis_points: int) -> str:
    """Basis points as a percentage, to a tenth."""
    return percent(basis_points / 10_000)
