"""Stripe over HTTP, as far as card payments need it, with a memory: the real SDK is pointed at it.

Sessions open, are paid, run out and are closed; intents remember what came; refunds never exceed their payment; keys
replay what they gave and refuse another body; every change leaves an event, which the test delivers signed, late, twice
or out of order. It can do what it was asked and lose the answer. Its page for buyers has one button.
"""

import hashlib
import html
import json
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from village import clock

KEY, SECRET = "sk_test_thu", "whsec_thu"
VERSION = "2026-10-28.endive"
KNOWN = frozenset(
    ("mode", "submit_type", "allowed_payment_method_types", "client_reference_id", "metadata", "payment_intent_data",
     "line_items", "locale", "expires_at", "success_url", "cancel_url", "adaptive_pricing")
)  # fmt: skip
"""Of the parameters of that version of the API those that we may send; Stripe refuses what it does not know."""
Told = tuple[int, dict[str, Any]]


@dataclass
class StripeFake:
    """One account at Stripe."""

    url: str = ""
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    disputes: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    """Everything that was to be told, in the order in which it happened."""
    asked: list[str] = field(default_factory=list)
    """`POST /v1/refunds` and so on, each request that came."""
    trouble: list[str] = field(default_factory=list)
    """What happens to the next POSTs: `down` (503, nothing done), `lost` (done, and the answer never arrives)."""
    silent: bool = False
    """While true, everything is answered with 503, and the wish not to be asked again at once."""
    refund_status: str = "succeeded"
    """What becomes of the next refunds."""
    page: int = 100
    """How many it lists at once."""
    _keys: dict[str, tuple[str, Told]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # What happens on the buyer's and the bank's side

    def pay(self, session_id: str) -> None:
        """The buyer's card is charged; an error when the session is no longer open."""
        with self._lock:
            self._run_out()
            session = self.sessions[session_id]
            assert session["status"] == "open", f"this session is {session['status']}"
            intent = {
                "id": _id("pi"), "object": "payment_intent", "amount": session["amount_total"],
                "amount_received": session["amount_total"], "currency": session["currency"], "status": "succeeded",
                "metadata": dict(session["intent_metadata"]),
            }  # fmt: skip
            self.intents[intent["id"]] = intent
            session.update(status="complete", payment_status="paid", payment_intent=intent["id"], url=None)
            self._event("checkout.session.completed", session)

    def finish_refund(self, refund_id: str, status: str) -> None:
        """The bank takes it or does not."""
        with self._lock:
            self.refunds[refund_id]["status"] = status
            kind = "refund.failed" if status == "failed" else "refund.updated"
            self._event(kind, self.refunds[refund_id])

    def refund_by_hand(self, intent: str, amount: int) -> str:
        """Somebody presses the button on Stripe's own pages."""
        with self._lock:
            status, told = self._refund({"payment_intent": intent, "amount": str(amount)})
            assert status == 200, told
            return str(told["id"])

    def forget_keys(self) -> None:
        """A day went by: idempotency keys are not kept for longer."""
        with self._lock:
            self._keys.clear()

    def dispute(self, intent: str, reason: str = "fraudulent") -> str:
        """The buyer's bank wants the money back."""
        with self._lock:
            found = {
                "id": _id("du"), "object": "dispute", "status": "needs_response", "payment_intent": intent,
                "amount": self.intents[intent]["amount"], "currency": "vnd", "reason": reason,
                "evidence_details": {"due_by": int(clock.now().timestamp()) + 7 * 86400, "past_due": False},
            }  # fmt: skip
            self.disputes[found["id"]] = found
            self._event("charge.dispute.created", found)
            return str(found["id"])

    def dispute_is(self, dispute: str, status: str) -> None:
        """It goes on: `under_review` once it was answered, `won` or `lost` at its end."""
        with self._lock:
            found = self.disputes[dispute]
            found["status"], found["evidence_details"] = status, {"due_by": None, "past_due": False}
            kind = "closed" if status in ("won", "lost", "warning_closed") else "updated"
            self._event(f"charge.dispute.{kind}", found)

    # Telling of it

    def told(self, kind: str) -> dict[str, Any]:
        """The latest event of this kind."""
        return next(event for event in reversed(self.events) if event["type"] == kind)

    def post(
        self, client: FlaskClient, event: dict[str, Any], *, late: float = 0, secret: str = SECRET, spoil: bytes = b""
    ) -> TestResponse:
        """Deliver an event, signed now or `late` seconds ago (negative: ahead); `spoil` is added after signing."""
        body = json.dumps(event)
        stamp = int(clock.now().timestamp() - late)
        header = stripe.WebhookSignature.generate_signature_header(body, secret, stamp)
        return client.post(
            "/hooks/stripe", data=body.encode() + spoil, headers={"Stripe-Signature": header},
            content_type="application/json",
        )  # fmt: skip

    # The API

    def answer(self, method: str, path: str, sent: dict[str, Any], key: str | None) -> Told | None:
        """One request; None when its answer is lost."""
        with self._lock:
            self.asked.append(f"{method} {path}")
            if self.silent:
                return _error(503, "api_error", "out of order")
            self._run_out()
            fate = self.trouble.pop(0) if self.trouble and method == "POST" else ""
            if fate == "down":
                return _error(503, "api_error", "out of order")
            told = self._once(method, path, sent, key)
            return None if fate == "lost" else told

    def _once(self, method: str, path: str, sent: dict[str, Any], key: str | None) -> Told:
        if method != "POST" or key is None:
            return self._route(method, path, sent)
        digest = hashlib.sha256(json.dumps([path, sent], sort_keys=True).encode()).hexdigest()
        if key in self._keys:
            before, told = self._keys[key]
            if before != digest:
                return _error(400, "idempotency_error", "Keys can only be used with the same parameters.")
            return told
        told = self._route(method, path, sent)
        if told[0] != 400:  # what fails its checks was never begun
            # As it was then: what is told later of a session is not what is replayed.
            self._keys[key] = digest, (told[0], json.loads(json.dumps(told[1])))
        return told

    def _route(self, method: str, path: str, sent: dict[str, Any]) -> Told:
        parts = path.removeprefix("/v1/").split("/")
        match (method, parts):
            case ("POST", ["checkout", "sessions"]):
                return self._make(sent)
            case ("GET", ["checkout", "sessions"]):
                return self._listed(path, self.sessions, sent)
            case ("GET", ["checkout", "sessions", name]):
                return _found(self.sessions, name)
            case ("POST", ["checkout", "sessions", name, "expire"]):
                return self._expire(name)
            case ("POST", ["refunds"]):
                return self._refund(sent)
            case ("GET", ["refunds"]):
                return self._listed(path, self.refunds, sent)
            case ("GET", ["refunds", name]):
                return _found(self.refunds, name)
            case ("GET", ["disputes", name]):
                return _found(self.disputes, name)
        return _error(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path})")

    def _listed(self, path: str, things: dict[str, dict[str, Any]], sent: dict[str, Any]) -> Told:
        """Newest first, a page at a time."""
        created = sent.get("created", {})
        found = [
            thing for thing in reversed(things.values())
            if thing["payment_intent"] == sent.get("payment_intent", thing["payment_intent"])
            and thing["status"] == sent.get("status", thing["status"])
            and int(created.get("gte", 0)) <= thing["created"] < int(created.get("lt", 10**12))
        ]  # fmt: skip
        if "starting_after" in sent:
            ids = [thing["id"] for thing in found]
            found = found[ids.index(sent["starting_after"]) + 1 :]
        most = min(int(sent["limit"]), self.page)
        return 200, {"object": "list", "data": found[:most], "has_more": len(found) > most, "url": path}

    def _make(self, sent: dict[str, Any]) -> Told:
        if unknown := set(sent) - KNOWN:
            return _error(400, "invalid_request_error", f"Received unknown parameters: {unknown}", "parameter_unknown")
        line = sent["line_items"]["0"]
        price = line["price_data"]
        ends, now = int(sent["expires_at"]), clock.now().timestamp()
        if not now + 1800 <= ends <= now + 86400:
            return _error(400, "invalid_request_error", "expires_at must be between 30 minutes and 24 hours away")
        total = int(price["unit_amount"]) * int(line["quantity"])
        if total < 16_000:
            return _error(400, "invalid_request_error", "Below 0.50 euros.", "amount_too_small")
        if total > 99_999_999:
            return _error(400, "invalid_request_error", "The amount is too large.", "amount_too_large")
        name = _id("cs_test")
        self.sessions[name] = {
            "id": name, "object": "checkout.session", "mode": sent["mode"], "status": "open",
            "payment_status": "unpaid", "amount_total": total, "currency": price["currency"],
            "client_reference_id": sent["client_reference_id"], "metadata": sent.get("metadata", {}),
            "intent_metadata": sent["payment_intent_data"]["metadata"], "payment_intent": None, "expires_at": ends,
            "url": f"{self.url}/c/pay/{name}", "success_url": sent["success_url"], "cancel_url": sent["cancel_url"],
            "locale": sent["locale"], "says": price["product_data"], "created": int(now),
        }  # fmt: skip
        return 200, self.sessions[name]

    def _expire(self, name: str) -> Told:
        if name not in self.sessions:
            return _found(self.sessions, name)
        if self.sessions[name]["status"] != "open":
            return _error(400, "invalid_request_error", "Only sessions with status in [open] can be expired.")
        self._end(self.sessions[name])
        return 200, self.sessions[name]

    def _refund(self, sent: dict[str, Any]) -> Told:
        intent, amount = self.intents.get(sent["payment_intent"]), int(sent["amount"])
        if intent is None:
            return _found(self.intents, sent["payment_intent"])
        given = sum(
            refund["amount"] for refund in self.refunds.values()
            if refund["payment_intent"] == intent["id"] and refund["status"] not in ("failed", "canceled")
        )  # fmt: skip
        left = intent["amount_received"] - given
        if left == 0:
            return _error(400, "invalid_request_error", "Charge has already been refunded.", "charge_already_refunded")
        if amount > left:
            return _error(400, "invalid_request_error", f"Refund amount is greater than unrefunded amount ({left}).")
        refund = {
            "id": _id("re"), "object": "refund", "amount": amount, "currency": intent["currency"],
            "payment_intent": intent["id"], "status": self.refund_status, "metadata": sent.get("metadata", {}),
            "created": int(clock.now().timestamp()),
        }  # fmt: skip
        self.refunds[refund["id"]] = refund
        self._event("refund.created", refund)
        return 200, refund

    def _run_out(self) -> None:
        for session in self.sessions.values():
            if session["status"] == "open" and session["expires_at"] <= clock.now().timestamp():
                self._end(session)

    def _end(self, session: dict[str, Any]) -> None:
        session.update(status="expired", url=None)
        self._event("checkout.session.expired", session)

    def _event(self, kind: str, about: dict[str, Any]) -> None:
        self.events.append(
            {
                "id": _id("evt"), "object": "event", "type": kind, "livemode": False, "api_version": "2026-10-28",
                "created": int(clock.now().timestamp()), "data": {"object": json.loads(json.dumps(about))},
            }
        )  # fmt: skip


