"""SePay and payOS over HTTP, with a memory: accounts that money comes to, lists of it, payment requests, and the
notices that they post, signed as they sign."""

import datetime as dt
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shop.payments.vietqr import VietQr
from village import clock
from village.clock import VN

KEY, SECRET, TOKEN = "sepay-key-thu", "sepay-secret-thu", "sepay-token-thu"
CLIENT, API_KEY, CHECKSUM = "payos-client", "payos-api-key", "payos-checksum-key"
ACCOUNT, BIN = "0071000888888", "970436"
CHANNEL_ACCOUNT = "V3CAS0000001"
"""The account that payOS puts before ours."""


@dataclass
class Banks:
    """What both services know."""

    url: str = ""
    credits: list[dict[str, Any]] = field(default_factory=list)
    """SePay's transactions, in the order of their ids."""
    requests: dict[int, dict[str, Any]] = field(default_factory=dict)
    """payOS's payment requests by order code."""
    asked: list[str] = field(default_factory=list)
    down: int = 0
    """So many next requests are answered with 503."""
    lost: int = 0
    """So many next payment requests are made, and their answer does not arrive."""
    page: int = 5000
    """The most transactions that a list holds."""

    # SePay

    def transfer(self, amount: int, memo: str, *, at: dt.datetime | None = None, out: bool = False) -> dict[str, Any]:
        """Money comes to (or leaves) the account; gives the notice that SePay posts of it."""
        number = 92_000 + len(self.credits)
        when = (at or clock.now()).astimezone(VN).strftime("%Y-%m-%d %H:%M:%S")
        reference = f"FT{number}.{len(memo)}"
        self.credits.append({
            "id": str(number), "bank_brand_name": "Vietcombank", "account_number": ACCOUNT, "transaction_date": when,
            "amount_in": "0.00" if out else f"{amount}.00", "amount_out": f"{amount}.00" if out else "0.00",
            "accumulated": "1200541768.00", "transaction_content": memo, "reference_number": reference, "code": None,
            "sub_account": None, "bank_account_id": "19",
        })  # fmt: skip
        return {
            "id": number, "gateway": "Vietcombank", "transactionDate": when, "accountNumber": ACCOUNT, "code": None,
            "content": memo, "transferType": "out" if out else "in", "transferAmount": amount,
            "accumulated": 19077000, "subAccount": None, "referenceCode": reference, "description": "",
        }  # fmt: skip

    # payOS

    def pay(self, code: int, amount: int, *, currency: str = "VND", at: dt.datetime | None = None) -> dict[str, Any]:
        """The buyer pays a request; gives the notice that payOS posts of it."""
        request = self.requests[code]
        paid = {
            "reference": f"TF{code % 10**6}{len(request['transactions'])}", "amount": amount,
            "accountNumber": CHANNEL_ACCOUNT, "description": f"CSTEST {request['description']}",
            "transactionDateTime": (at or clock.now()).astimezone(VN).strftime("%Y-%m-%d %H:%M:%S"),
        }  # fmt: skip
        request["transactions"].append(paid)
        data = {
            **paid, "orderCode": code, "currency": currency, "paymentLinkId": request["id"], "code": "00",
            "desc": "Thành công", "counterAccountBankId": None, "counterAccountBankName": "",
            "counterAccountName": None, "counterAccountNumber": None, "virtualAccountName": None,
            "virtualAccountNumber": "",
        }  # fmt: skip
        return {"code": "00", "desc": "success", "success": True, "data": data, "signature": payos_sign(data)}

    def answer(self, method: str, path: str, query: dict[str, list[str]], headers: Any, body: bytes) -> tuple[int, Any]:
        """What either service answers."""
        self.asked.append(f"{method} {path}")
        if self.down:
            self.down -= 1
            return 503, {"error": "down"}
        if path == "/userapi/transactions/list":
            return self._list(query, headers)
        if headers["x-client-id"] != CLIENT or headers["x-api-key"] != API_KEY:
            return 401, {"code": "401"}
        if method == "POST" and path == "/v2/payment-requests":
            return self._create(json.loads(body))
        request = self.requests.get(int(path.rsplit("/", 1)[1]))
        if request is None:
            return 200, {"code": "101", "desc": "none", "data": None}
        data = {
            "id": request["id"], "orderCode": request["orderCode"], "amount": request["amount"],
            "amountPaid": sum(paid["amount"] for paid in request["transactions"]), "status": "PENDING",
            "transactions": request["transactions"],
        }  # fmt: skip
        return 200, {"code": "00", "desc": "success", "data": data, "signature": payos_sign(data)}

    def _list(self, query: dict[str, list[str]], headers: Any) -> tuple[int, Any]:
        if headers["Authorization"] != f"Bearer {TOKEN}":
            return 401, {"status": 401}
        first, last = query["transaction_date_min"][0], query["transaction_date_max"][0]
        since, most = int(query["since_id"][0]), min(int(query["limit"][0]), self.page)
        rows = [
            row
            for row in self.credits
            if row["account_number"] == query["account_number"][0]
            and first <= row["transaction_date"] <= last
            and int(row["id"]) >= since
        ]
        return 200, {"status": 200, "error": None, "messages": {"success": True}, "transactions": rows[:most]}

    def _create(self, wanted: dict[str, Any]) -> tuple[int, Any]:
        signed = {name: wanted[name] for name in ("amount", "cancelUrl", "description", "orderCode", "returnUrl")}
        if wanted["signature"] != payos_sign(signed):
            return 200, {"code": "201", "desc": "signature"}
        if wanted["orderCode"] in self.requests:
            return 200, {"code": "231", "desc": "exists"}
        assert len(wanted["description"]) <= 9
        made = {**wanted, "id": f"link{wanted['orderCode']}", "transactions": []}
        self.requests[wanted["orderCode"]] = made
        if self.lost:
            self.lost -= 1
            return 503, {"error": "lost"}
        memo = f"CSTEST {wanted['description']}"
        data = {
            "bin": BIN, "accountNumber": CHANNEL_ACCOUNT, "accountName": "HTX THU", "amount": wanted["amount"],
            "description": memo, "orderCode": wanted["orderCode"], "currency": "VND", "paymentLinkId": made["id"],
            "status": "PENDING", "checkoutUrl": "https://pay.payos.vn/web/x", "expiredAt": wanted["expiredAt"],
            "qrCode": VietQr(BIN, CHANNEL_ACCOUNT, amount=wanted["amount"], purpose=memo).payload,
        }  # fmt: skip
        return 200, {"code": "00", "desc": "success", "data": data, "signature": payos_sign(data)}


