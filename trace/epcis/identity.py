"""GS1 keys in EPCIS events under one spelling: EPC URNs and Digital Links alike, as a constrained Digital Link.

Source: GS1 EPC Tag Data Standard (URN forms), GS1 Digital Link (web forms), CBV 2.0 §8.9 (what an event hash keeps of
them: the finest level only, without variant, query or fragment).
"""

import re
from collections.abc import Callable

ID = "https://id.gs1.org/"
_SERIAL = (
    r"((?:%2[125-9A-Fa-f]|%3[0-9A-Fa-f]|%4[1-9A-Fa-f]|%5[0-9AaFf]|%6[1-9A-Fa-f]|%7[0-9Aa]|[!')(*+,.0-9:;=A-Za-z_-])"
)
_CPI = r"((?:%2[3dfDF]|%3[0-9]|%4[1-9A-Fa-f]|%5[0-9Aa]|[0-9A-Z-])+)"
_ESCAPED = str.maketrans({one: f"%{ord(one):02X}" for one in "!()*+,:"})
_COMPANY = range(6, 13)
"""How long a GS1 company prefix is."""


def check_digit(digits: str) -> str:
    """GS1's check digit for these digits."""
    total = sum(int(one) * (3 if place % 2 == 0 else 1) for place, one in enumerate(reversed(digits)))
    return str(-total % 10)


def canonical(uri: str) -> str | None:
    """The one Digital Link for a GS1 key that is written as an EPC URN, a class or pattern URN, or a Digital Link on
    any host; None for whatever carries no GS1 key."""
    if uri.startswith("urn:epc:"):
        kind, _colon, rest = uri.removeprefix("urn:epc:").partition(":")
        scheme, _colon, key = rest.partition(":")
        read = _URNS.get((kind, scheme))
        return read(key) if read else None
    return _link(uri)


def _parts(pattern: str, digits: int) -> Callable[[str], tuple[str, str, tuple[str, ...]] | None]:
    """How to read `<company>.<reference>` of so many digits together, and then `pattern`."""
    form = re.compile(r"(\d{6,12})\.(\d*)" + pattern, re.ASCII)

    def read(key: str) -> tuple[str, str, tuple[str, ...]] | None:
        found = form.fullmatch(key)
        if found is None or len(found[1]) + len(found[2]) != digits:
            return None
        return found[1], found[2], found.groups()[2:]

    return read


def _numbered(
    ai: str, digits: int, pattern: str, make: Callable[..., str], *, indicator: bool = False
) -> Callable[[str], str | None]:
    read = _parts(pattern, digits)

    def spell(key: str) -> str | None:
        found = read(key)
        if found is None:
            return None
        company, reference, more = found
        # A GTIN's indicator and an SSCC's extension digit stand first in the key, and after the company in the URN.
        number = reference[:1] + company + reference[1:] if indicator else company + reference
        return f"{ID}{ai}/" + make(number, *(one.translate(_ESCAPED) for one in more))

    return spell


def _free(ai: str, total: int) -> Callable[[str], str | None]:
    form = re.compile(rf"(\d{{6,12}})\.{_SERIAL}+)", re.ASCII)

    def spell(key: str) -> str | None:
        found = form.fullmatch(key)
        if found is None or len(re.sub("%..", "x", found[2])) > total - len(found[1]):
            return None
        return f"{ID}{ai}/{found[1]}{found[2].translate(_ESCAPED)}"

    return spell


def _part(serial: str) -> Callable[[str], str | None]:
    form = re.compile(rf"(\d{{6,12}})\.{_CPI}\.{serial}", re.ASCII)

    def spell(key: str) -> str | None:
        found = form.fullmatch(key)
        if found is None or len(re.sub("%..", "x", found[2])) > 30 - len(found[1]):
            return None
        return f"{ID}8010/{found[1]}{found[2]}" + (f"/8011/{found[3]}" if found.lastindex == 3 else "")

    return spell


def _plain(number: str) -> str:
    return number + check_digit(number)


def _place(number: str, extension: str) -> str:
    return _plain(number) + ("" if extension == "0" else f"/254/{extension}")


