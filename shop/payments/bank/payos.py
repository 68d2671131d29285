"""payOS: its notices, and its payment requests over HTTP, without which it tells of nothing.

Source: payos.vn/docs. A notice is signed in its body: `signature` is the HMAC-SHA256, with the checksum key, of the
members of `data` in the order of their names as `name=value&…`, null as nothing. A request is made by
POST /v2/payment-requests with an order code of ours in digits; asked for again, it tells what came for it.
"""

import hmac
import json
from dataclasses import dataclass
from typing import Any

import requests

from shop.payments.bank.told import MEMO_MAX, Told, Unreadable, dong, members, moment, text

TIMEOUT = (5, 20)
KNOWN = "231"
"""Their answer's code for an order code that has its request already."""


class Taken(Exception):
    """There is a request of this order code already; what it needs to be shown is not told a second time."""


@dataclass(frozen=True)
class Channel:
    """Our channel at payOS."""

    url: str
    client_id: str
    api_key: str
    checksum_key: str


@dataclass(frozen=True)
class Link:
    """One payment request: where to transfer to, and the code that says it all."""

    id: str
    bin: str
    account: str
    holder: str
    memo: str
    qr: str


def sign(data: dict[str, Any], checksum_key: str) -> str:
    """The signature over an object's members, in lower-case hex."""
    told = "&".join(f"{name}={_value(data[name])}" for name in sorted(data))
    return hmac.digest(checksum_key.encode(), told.encode(), "sha256").hex()


def _value(value: Any) -> str:
    """As JavaScript would write it, in which payOS signs."""
    if value is None or value in ("null", "undefined"):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return json.dumps(_sorted(value), separators=(",", ":"), ensure_ascii=False)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(one) for one in value]
    return {name: value[name] for name in sorted(value)} if isinstance(value, dict) else value


def trusted(body: bytes, checksum_key: str) -> bool:
    """True for a notice whose signature is right. Raises Unreadable."""
    told = _json(body)
    given = told.get("signature")
    if not checksum_key or not isinstance(given, str):
        return False
    try:
        ours = sign(members(told.get("data"), "data"), checksum_key)
    except RecursionError as error:  # what could just be read may still be nested too deeply to be written
        raise Unreadable("no JSON of theirs") from error
    return hmac.compare_digest(ours.encode(), given.encode("utf-8", "surrogatepass"))


def event_id(body: bytes) -> str:
    """The id of what a notice tells: one request may be paid in several transfers. Raises Unreadable."""
    data = members(_json(body).get("data"), "data")
    return _key(data.get("paymentLinkId"), data.get("reference"))


def _key(link: object, reference: object) -> str:
    return f"{text(link, 'paymentLinkId', 80)}:{text(reference, 'reference', 80)}"


def read(body: bytes) -> Told | None:
    """What a notice tells; None when it tells of a failure. Raises Unreadable."""
    told = _json(body)
    data = members(told.get("data"), "data")
    if told.get("success") is not True or data.get("code") != "00":
        return None
    code = data.get("orderCode")
    if isinstance(code, bool) or not isinstance(code, int):
        raise Unreadable("orderCode is no number")
    amount = dong(data.get("amount"), "amount")
    if amount <= 0:
        raise Unreadable("amount is nothing")
    return Told(
        source="payos",
        key=event_id(body),
        account=text(data.get("accountNumber"), "accountNumber", 40),
        amount=amount,
        at=moment(data.get("transactionDateTime"), "transactionDateTime"),
        reference=text(data.get("reference"), "reference", 80),
        memo=text(data.get("description"), "description", MEMO_MAX, empty=True),
        currency=text(data.get("currency"), "currency", 3),
        code=code,
    )


def create(channel: Channel, code: int, amount: int, memo: str, back: str, expires: int) -> Link:
    """Make the payment request of an order code; `back` is where payOS's own page leads, `expires` in Unix seconds.

    Raises Taken when there is one, requests' errors when they cannot be asked, Unreadable when their answer is none.
    """
    signed = {"amount": amount, "cancelUrl": back, "description": memo, "orderCode": code, "returnUrl": back}
    wanted = {**signed, "expiredAt": expires, "signature": sign(signed, channel.checksum_key)}
    answer = _ask(channel, "POST", "/v2/payment-requests", wanted)
    if answer.get("code") == KNOWN:
        raise Taken
    data = members(answer.get("data"), "data")
    if answer.get("code") != "00" or not _signed(answer, channel):
        raise Unreadable(f"payOS says {text(answer.get('code'), 'code', 20)}")
    if data.get("orderCode") != code or data.get("amount") != amount:
        raise Unreadable("the request is another one's")
    return Link(
        id=text(data.get("paymentLinkId"), "paymentLinkId", 80),
        bin=text(data.get("bin"), "bin", 6),
        account=text(data.get("accountNumber"), "accountNumber", 40),
        holder=text(data.get("accountName"), "accountName", 80, empty=True),
        memo=text(data.get("description"), "description", 80),
        qr=text(data.get("qrCode"), "qrCode", 512),
    )


def credits(channel: Channel, code: int) -> list[Told]:
    """All money that came for an order code's request. Raises as `create`."""
    answer = _ask(channel, "GET", f"/v2/payment-requests/{code}")
    data = members(answer.get("data"), "data")
    if answer.get("code") != "00" or not _signed(answer, channel) or data.get("orderCode") != code:
        raise Unreadable("no answer about this request")
    rows = data.get("transactions")
    if not isinstance(rows, list):
        raise Unreadable("transactions is no list")
    return [
        Told(
            source="payos",
            key=_key(data.get("id"), members(row, "a transaction").get("reference")),
            account=text(row.get("accountNumber"), "accountNumber", 40),
            amount=dong(row.get("amount"), "amount"),
            at=moment(row.get("transactionDateTime"), "transactionDateTime"),
            reference=text(row.get("reference"), "reference", 80),
            memo=text(row.get("description"), "description", MEMO_MAX, empty=True),
            code=code,
        )
        for row in rows
    ]


def _signed(answer: dict[str, Any], channel: Channel) -> bool:
    given = answer.get("signature")
    ours = sign(members(answer.get("data"), "data"), channel.checksum_key)
    return isinstance(given, str) and hmac.compare_digest(ours.encode(), given.encode("utf-8", "surrogatepass"))


def _ask(channel: Channel, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    with requests.Session() as session:
        session.trust_env = False
        headers = {"x-client-id": channel.client_id, "x-api-key": channel.api_key, "User-Agent": "soi-shop"}
        answer = session.request(
            method, channel.url + path, json=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
        )
        answer.raise_for_status()
        return members(_loads(answer.content), "the answer")


def _json(body: bytes) -> dict[str, Any]:
    return members(_loads(body), "the notice")


def _loads(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("no JSON") from error
