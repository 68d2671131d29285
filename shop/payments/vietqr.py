"""VietQR: EMVCo's merchant-presented code with NAPAS's account in it. Builds a payload and reads one back, strictly.

Source: EMV QR Code Specification for Payment Systems, Merchant-Presented Mode 1.1 (tag, two digits of length, value;
CRC-16/CCITT-FALSE over all up to and with `6304`), and NAPAS's VietQR: tag 38 holds A000000727, the bank's BIN and the
account, and the service (QRIBFTTA to an account, QRIBFTTC to a card).
"""

from binascii import crc_hqx
from dataclasses import dataclass
from typing import Literal

Service = Literal["QRIBFTTA", "QRIBFTTC"]
GUID = "A000000727"
DONG = "704"
AMOUNT_MAX = 9_999_999_999_999
PURPOSE_MAX = 25
LONGEST = 512


class BadVietQr(ValueError):
    """Not a VietQR payload, or not one that could be built; its text says why, for a programmer."""


@dataclass(frozen=True)
class VietQr:
    """What a code says. `amount` is whole đồng; without one the payer types it (a static code)."""

    bank: str
    """The bank's BIN, six digits."""
    account: str
    service: Service = "QRIBFTTA"
    amount: int | None = None
    bill: str | None = None
    purpose: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no reader could take."""
        _must(len(self.bank) == 6 and _digits(self.bank), "the bank is no BIN of six digits")
        _must(0 < len(self.account) <= 19 and self.account.isascii() and self.account.isalnum(), "no account number")
        _must(self.service in ("QRIBFTTA", "QRIBFTTC"), "no such service")
        _must(self.amount is None or 0 < self.amount <= AMOUNT_MAX, "no amount")
        for text in (self.bill, self.purpose):
            _must(text is None or (0 < len(text) <= PURPOSE_MAX * 3 and _printable(text)), "not printable ASCII")

    @property
    def payload(self) -> str:
        """The text of the code."""
        account = _field("00", self.bank) + _field("01", self.account)
        merchant = _field("00", GUID) + _field("01", account) + _field("02", self.service)
        more = (_field("01", self.bill) if self.bill else "") + (_field("08", self.purpose) if self.purpose else "")
        text = _field("00", "01") + _field("01", "11" if self.amount is None else "12") + _field("38", merchant)
        text += _field("53", DONG)
        text += "" if self.amount is None else _field("54", str(self.amount))
        text += _field("58", "VN") + (_field("62", more) if more else "") + "6304"
        return text + _crc(text)


def read(payload: str) -> VietQr:
    """What a payload says; BadVietQr for anything that is not exactly one VietQR code for đồng."""
    _must(len(payload) <= LONGEST and _printable(payload), "not printable ASCII, or too long")
    _must(payload[-8:-4] == "6304" and _crc(payload[:-4]) == payload[-4:], "the CRC is wrong")
    fields = _fields(payload[:-8], ("00", "01", "38", "53", "54", "58", "62"))
    _must(fields.get("00") == "01", "not the format's first version")
    _must(fields.get("53") == DONG and fields.get("58") == "VN", "not for đồng in Vietnam")
    merchant = _fields(fields.get("38", ""), ("00", "01", "02"))
    _must(merchant.get("00") == GUID, "not NAPAS's")
    account = _fields(merchant.get("01", ""), ("00", "01"))
    more = _fields(fields.get("62", ""), ("01", "08"))
    amount = fields.get("54")
    _must(fields.get("01") == ("11" if amount is None else "12"), "static with an amount, or dynamic without")
    _must(amount is None or (_digits(amount) and not amount.startswith("0")), "no amount in whole đồng")
    service = merchant.get("02", "")
    return VietQr(
        account.get("00", ""), account.get("01", ""), "QRIBFTTC" if service == "QRIBFTTC" else _account(service),
        int(amount) if amount else None, more.get("01"), more.get("08"),
    )  # fmt: skip


def _account(service: str) -> Service:
    _must(service == "QRIBFTTA", "no such service")
    return "QRIBFTTA"


def _field(tag: str, value: str) -> str:
    _must(len(value) <= 99, "a field is longer than 99 characters")
    return f"{tag}{len(value):02}{value}"


def _fields(text: str, known: tuple[str, ...]) -> dict[str, str]:
    """Fields in ascending order, each once, of known tags, whose lengths come out even."""
    found: dict[str, str] = {}
    at, last = 0, ""
    while at < len(text):
        tag, length = text[at : at + 2], text[at + 2 : at + 4]
        _must(tag in known and tag > last, f"tag {tag!r} is not awaited here")
        _must(len(length) == 2 and _digits(length) and length != "00", "a length is no number")
        end = at + 4 + int(length)
        _must(end <= len(text), f"tag {tag} says that it is {length} long, and is not")
        found[tag], at, last = text[at + 4 : end], end, tag
    return found


def _crc(text: str) -> str:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, begun with 0xFFFF; upper-case hex."""
    return f"{crc_hqx(text.encode('ascii'), 0xFFFF):04X}"


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _must(holds: bool, why: str) -> None:
    if not holds:
        raise BadVietQr(why)