_ANY = r"\.\*"
_URNS: dict[tuple[str, str], Callable[[str], str | None]] = {
    ("id", "sgtin"): _numbered("01", 13, rf"\.{_SERIAL}{{1,20}})", lambda n, s: f"{_plain(n)}/21/{s}", indicator=True),
    ("class", "lgtin"): _numbered(
        "01", 13, rf"\.{_SERIAL}{{1,20}})", lambda n, s: f"{_plain(n)}/10/{s}", indicator=True
    ),
    ("idpat", "sgtin"): _numbered("01", 13, _ANY, _plain, indicator=True),
    ("id", "upui"): _numbered("01", 13, rf"\.{_SERIAL}{{1,28}})", lambda n, s: f"{_plain(n)}/235/{s}", indicator=True),
    ("idpat", "upui"): _numbered("01", 13, _ANY, _plain, indicator=True),
    ("id", "itip"): _numbered(
        "8006",
        13,
        rf"\.(\d\d)\.(\d\d)\.{_SERIAL}{{1,20}})",
        lambda n, p, t, s: f"{_plain(n)}{p}{t}/21/{s}",
        indicator=True,
    ),
    ("idpat", "itip"): _numbered(
        "8006", 13, r"\.(\d\d)\.(\d\d)\.\*", lambda n, p, t: f"{_plain(n)}{p}{t}", indicator=True
    ),
    ("id", "sscc"): _numbered("00", 17, "", _plain, indicator=True),
    ("id", "sgln"): _numbered("414", 12, rf"\.{_SERIAL}{{1,20}})", _place),
    ("id", "pgln"): _numbered("417", 12, "", _plain),
    ("id", "gsrn"): _numbered("8018", 17, "", _plain),
    ("id", "gsrnp"): _numbered("8017", 17, "", _plain),
    ("id", "gsin"): _numbered("402", 16, "", _plain),
    ("id", "grai"): _numbered("8003", 12, rf"\.{_SERIAL}{{1,16}})", lambda n, s: _plain("0" + n) + s),
    ("idpat", "grai"): _numbered("8003", 12, _ANY, lambda n: _plain("0" + n)),
    ("id", "gdti"): _numbered("253", 12, rf"\.{_SERIAL}{{1,20}})", lambda n, s: _plain(n) + s),
    ("idpat", "gdti"): _numbered("253", 12, _ANY, _plain),
    ("id", "sgcn"): _numbered("255", 12, r"\.(\d{1,12})", lambda n, s: _plain(n) + s),
    ("idpat", "sgcn"): _numbered("255", 12, _ANY, _plain),
    ("id", "giai"): _free("8004", 30),
    ("id", "ginc"): _free("401", 30),
    ("id", "cpi"): _part(r"(\d{1,12})"),
    ("idpat", "cpi"): _part(r"\*"),
}

_NAMES = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017", "gsrn": "8018",
    "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402", "grai": "8003", "giai": "8004",
    "cpv": "22", "lot": "10", "ser": "21",
}  # fmt: skip
_KEYS = ("00", "01", "253", "255", "401", "402", "414", "417", "8003", "8004", "8006", "8010", "8017", "8018")
_FIRST = "|".join((*_KEYS, *(name for name, ai in _NAMES.items() if ai in _KEYS)))
_WEB = re.compile(rf"https?://[^/?#]*(?:/[^?#]*)?/(?:{_FIRST})/\d{{4}}[^/]+")
_TEXT = r"[\x22\x27\x2D\x2E\x30-\x39\x3B-\x3F\x41-\x5A\x5F\x61-\x7A]"
_FINAL = re.compile(
    ID
    + "(?:"
    + "|".join(
        (
            r"00/\d{18}", rf"01/\d{{14}}/21/{_TEXT}{{0,20}}", rf"01/\d{{14}}/10/{_TEXT}{{0,20}}", r"01/\d{14}",
            rf"01/\d{{14}}/235/{_TEXT}{{0,28}}", rf"253/\d{{13}}{_TEXT}{{0,17}}", r"255/\d{13}\d{0,12}",
            rf"401/{_TEXT}{{0,30}}", r"402/\d{17}", r"414/\d{13}", rf"414/\d{{13}}/254/{_TEXT}{{0,20}}", r"417/\d{13}",
            rf"8003/\d{{14}}{_TEXT}{{0,16}}", rf"8004/{_TEXT}{{0,30}}", rf"8006/\d{{18}}/21/{_TEXT}{{0,20}}",
            rf"8006/\d{{18}}/10/{_TEXT}{{0,20}}", r"8006/\d{18}", r"8010/[#\-/0-9A-Z]{0,30}/8011/\d{0,12}",
            r"8010/[#\-/0-9A-Z]{0,30}", r"8017/\d{18}", r"8018/\d{18}",
        )
    )
    + ")"
)  # fmt: skip
_GTIN = re.compile(r"01/(\d{8}|\d{12}|\d{13})(?=/|$)")
_VARIANT = re.compile(rf"((?:8006/\d{{18}}|01/\d{{14}}))/22/{_TEXT}{{0,20}}(?=/|$)")
_LOT_AND_SERIAL = re.compile(rf"((?:8006/\d{{18}}|01/\d{{14}}))/10/{_TEXT}{{0,20}}(/21/{_TEXT}{{0,20}})$")


def _link(uri: str) -> str | None:
    if not _WEB.match(uri):
        return None
    path = uri.partition("?")[0]
    for name, ai in _NAMES.items():
        path = path.replace(f"/{name}/", f"/{ai}/")
    if not re.match(rf"{ID}(?:{'|'.join(_KEYS)})/\d{{4}}[^/]+", path):
        start = next((at for key in _KEYS if (at := path.find(f"/{key}/")) >= 0), -1)
        if start < 0:
            return None
        path = ID + path[start + 1 :]
    key = path.removeprefix(ID)
    key = _GTIN.sub(lambda found: f"01/{found[1]:0>14}", key, count=1)
    key = _VARIANT.sub(r"\1", key)
    key = _LOT_AND_SERIAL.sub(r"\1\2", key)
    return ID + key if _FINAL.fullmatch(ID + key) else None
