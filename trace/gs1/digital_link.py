"""GS1 Digital Link addresses of products, lots, serials, places and parcels: built, and strictly parsed.

Source: GS1 Digital Link Standard: URI Syntax. The key 01 comes first, then its
qualifiers 22, 10 and 21 in that order, each at most once; no empty parts, no other keys.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlsplit

from trace.gs1.errors import ForeignCharacter, NotADigitalLink, WrongLength, WrongOrder
from trace.gs1.gtin import parse_gln, parse_gtin, parse_sscc
from trace.gs1.lots import check_lot

CANONICAL = "https://id.gs1.org"
_QUALIFIERS = {"22": "variant", "10": "lot", "21": "serial"}
_ORDER = ("22", "10", "21")
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
        parse_gtin(self.gtin)
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
    parts = path.split("/")
    if len(parts) < 3 or parts[0] or parts[1] != "01":
        raise NotADigitalLink(f"{path[:120]!r} does not begin with /01/ and a GTIN.", value=path[:120])
    if not all(parts[1:]):
        raise NotADigitalLink(f"{path[:120]!r} has an empty part or a slash at its end.", value=path[:120])
    keys, values = parts[3::2], parts[4::2]
    for key in keys:
        if key not in _QUALIFIERS:
            raise NotADigitalLink(
                f"{path[:120]!r} holds the key {key[:40]!r}; only 22, 10 and 21 may follow 01.",
                value=path[:120],
                key=key[:40],
            )
    if len(keys) != len(values):
        raise NotADigitalLink(
            f"{path[:120]!r} names the key {keys[-1]} without a value.", value=path[:120], key=keys[-1]
        )
    places = [_ORDER.index(key) for key in keys]
    if places != sorted(set(places)):
        raise WrongOrder(
            f"{path[:120]!r} has its keys as 01, {', '.join(keys)}; the order is 01, 22, 10, 21, each once.",
            value=path[:120],
        )
    found = {_QUALIFIERS[key]: _decode(value) for key, value in zip(keys, values, strict=True)}
    return DigitalLink(parts[2], **found)


def parse_uri(uri: str) -> DigitalLink:
    """A whole http(s) address, on any host, whose path is a Digital Link. Raises as `parse_path`.

    A query is left aside, as the standard asks of a reader that does not know it.
    """
    if not uri.isascii() or any(character <= " " for character in uri):
        raise ForeignCharacter(
            f"{uri[:120]!r} holds characters that must be percent-encoded.", value=uri[:120]
        )
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


def _decode(segment: str) -> str:
    if not _SEGMENT.fullmatch(segment) or _BROKEN_ESCAPE.search(segment):
        raise ForeignCharacter(f"{segment[:60]!r} is not percent-encoded as it must be.", value=segment[:60])
    # Octets above 127 stay visible as foreign characters for check_lot to name.
    return unquote_to_bytes(segment).decode("utf-8", "backslashreplace")
