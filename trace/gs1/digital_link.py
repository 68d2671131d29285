"""GS1 Digital Link addresses of products, lots, serials, places and parcels: built, and strictly parsed.

Source: GS1 Digital Link Standard: URI Syntax, sections 4.9 and 4.10. The primary key comes first, then its
qualifiers in their order, each at most once; no empty parts, no other keys: 01 with 22, 10 and 21, 00 alone,
414 with 254. What else a label says (17, 3103 …) stands in the query.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlsplit

from trace.gs1.errors import ForeignCharacter, NotADigitalLink, NotDigits, WrongLength, WrongOrder
from trace.gs1.gtin import parse_gln, parse_gtin, parse_sscc
from trace.gs1.lots import CHARSET_82, check_lot

CANONICAL = "https://id.gs1.org"
_QUALIFIERS = {"22": "variant", "10": "lot", "21": "serial"}
_ORDER = ("22", "10", "21")
_DATES = frozenset(("11", "12", "13", "15", "16", "17"))
"""Application identifiers whose value is a day, YYMMDD; a day 00 means the month's last."""
_DAY = re.compile(r"\d\d(?:(?:0[13578]|1[02])(?:[0-2]\d|3[01])|(?:0[469]|11)(?:[0-2]\d|30)|02[0-2]\d)")
_MEASURE = re.compile(r"3[1-6]\d[0-5]")
"""Application identifiers of a weight, length, area or volume: six digits."""
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What RFC 3986 lets stand in a path segment; anything else in a raw path was not escaped.
_SEGMENT = re.compile(r"[A-Za-z0-9\-._~%!$&'()*+,;=:@]*")


@dataclass(frozen=True)
class DigitalLink:
    """A product (14-digit GTIN), perhaps narrowed to a variant, a lot and a single serial."""

    gtin: str
    lot: str | None = None
    serial: str | None = None
    variant: str | None = None

    def __post_init__(self) -> None:
        if len(self.gtin) != 14:
            raise WrongLength(
                f"GTIN {self.gtin!r} must be written with all 14 digits here.",
                kind="GTIN",
                value=self.gtin,
                length=len(self.gtin),
                allowed="14",
            )
        if parse_gtin(self.gtin) != self.gtin:
            raise ForeignCharacter(f"GTIN {self.gtin!r} has blanks around it.", value=self.gtin)
        for kind in ("variant", "lot", "serial"):
            value = getattr(self, kind)
            if value is not None:
                check_lot(value, kind)

    @property
    def path(self) -> str:
        """The address behind the host, percent-encoded: `/01/09506000134352/10/BL26M-7K3Q9`."""
        parts = ["", "01", self.gtin]
        for key in _ORDER:
            value = getattr(self, _QUALIFIERS[key])
            if value is not None:
                parts += [key, quote(value, safe="")]
        return "/".join(parts)

    @property
    def canonical(self) -> str:
        """The one address at id.gs1.org: the id in EPCIS events and a batch's identity on the ledger."""
        return CANONICAL + self.path

    def under(self, public_url: str) -> str:
        """The same on the village's own host: what a QR code holds."""
        return public_url.rstrip("/") + self.path


@dataclass(frozen=True)
class ParcelLink:
    """A case or a pallet, by its SSCC."""

    sscc: str

    def __post_init__(self) -> None:
        if parse_sscc(self.sscc) != self.sscc:
            raise ForeignCharacter(f"SSCC {self.sscc!r} has blanks around it.", value=self.sscc)

    @property
    def path(self) -> str:
        """`/00/095060000000000012`"""
        return f"/00/{self.sscc}"


@dataclass(frozen=True)
class PlaceLink:
    """A place, by its GLN, perhaps narrowed to a spot within it (the extension, AI 254)."""

    gln: str
    extension: str | None = None

    def __post_init__(self) -> None:
        if parse_gln(self.gln) != self.gln:
            raise ForeignCharacter(f"GLN {self.gln!r} has blanks around it.", value=self.gln)
        if self.extension is not None:
            check_lot(self.extension, "GLN extension")

    @property
    def path(self) -> str:
        """`/414/9506000117843`"""
        return f"/414/{self.gln}" + (f"/254/{quote(self.extension, safe='')}" if self.extension else "")


def class_uri(gtin: str, lot: str) -> str:
    """A lot's canonical address, `https://id.gs1.org/01/<gtin14>/10/<lot>`: its class id in EPCIS."""
    return DigitalLink(parse_gtin(gtin), lot).canonical


def place_uri(gln: str) -> str:
    """A place's canonical address, `https://id.gs1.org/414/<gln>`."""
    return f"{CANONICAL}/414/{parse_gln(gln)}"


def parcel_uri(sscc: str) -> str:
    """A parcel's canonical address, `https://id.gs1.org/00/<sscc>`."""
    return f"{CANONICAL}/00/{parse_sscc(sscc)}"


def parse_path(path: str) -> DigitalLink:
    """A path as it came over the wire, not yet percent-decoded and without a query.

    Raises `NotADigitalLink`, `WrongOrder`, `ForeignCharacter`, `WrongLength`, `NotDigits`, `WrongCheckDigit`.
    """
    gtin, found = _parts(path, "01", _ORDER)
    return DigitalLink(gtin, **{_QUALIFIERS[key]: value for key, value in found.items()})


