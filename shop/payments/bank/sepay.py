"""SePay: its notices (who may post, what they say) and its list of transactions, over HTTP.

Source: developer.sepay.vn. A notice comes with `Authorization: Apikey …`, or with `X-SePay-Timestamp` and
`X-SePay-Signature: sha256=` the HMAC-SHA256 of `<timestamp>.<raw body>`; it wants `{"success": true}` back.
The list is `GET /userapi/transactions/list` of their first API: its ids are those of the notices, the second's are not.
"""

import datetime as dt
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import requests

from shop.payments.bank.told import MEMO_MAX, Told, Unreadable, dong, members, moment, text
from village.clock import VN

DRIFT = 300
"""Seconds that a signature's time may be away from ours."""
PAGE = 5000
MOST_PAGES = 40
TIMEOUT = (5, 20)
PAUSE = 0.6
"""Seconds between two questions: they take two a second."""


def trusted(headers: Mapping[str, str], body: bytes, *, key: str, secret: str, now: float) -> bool:
    """True for a notice of theirs; `headers` by their names in small letters. With a secret set its signature is asked
    for, and the key is not enough."""
    if secret:
        stamp = headers.get("x-sepay-timestamp", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12) or abs(now - int(stamp)) > DRIFT:
            return False
        given = headers.get("x-sepay-signature", "").removeprefix("sha256=")
        return _same(sign(secret, stamp, body), given)
    return bool(key) and _same(f"Apikey {key}", headers.get("authorization", ""))


def sign(secret: str, stamp: str, body: bytes) -> str:
    """The signature of a body, in lower-case hex."""
    return hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()


def _same(ours: str, given: str) -> bool:
    return hmac.compare_digest(ours.encode(), given.encode("utf-8", "surrogatepass"))


def event_id(body: bytes) -> str:
    """The id of what a notice tells. Raises Unreadable."""
    return text(_json(body).get("id"), "id", 40)


def read(body: bytes) -> Told | None:
    """What a notice tells; None when money went out. Raises Unreadable."""
    told = _json(body)
    if told.get("transferType") == "out":
        return None
    if told.get("transferType") != "in":
        raise Unreadable("transferType is neither in nor out")
    content = text(told.get("content"), "content", MEMO_MAX, empty=True)
    description = text(told.get("description"), "description", MEMO_MAX, empty=True)
    return Told(
        source="sepay",
        key=text(told.get("id"), "id", 40),
        account=text(told.get("accountNumber"), "accountNumber", 40),
        amount=_positive(dong(told.get("transferAmount"), "transferAmount")),
        at=moment(told.get("transactionDate"), "transactionDate"),
        reference=text(told.get("referenceCode"), "referenceCode", 80, empty=True),
        memo=content or description,
    )


def credits(url: str, token: str, account: str, day: dt.date) -> list[Told]:
    """All money that came to an account on a day of the village's. Raises requests' errors, or Unreadable."""
    found: dict[str, Told] = {}
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update({"Authorization": f"Bearer {token}", "User-Agent": "soi-shop"})
        since = 0
        for page in range(MOST_PAGES):
            time.sleep(PAUSE if page else 0)
            wanted: dict[str, Any] = {
                "account_number": account, "limit": PAGE, "since_id": since,
                "transaction_date_min": f"{day} 00:00:00", "transaction_date_max": f"{day} 23:59:59",
            }  # fmt: skip
            answer = session.get(
                f"{url}/userapi/transactions/list", params=wanted, timeout=TIMEOUT, allow_redirects=False
            )
            answer.raise_for_status()
            rows = members(_loads(answer.content), "the answer").get("transactions")
            if not isinstance(rows, list):
                raise Unreadable("transactions is no list")
            before = len(found)
            ids = [0]
            for row in rows:
                ids.append(int(text(members(row, "a transaction").get("id"), "id", 18)))
                credit = _credit(row, account, day)
                if credit is not None:
                    found[credit.key] = credit
            if len(rows) < PAGE or (max(ids) <= since and len(found) == before):
                return list(found.values())
            since = max(ids)
    raise Unreadable("more transactions in a day than there can be")


def _credit(row: dict[str, Any], account: str, day: dt.date) -> Told | None:
    amount = dong(row.get("amount_in"), "amount_in")
    at = moment(row.get("transaction_date"), "transaction_date")
    if not amount or at.astimezone(VN).date() != day:
        return None
    return Told(
        source="sepay",
        key=text(row.get("id"), "id", 40),
        account=account,
        amount=amount,
        at=at,
        reference=text(row.get("reference_number"), "reference_number", 80, empty=True),
        memo=text(row.get("transaction_content"), "transaction_content", MEMO_MAX, empty=True),
    )


def _json(body: bytes) -> dict[str, Any]:
    return members(_loads(body), "the notice")


def _loads(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("no JSON") from error


def _positive(amount: int) -> int:
    if amount <= 0:
        raise Unreadable("transferAmount is nothing")
    return amount