def _id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(8)}"


def _found(things: dict[str, dict[str, Any]], name: str) -> Told:
    if name in things:
        return 200, things[name]
    return _error(404, "invalid_request_error", f"No such object: '{name}'", "resource_missing")


def _error(status: int, kind: str, message: str, code: str | None = None) -> Told:
    return status, {"error": {"type": kind, "message": message, **({"code": code} if code else {})}}


def _nested(text: str) -> dict[str, Any]:
    """`a[b][0]=c` as dicts in dicts."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        *way, last = re.findall(r"[^\[\]]+", name)
        place = found
        for step in way:
            place = place.setdefault(step, {})
        place[last] = value
    return found


def _handler(fake: StripeFake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.startswith("/c/pay/"):
                self._page()
            else:
                self._api("GET", urlsplit(self.path).query)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if self.path.startswith("/c/pay/"):
                session = fake.sessions[self.path.rsplit("/", 1)[1]]
                fake.pay(session["id"])
                self._send(303, b"", "text/plain", Location=session["success_url"])
            else:
                self._api("POST", body)

        def _page(self) -> None:
            session = fake.sessions[self.path.rsplit("/", 1)[1]]
            shown = html.escape(f"{session['says']['name']}: {session['amount_total']} {session['currency']}")
            page = f"<!doctype html><title>Stripe</title><h1>{shown}</h1><form method=post><button>Pay</button></form>"
            self._send(200, page.encode(), "text/html; charset=utf-8")

        def _api(self, method: str, text: str) -> None:
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                told: Told | None = _error(401, "invalid_request_error", "Invalid API Key provided")
            elif self.headers.get("Stripe-Version") != VERSION:
                told = _error(400, "invalid_request_error", "Another version of the API than what this one speaks.")
            else:
                path = urlsplit(self.path).path
                told = fake.answer(method, path, _nested(text), self.headers.get("Idempotency-Key"))
            if told is None:
                self.close_connection = True
                return
            again = {"Stripe-Should-Retry": "false"} if fake.silent else {}
            self._send(told[0], json.dumps(told[1]).encode(), "application/json", **again)

        def _send(self, status: int, body: bytes, mimetype: str, **headers: str) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Type": mimetype, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Nothing: what was asked stands in `asked`."""

    return Handler


@contextmanager
def stripe_fake() -> Iterator[StripeFake]:
    """An account of its own, for the length of the block."""
    fake = StripeFake()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
