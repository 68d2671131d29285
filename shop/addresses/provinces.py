"""The 34 provinces and cities since 1 July 2025, and the 63 names of before that became them.

Source: Nghị quyết 202/2025/QH15 (12 June 2025), article 1; numbers after Quyết định 19/2025/QĐ-TTg. Computes only.
"""

from dataclasses import dataclass
from types import MappingProxyType

from shop.addresses.fold import folded
from trace.units.provinces import PROVINCES as NAMES

CITIES = frozenset(("01", "31", "46", "48", "79", "92"))
"""The six that the centre governs."""

_BEFORE = MappingProxyType({
    "08": ("Hà Giang",), "15": ("Yên Bái",), "19": ("Bắc Kạn",), "24": ("Bắc Giang",),
    "25": ("Vĩnh Phúc", "Hoà Bình"), "31": ("Hải Dương",), "33": ("Thái Bình",), "37": ("Hà Nam", "Nam Định"),
    "44": ("Quảng Bình",), "48": ("Quảng Nam",), "51": ("Kon Tum",), "52": ("Bình Định",), "56": ("Ninh Thuận",),
    "66": ("Phú Yên",), "68": ("Đắk Nông", "Bình Thuận"), "75": ("Bình Phước",),
    "79": ("Bình Dương", "Bà Rịa - Vũng Tàu"), "80": ("Long An",), "82": ("Tiền Giang",),
    "86": ("Bến Tre", "Trà Vinh"), "91": ("Kiên Giang",), "92": ("Sóc Trăng", "Hậu Giang"), "96": ("Bạc Liêu",),
})  # fmt: skip

_ALSO = MappingProxyType({
    "hn": "Hà Nội", "tp ho chi minh": "TP. Hồ Chí Minh", "ho chi minh": "TP. Hồ Chí Minh", "hcm": "TP. Hồ Chí Minh",
    "tp hcm": "TP. Hồ Chí Minh", "sai gon": "TP. Hồ Chí Minh", "sg": "TP. Hồ Chí Minh", "hcmc": "TP. Hồ Chí Minh",
    "ho chi minh city": "TP. Hồ Chí Minh", "ha noi city": "Hà Nội", "da nang city": "Đà Nẵng",
    "thua thien hue": "Huế", "tt hue": "Huế", "vung tau": "Bà Rịa - Vũng Tàu", "brvt": "Bà Rịa - Vũng Tàu",
    "br vt": "Bà Rịa - Vũng Tàu", "bac can": "Bắc Kạn", "dac lac": "Đắk Lắk", "dak lac": "Đắk Lắk",
    "dac nong": "Đắk Nông", "dak nong": "Đắk Nông", "con tum": "Kon Tum",
})  # fmt: skip
"""Other ways to write a name, folded. Only those that mean one province and no other."""


@dataclass(frozen=True)
class Province:
    """One of the 34. `name` is what an order keeps."""

    code: str
    name: str
    before: tuple[str, ...]
    """Names of the provinces that went into it and are no more."""

    @property
    def city(self) -> bool:
        """True for the six cities that stand beside the provinces."""
        return self.code in CITIES


@dataclass(frozen=True)
class Known:
    """A name as somebody wrote it, understood."""

    province: Province
    was: str = ""
    """The old name that was written; empty when it is today's."""


PROVINCES = tuple(
    sorted(
        (Province(code, name, _BEFORE.get(code, ())) for code, name in NAMES.items()),
        key=lambda province: folded(province.name.removeprefix("TP. ")),
    )
)
"""By name. Marks do not count in the order, as in no Vietnamese telephone book, but everybody finds the name."""
BY_NAME = MappingProxyType({province.name: province for province in PROVINCES})


def _tight(text: str) -> str:
    """Without blanks: `Daklak`, `Ha Noi` and `Hanoi` are typed alike."""
    return folded(text).replace(" ", "")


def _all_names() -> dict[str, Known]:
    found = {_tight(province.name): Known(province) for province in PROVINCES}
    found |= {_tight(was): Known(province, was) for province in PROVINCES for was in province.before}
    return found | {_tight(also): found[_tight(name)] for also, name in _ALSO.items()}


_KNOWN = MappingProxyType(_all_names())
_KINDS = ("thanhpho", "tinh", "tp")


def understand(text: str) -> Known | None:
    """The province that `text` names and nothing else, today's or of before; None when it names none.

    Marks, capitals and blanks may be wrong or missing, `tỉnh` or `TP.` may stand before it and `cũ` behind it.
    """
    tight = _tight(text)[:60]
    for form in (tight, tight.removesuffix("cu")):
        if form in _KNOWN:
            return _KNOWN[form]
        for kind in _KINDS:
            if form.startswith(kind) and form.removeprefix(kind) in _KNOWN:
                return _KNOWN[form.removeprefix(kind)]
    return None