def post_sepay(client: FlaskClient, notice: dict[str, Any], *, key: str = KEY) -> TestResponse:
    """SePay posts a notice with its key."""
    return client.post("/hooks/sepay", json=notice, headers={"Authorization": f"Apikey {key}"})


def post_signed(client: FlaskClient, notice: dict[str, Any], *, seconds: int = 0, secret: str = SECRET) -> TestResponse:
    """SePay posts a signed notice, so many seconds off our clock."""
    body, headers = signed(notice, seconds=seconds, secret=secret)
    return client.post("/hooks/sepay", data=body, headers=headers)


def signed(notice: dict[str, Any], *, seconds: int = 0, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a signed notice, as SePay would post them."""
    body = json.dumps(notice).encode()
    stamp = str(int(time.time()) + seconds)
    given = hmac.digest(secret.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    headers = {"X-SePay-Timestamp": stamp, "X-SePay-Signature": f"sha256={given}", "Content-Type": "application/json"}
    return body, headers


def post_payos(client: FlaskClient, notice: dict[str, Any]) -> TestResponse:
    """payOS posts a notice."""
    return client.post("/hooks/payos", json=notice)


def payos_sign(data: dict[str, Any]) -> str:
    """As payOS's own libraries do: members in the order of their names, null as nothing, lists as JSON."""

    def written(value: Any) -> str:
        if isinstance(value, list):
            return json.dumps([dict(sorted(one.items())) for one in value], separators=(",", ":"), ensure_ascii=False)
        return "" if value is None else str(value)

    told = "&".join(f"{name}={written(value)}" for name, value in sorted(data.items()))
    return hmac.new(CHECKSUM.encode(), told.encode(), "sha256").hexdigest()


@contextmanager
def banks() -> Iterator[Banks]:
    """Both, on a port of their own."""
    fake = Banks()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                status, answer = fake.answer(self.command, parts.path, parse_qs(parts.query), self.headers, body)
            told = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = _do

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
