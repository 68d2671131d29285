"""Vietnamese telephone numbers in one spelling."""

import re

import phonenumbers

from village.errors import BadInput
from village.i18n import lazy_gettext as _l

# The mobile prefixes that went from 11 to 10 digits in 2018; `phonenumbers` calls the old ones invalid.
_OLD_PREFIXES = {
    **{f"16{d}": f"3{d}" for d in "23456789"},
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "186": "56", "188": "58", "199": "59",
}  # fmt: skip
_OLD = re.compile(r"(?:\+?84|0)(1[0-9]{2})([0-9]{7})")


def normal_phone(text: str) -> str | None:
    """`text` in E.164 form (`+84912345678`), old 11-digit numbers as their new ones; None when it is no number."""
    if len(text) > 40:
        return None
    bare = re.sub(r"[^\d+]", "", text)
    old = _OLD.fullmatch(bare)
    if old and old[1] in _OLD_PREFIXES:
        return f"+84{_OLD_PREFIXES[old[1]]}{old[2]}"
    try:
        number = phonenumbers.parse(text, "VN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def clean_phone(text: object, field: str = "phone") -> str:
    """As `normal_phone`; BadInput when it is no number."""
    phone = normal_phone(text) if isinstance(text, str) else None
    if phone is None:
        raise BadInput("not-a-phone", _l("Số điện thoại chưa đúng, thí dụ 0912 345 678."), field=field)
    return phone


def shown_phone(phone: str) -> str:
    """A stored number as people write it: `0912 345 678`; a foreign one with its country."""
    number = phonenumbers.parse(phone, "VN")
    kind = phonenumbers.PhoneNumberFormat
    home = number.country_code == 84
    return phonenumbers.format_number(number, kind.NATIONAL if home else kind.INTERNATIONAL)