def parse_parcel_path(path: str) -> ParcelLink:
    """The same for a parcel, `/00/<sscc>`. Raises as `parse_path`."""
    return ParcelLink(_parts(path, "00", ())[0])


def parse_place_path(path: str) -> PlaceLink:
    """The same for a place, `/414/<gln>` or `/414/<gln>/254/<extension>`. Raises as `parse_path`."""
    gln, found = _parts(path, "414", ("254",))
    return PlaceLink(gln, found.get("254"))


def check_query(query: str) -> None:
    """What stands behind the `?`, still encoded: keys that are all digits are application identifiers, others are free.

    Raises `WrongOrder` for a key that belongs into the path or comes twice, `NotADigitalLink` for one of a length that
    no identifier has, `ForeignCharacter`, `WrongLength` or `NotDigits` for a value that its identifier cannot have.
    """
    seen: set[str] = set()
    for pair in re.split("[&;]", query):
        key, _, written = pair.partition("=")
        if not (key.isascii() and key.isdigit()):
            continue
        if key in _QUALIFIERS or key in ("01", "00", "414", "254"):
            raise WrongOrder(f"The key {key} belongs into the path, not behind the question mark.", value=key)
        if key in seen:
            raise WrongOrder(f"The key {key} comes twice.", value=key)
        seen.add(key)
        if not 2 <= len(key) <= 4:
            raise NotADigitalLink(f"{key[:40]} is no application identifier.", value=key[:40])
        _check_attribute(key, _decode(written))


def _check_attribute(key: str, value: str) -> None:
    if not 1 <= len(value) <= 90:
        raise WrongLength(
            f"({key}) has {len(value)} characters; it needs 1 to 90.",
            kind=key, value=value[:40], length=len(value), allowed="1–90",
        )  # fmt: skip
    for character in value:
        if character not in CHARSET_82:
            raise ForeignCharacter(f"({key}) holds {character!r}.", kind=key, value=value, character=character)
    if key in _DATES or _MEASURE.fullmatch(key):
        if not (value.isascii() and value.isdigit()):
            raise NotDigits(f"({key}) {value!r} may hold only the digits 0 to 9.", kind=key, value=value)
        if len(value) != 6:
            raise WrongLength(f"({key}) {value} needs 6 digits.", kind=key, value=value, length=len(value), allowed="6")
    if key in _DATES and not _DAY.fullmatch(value):
        raise ForeignCharacter(f"({key}) {value} is no day.", kind=key, value=value)


def parse_uri(uri: str) -> DigitalLink:
    """A whole http(s) address, on any host, whose path is a Digital Link. Raises as `parse_path`.

    A query is left aside, as the standard asks of a reader that does not know it.
    """
    if not uri.isascii() or any(character <= " " for character in uri):
        raise ForeignCharacter(f"{uri[:120]!r} holds characters that must be percent-encoded.", value=uri[:120])
    try:
        address = urlsplit(uri)
    except ValueError as error:
        raise NotADigitalLink(f"{uri[:120]!r} is no web address.", value=uri[:120]) from error
    if address.scheme not in ("http", "https") or not address.netloc:
        raise NotADigitalLink(f"{uri[:120]!r} is no web address.", value=uri[:120])
    return parse_path(address.path)


def parse_class_uri(uri: str) -> DigitalLink:
    """A canonical address only: the very string that `canonical` gives back. Raises as `parse_path`."""
    link = parse_uri(uri)
    if link.canonical != uri:
        raise NotADigitalLink(
            f"{uri[:120]!r} is not the canonical form; write {link.canonical}.",
            value=uri[:120],
            canonical=link.canonical,
        )
    return link


def _parts(path: str, primary: str, order: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The primary key's value and those of its qualifiers, of a path `/<primary>/<value>/<key>/<value>…`."""
    told = path[:120]
    parts = path.split("/")
    if len(parts) < 3 or parts[0] or parts[1] != primary:
        raise NotADigitalLink(f"{told!r} does not begin with /{primary}/ and a number.", value=told)
    if not all(parts[1:]):
        raise NotADigitalLink(f"{told!r} has an empty part or a slash at its end.", value=told)
    keys, values = parts[3::2], parts[4::2]
    for key in keys:
        if key not in order:
            allowed = f"only {', '.join(order)} may follow {primary}" if order else f"nothing may follow {primary}"
            raise NotADigitalLink(f"{told!r} holds the key {key[:40]!r}; {allowed}.", value=told, key=key[:40])
    if len(keys) != len(values):
        raise NotADigitalLink(f"{told!r} names the key {keys[-1]} without a value.", value=told, key=keys[-1])
    places = [order.index(key) for key in keys]
    if places != sorted(set(places)):
        raise WrongOrder(
            f"{told!r} has its keys as {', '.join((primary, *keys))}; "
            f"the order is {', '.join((primary, *order))}, each once.",
            value=told,
        )
    return parts[2], {key: _decode(value) for key, value in zip(keys, values, strict=True)}


def _decode(segment: str) -> str:
    if not _SEGMENT.fullmatch(segment) or _BROKEN_ESCAPE.search(segment):
        raise ForeignCharacter(f"{segment[:60]!r} is not percent-encoded as it must be.", value=segment[:60])
    # Octets above 127 stay visible as foreign characters for check_lot to name.
    return unquote_to_bytes(segment).decode("utf-8", "backslashreplace")
