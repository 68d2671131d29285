"""TikTok Shop: orders with a memory, signed requests for them, signed notices about them.

Every request's signature is made anew from the platform's own papers and compared; a token that ran out is refused
until it was refreshed.
"""

import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.platforms.serving import Answer, Moods, served
from village import clock
from village.settings import Settings

KEY, SECRET, SHOP, CIPHER = "app-key-for-tests", "app-secret-for-tests", "7494049642642441621", "ROW_cipher"
TOKEN, REFRESH = "tts-token-1", "tts-refresh-1"


@dataclass
class TikTokFake:
    """One shop."""

    moods: Moods = field(default_factory=Moods)
    url: str = ""
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    notices: list[bytes] = field(default_factory=list)
    token: str = TOKEN
    """The access token that is good now."""
    refreshed: int = 0
    asked: list[str] = field(default_factory=list)
    page: int = 50
    _told: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def buy(
        self,
        packs: dict[str, int],
        *,
        status: str = "AWAITING_SHIPMENT",
        price: int = 65_000,
        cod: bool = False,
        **more: Any,
    ) -> str:
        """Somebody orders so many packs of each article number; the order's number."""
        with self._lock:
            number = str(576_000_000_000_000_000 + len(self.orders))
            now = int(clock.now().timestamp())
            self.orders[number] = {
                "id": number, "status": status, "create_time": now, "update_time": now, "is_cod": cod,
                "paid_time": 0 if cod or status == "UNPAID" else now,
                "recipient_address": {"name": "N** T** L**", "phone_number": "(+84)91*****78"},
                "line_items": [
                    {"id": f"{number}{sku}{at}", "seller_sku": sku, "sku_id": "17", "currency": "VND",
                     "sale_price": str(price), "original_price": "70000"}
                    for sku, count in packs.items() for at in range(count)
                ],
                **more,
            }  # fmt: skip
            self._notice(number)
            return number

    def becomes(self, number: str, status: str) -> None:
        """Something happens to an order."""
        with self._lock:
            order = self.orders[number]
            now = int(clock.now().timestamp())
            order.update(status=status, update_time=now)
            if status not in ("UNPAID", "CANCELLED") and not order["is_cod"]:
                order["paid_time"] = order["paid_time"] or now
            self._notice(number)

    def post(self, client: FlaskClient) -> list[TestResponse]:
        """Deliver what is to be told, as its moods will have it."""
        with self._lock:
            waiting, self.notices = self.notices, []
        return [deliver(client, body) for body in self.moods.disorder(waiting)]

    def settings(self, settings: Settings) -> Settings:
        """A village's settings with this shop in them."""
        return replace(
            settings, tiktok_app_key=KEY, tiktok_app_secret=SECRET, tiktok_token=TOKEN, tiktok_refresh=REFRESH,
            tiktok_shop=SHOP, tiktok_cipher=CIPHER, tiktok_url=self.url, tiktok_auth_url=self.url,
        )  # fmt: skip

    def connect(self, app: Flask) -> None:
        """Point an app at this shop."""
        app.extensions["soi"] = self.settings(app.extensions["soi"])

    def _notice(self, number: str) -> None:
        order = self.orders[number]
        self._told += 1
        data = {"order_id": number, "order_status": order["status"], "update_time": order["update_time"]}
        self.notices.append(notice(data, id=str(7_327_112_393_000_000_000 + self._told)))

    def serve(self, method: str, path: str, query: dict[str, str], body: bytes, headers: dict[str, str]) -> Answer:
        """The Open API, and the address at which tokens are refreshed."""
        with self._lock:
            self.asked.append(path)
            if path == "/api/v2/token/refresh":
                return self._refresh(query)
            if query.get("sign") != _sign(path, query, body):
                return 401, {"code": 106001, "message": "signature is invalid"}
            if query.get("app_key") != KEY or query.get("shop_cipher") != CIPHER:
                return 403, {"code": 106013, "message": "no such shop"}
            if abs(int(query["timestamp"]) - dt.datetime.now(dt.UTC).timestamp()) > 300:
                return 401, {"code": 106004, "message": "timestamp"}
            if headers.get("x-tts-access-token") != self.token:
                return 401, {"code": 105002, "message": "Expired credentials."}
            if (method, path) == ("GET", "/order/202309/orders"):
                found = [self.orders[one] for one in query["ids"].split(",") if one in self.orders]
                return 200, {"code": 0, "message": "Success", "data": {"orders": found}}
            if (method, path) == ("POST", "/order/202309/orders/search"):
                return self._search(query, json.loads(body))
            return 404, {"code": 404, "message": "no such path"}

    def _search(self, query: dict[str, str], asked: dict[str, Any]) -> Answer:
        found = [one for one in self.orders.values() if one["update_time"] >= asked["update_time_ge"]]
        found.sort(key=lambda one: (one["update_time"], one["id"]))
        start = int(query.get("page_token", "0"))
        rows = found[start : start + min(int(query["page_size"]), self.page)]
        more = str(start + len(rows)) if start + len(rows) < len(found) else ""
        return 200, {"code": 0, "data": {"orders": rows, "next_page_token": more, "total_count": len(found)}}

    def _refresh(self, query: dict[str, str]) -> Answer:
        if (query["app_key"], query["app_secret"], query["grant_type"]) != (KEY, SECRET, "refresh_token"):
            return 200, {"code": 36004004, "message": "invalid"}
        self.refreshed += 1
        self.token = f"tts-token-{self.refreshed + 1}"
        data = {"access_token": self.token, "refresh_token": REFRESH, "access_token_expire_in": 1_900_000_000}
        return 200, {"code": 0, "data": data}


def _sign(path: str, query: dict[str, str], body: bytes) -> str:
    told = path + "".join(key + query[key] for key in sorted(query) if key not in ("sign", "access_token"))
    return hmac.new(SECRET.encode(), f"{SECRET}{told}{body.decode()}{SECRET}".encode(), hashlib.sha256).hexdigest()


def notice(data: dict[str, Any], *, id: str, kind: int = 1, shop: str = SHOP) -> bytes:
    """A notice as they post it."""
    told = {"type": kind, "tts_notification_id": id, "shop_id": shop, "timestamp": 1_644_412_885, "data": data}
    return json.dumps(told).encode()


def deliver(client: FlaskClient, body: bytes, *, secret: str = SECRET) -> TestResponse:
    """Post one notice, signed."""
    signed = hmac.new(secret.encode(), KEY.encode() + body, hashlib.sha256).hexdigest()
    return client.post("/hooks/tiktok", data=body, content_type="application/json", headers={"Authorization": signed})


@contextmanager
def tiktok_fake(moods: Moods | None = None) -> Iterator[TikTokFake]:
    """The shop at work for the length of the block."""
    fake = TikTokFake(moods or Moods())
    with served(fake.serve, fake.moods) as fake.url:
        yield fake
