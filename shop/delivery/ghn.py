"""Giao Hàng Nhanh over HTTP (public API v2, addresses of two levels as since July 2025).

    POST <GHN_URL>/shiip/public-api/v2/…    Token, ShopId        {"code": 200, "message", "data"}

Creating is idempotent by `client_order_code`: the same code gives the parcel that it gave before. So everything that we
ask may be asked again, and is, once, when the line breaks.
"""

import datetime as dt
import json
import re
import time
from collections.abc import Mapping
from typing import Any

import requests
import urllib3

from shop.delivery.carrier import Made, Tracked, Wanted
from shop.delivery.errors import CarrierRefused, CarrierSilent
from shop.delivery.states import WORDS, DeliveryState, Report

CONNECT, SILENCE, IN_ALL = 4, 8, 12
"""Seconds: to connect, between two pieces of the answer, and for all of it. Twice that is less than a worker waits."""
MOST_BYTES = 262_144
TRIES = 2
PAUSE = 0.3
API = "/shiip/public-api/v2"
HEAVY = 20_000
"""Grams from which it is heavy goods to them."""
COD_MOST = 50_000_000
STORY_MOST = 200
BOX = {"length": 30, "width": 20}
"""Centimetres of the usual box; its height grows with what is in it. The carrier measures again when it fetches."""
_CODE = re.compile(r"[A-Za-z0-9_-]{4,40}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,200}")


class Ghn:
    """The carrier under one account."""

    def __init__(self, url: str, token: str, shop: str) -> None:
        self._url = url
        self._session = requests.Session()
        # No password of some .netrc, no proxy that the environment happens to name.
        self._session.trust_env = False
        self._session.headers.update({"Token": token, "ShopId": shop, "User-Agent": "soi-delivery"})

    def __enter__(self) -> "Ghn":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def quote(self, wanted: Wanted) -> int:
        """Đồng that it would ask of us."""
        return _amount(_dict(self._ask("/shipping-order/preview", _order(wanted))), "total_fee")

    def create(self, wanted: Wanted) -> Made:
        """Have it made; again with the same client code, the same parcel."""
        return _made(_dict(self._ask("/shipping-order/create", _order(wanted))))

    def known(self, client_code: str) -> Made | None:
        """The parcel of that client code, if there is one that was not called off."""
        try:
            data = self._ask("/shipping-order/detail-by-client-code", {"client_order_code": client_code})
        except CarrierRefused:
            return None
        found = _dict(data[0] if isinstance(data, list) and data else data)
        return None if found.get("status") == "cancel" else Made(_code(found), 0)

    def track(self, tracking: str) -> Tracked:
        """Where it is."""
        data = self._ask("/shipping-order/detail", {"order_code": tracking})
        found = _dict(data[0] if isinstance(data, list) and data else data)
        if _code(found) != tracking:
            raise CarrierSilent("another parcel")
        log = found.get("log")
        told = (_report(entry) for entry in (log if isinstance(log, list) else [])[-STORY_MOST:])
        return Tracked(
            client_code=str(found.get("client_order_code", "")),
            state=WORDS.get(str(found.get("status"))),
            story=tuple(report for report in told if report is not None),
            cod_amount=_amount(found, "cod_amount"),
            cod_sent_at=_when(found.get("cod_transfer_date")) if found.get("is_cod_transferred") is True else None,
        )

    def cancel(self, tracking: str) -> None:
        """Call it off, before it was fetched. One that was called off already is no trouble."""
        data = self._ask("/switch-status/cancel", {"order_codes": [tracking]})
        answers = [_dict(one) for one in data] if isinstance(data, list) else []
        mine = next((one for one in answers if one.get("order_code") == tracking), {})
        if mine.get("result") is not True and self.track(tracking).state is not DeliveryState.CANCELLED:
            raise CarrierRefused(_said(mine.get("message")))

    def label(self, tracking: str) -> str:
        """The address of its own label, to print; good for half an hour."""
        token = _dict(self._ask("/a5/gen-token", {"order_codes": [tracking]})).get("token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise CarrierSilent("no label")
        return f"{self._url}/a5/public-api/printA5?token={token}"

    def _ask(self, path: str, body: Mapping[str, Any]) -> Any:
        for left in range(TRIES - 1, -1, -1):
            try:
                status, answer = self._post(f"{self._url}{API}{path}", body)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                # Its text may hold an address; its kind says enough.
                if not left:
                    raise CarrierSilent(type(error).__name__) from error
            else:
                code = answer.get("code")
                if status == 200 and code == 200:
                    return answer.get("data")
                if 400 <= status < 500 and status not in (401, 403, 408, 429):
                    raise CarrierRefused(_said(answer.get("code_message_value") or answer.get("message")))
                if not left or status in (401, 403):
                    raise CarrierSilent(f"HTTP {status}")
            time.sleep(PAUSE)
        raise AssertionError("a last try answers or raises")

    def _post(self, url: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        with self._session.post(
            url, json=body, timeout=(CONNECT, SILENCE), stream=True, allow_redirects=False
        ) as answer:
            deadline, raw = time.monotonic() + IN_ALL, b""
            while piece := answer.raw.read1(16_384, decode_content=True):
                raw += piece
                if len(raw) > MOST_BYTES or time.monotonic() > deadline:
                    raise ValueError("too long an answer")
            told = json.loads(raw) if answer.status_code < 500 else {}
            return answer.status_code, told if isinstance(told, dict) else {}


def _order(wanted: Wanted) -> dict[str, Any]:
    height = min(150, max(10, 6 * -(-wanted.grams // 1000)))
    heavy = wanted.grams >= HEAVY
    box = {**BOX, "height": height}
    return {
        "client_order_code": wanted.client_code,
        # We pay the carrier; what the buyer pays for delivery is in the order's total already.
        "payment_type_id": 1,
        "required_note": "CHOXEMHANGKHONGTHU",
        "note": wanted.note[:500],
        "to_name": wanted.name,
        "to_phone": wanted.phone,
        "to_address": wanted.address,
        "to_ward_name": wanted.ward,
        "to_province_name": wanted.province,
        "is_new_to_address": True,
        "cod_amount": wanted.cod_amount,
        "order_value": wanted.worth,
        "insurance_value": 0,
        "weight": wanted.grams,
        **box,
        "service_type_id": 5 if heavy else 2,
        "content": ", ".join(f"{item.units} × {item.name}" for item in wanted.items)[:500],
        "items": [
            {"name": item.name, "quantity": item.units, "weight": item.grams, **(box if heavy else {})}
            for item in wanted.items
        ],
    }


def _made(data: dict[str, Any]) -> Made:
    return Made(_code(data), _amount(data, "total_fee"))


def _code(data: dict[str, Any]) -> str:
    code = data.get("order_code")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise CarrierSilent("no order code")
    return code


def _amount(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    if type(value) is not int or not 0 <= value <= COD_MOST:
        raise CarrierSilent(f"no {name}")
    return value


def _dict(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise CarrierSilent("no data")
    return data


def _report(entry: Any) -> Report | None:
    if not isinstance(entry, dict):
        return None
    state, at = WORDS.get(str(entry.get("status"))), _when(entry.get("updated_date"))
    return Report(state, at, _said(entry.get("reason"))) if state is not None and at is not None else None


def _when(text: Any) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    # They write the year 1 for "never".
    return found.astimezone(dt.UTC) if found.tzinfo is not None and found.year > 2000 else None


def _said(text: Any) -> str:
    """The carrier's own words, made fit to show; nothing of a kind that is not text."""
    words = text if isinstance(text, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:200]
