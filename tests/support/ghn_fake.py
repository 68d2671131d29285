"""Giao Hàng Nhanh for tests: a carrier over HTTP with a memory and with moods.

It keeps parcels by its own code and by the shop's client code, makes one parcel of a client code however often it is
asked, cancels only what was not fetched, and tells a parcel's whole story when asked. Its notices are unsigned.
"""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN, SHOP = "f48a8928-9fcb-11ea-b2e6", "885"
WARDS = ("Phường Thử", "Xã Bình Lư")
NEVER = "0001-01-01T00:00:00Z"


@dataclass
class FakeParcel:
    """One parcel in the carrier's books."""

    code: str
    body: dict[str, Any]
    fee: int
    status: str = "ready_to_pick"
    log: list[dict[str, str]] = field(default_factory=list)
    sent_on: str | None = None
    """When the collected money was sent on."""


@dataclass
class GhnFake:
    """The carrier. `moods` are taken one by one by the requests that come: `hang up` before doing anything, `done, then
    hang up`, `down` (a 502), `garbage`; when they are used up it behaves."""

    port: int = 0
    moods: list[str] = field(default_factory=list)
    parcels: dict[str, FakeParcel] = field(default_factory=dict)
    by_client: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """The path of every request."""
    accounts: dict[str, str] = field(default_factory=lambda: {TOKEN: SHOP})
    """Each token that it knows, and the shop that belongs to it."""
    under: list[str] = field(default_factory=list)
    """The shop of every request that it let in."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> list[str]:
        """Codes of the parcels that were not called off."""
        return [code for code, parcel in self.parcels.items() if parcel.status != "cancel"]

    def go(self, code: str, *statuses: str, reason: str = "", at: dt.datetime | None = None) -> None:
        """Something happens to a parcel, once for each status."""
        with self.lock:
            for status in statuses:
                self.parcels[code].status = status
                self.parcels[code].log.append({"status": status, "updated_date": _now(at), "reason": reason})

    def notice(self, code: str, status: str = "", **more: Any) -> bytes:
        """What it posts to a shop's address about a parcel; `status` when it is not the true one."""
        parcel = self.parcels.get(code)
        said = {
            "CODAmount": parcel.body["cod_amount"] if parcel else 0, "OrderCode": code, "ShopID": int(SHOP),
            "ClientOrderCode": parcel.body["client_order_code"] if parcel else "",
            "Status": status or (parcel.status if parcel else ""), "Type": "switch_status", "Time": _now(None), **more,
        }  # fmt: skip
        return json.dumps(said).encode()

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """HTTP status and `data`, or a refusal's words."""
        with self.lock:
            match path.removeprefix("/shiip/public-api/v2"):
                case "/shipping-order/preview":
                    wrong = _wrong(body)
                    return (400, wrong) if wrong else (200, {"order_code": "", "total_fee": _fee(body)})
                case "/shipping-order/create":
                    return self._create(body)
                case "/shipping-order/detail":
                    return self._detail(str(body.get("order_code")))
                case "/shipping-order/detail-by-client-code":
                    status, found = self._detail(self.by_client.get(str(body.get("client_order_code")), ""))
                    return status, [found] if status == 200 else found
                case "/switch-status/cancel":
                    return 200, [self._cancel(code) for code in body["order_codes"]]
                case "/a5/gen-token":
                    return 200, {"token": "in-nhan-" + body["order_codes"][0]}
        return 404, "no such path"

    def _create(self, body: dict[str, Any]) -> tuple[int, Any]:
        if wrong := _wrong(body):
            return 400, wrong
        key = body["client_order_code"]
        if key not in self.by_client:
            code = f"L8T{len(self.parcels):03d}"
            self.by_client[key] = code
            self.parcels[code] = FakeParcel(code, body, _fee(body))
            self.parcels[code].log.append({"status": "ready_to_pick", "updated_date": _now(None), "reason": ""})
        parcel = self.parcels[self.by_client[key]]
        return 200, {"order_code": parcel.code, "total_fee": parcel.fee, "sort_code": "0-000-0-00"}

    def _detail(self, code: str) -> tuple[int, Any]:
        parcel = self.parcels.get(code)
        if parcel is None:
            return 400, "Không tìm thấy đơn"
        return 200, {
            "order_code": code, "client_order_code": parcel.body["client_order_code"], "status": parcel.status,
            "cod_amount": parcel.body["cod_amount"], "is_cod_collected": parcel.status == "delivered",
            "is_cod_transferred": parcel.sent_on is not None, "cod_transfer_date": parcel.sent_on or NEVER,
            "log": list(parcel.log),
        }  # fmt: skip

    def _cancel(self, code: str) -> dict[str, Any]:
        parcel = self.parcels.get(code)
        if parcel is None or parcel.status not in ("ready_to_pick", "picking"):
            return {"order_code": code, "result": False, "message": "Đơn đã được lấy"}
        parcel.status = "cancel"
        parcel.log.append({"status": "cancel", "updated_date": _now(None), "reason": ""})
        return {"order_code": code, "result": True, "message": "OK"}


def _wrong(body: dict[str, Any]) -> str:
    if body.get("is_new_to_address") is not True or body["to_ward_name"] not in WARDS:
        return f"Phường/xã không đúng: {body.get('to_ward_name')}"
    if not (body["to_phone"].startswith("0") and body["to_phone"].isdigit()):
        return "Số điện thoại không đúng"
    if not 0 < body["weight"] <= 50_000 or not 0 <= body["cod_amount"] <= 50_000_000:
        return "Khối lượng hoặc tiền thu hộ không đúng"
    return "" if 0 < len(body["client_order_code"]) <= 50 else "Mã đơn không đúng"


def _fee(body: dict[str, Any]) -> int:
    return 22_000 + 5_000 * (int(body["weight"]) // 500)


def _now(at: dt.datetime | None) -> str:
    return (at or dt.datetime.now(dt.UTC)).isoformat().replace("+00:00", "Z")


class _Desk(BaseHTTPRequestHandler):
    server: "_Desks"

    def do_POST(self) -> None:
        """One question."""
        fake = self.server.fake
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fake.asked.append(self.path)
        mood = fake.moods.pop(0) if fake.moods else ""
        if mood == "hang up":
            self.close_connection = True
            return
        if fake.accounts.get(self.headers["Token"]) != self.headers["ShopId"]:
            self._say(401, {"code": 401, "message": "Token is not valid!", "data": None})
            return
        fake.under.append(self.headers["ShopId"])
        if mood == "down":
            self._say(502, {"code": 502, "message": "bad gateway", "data": None})
            return
        status, data = fake.answer(self.path, body)
        if mood == "done, then hang up":
            self.close_connection = True
            return
        if mood == "garbage":
            self._say(200, ["?"])
            return
        refused = {"code": status, "message": "refused", "code_message_value": data, "data": None}
        self._say(status, {"code": 200, "message": "Success", "data": data} if status == 200 else refused)

    def _say(self, status: int, told: Any) -> None:
        body = json.dumps(told).encode()
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Desks(ThreadingHTTPServer):
    daemon_threads = True
    fake: GhnFake


@contextmanager
def ghn_fake() -> Iterator[GhnFake]:
    """The carrier at work for the length of the block."""
    with _Desks(("127.0.0.1", 0), _Desk) as server:
        fake = server.fake = GhnFake()
        fake.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield fake
        finally:
            server.shutdown()
