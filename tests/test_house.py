"""What holds for every address of the house: who may call it, what its answers carry, how it fails."""

import json
import re
import runpy
import socket
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from tests.support.serving import Served, serving
from tests.support.village import Village
from village.settings import ROOT, Settings, SettingsError, from_env

CHANGING = frozenset(("POST", "PUT", "PATCH", "DELETE"))

OPEN_TO_ALL = {
    "api_orders.place": "a guest buys without an account",
    "cart.add": "the cart is in the guest's own cookie",
    "cart.fit": "the cart is in the guest's own cookie",
    "cart.put": "the cart is in the guest's own cookie",
    "cart.remove": "the cart is in the guest's own cookie",
    "orders.place": "a guest buys without an account",
    "questions.ask": "a buyer asks without an account",
    "questions.forget": "whoever holds the answers' address may erase what she left",
    "questions.say": "whoever holds the answers' address may say more",
    "live_claims.accept": "the link that the viewer got is her key; throttled",
    "live_claims.decline": "the link that the viewer got is her key; throttled",
    "live_claims.fill": "the link that the viewer got is her key; throttled",
    "live_claims.join": "the links that the viewer got are her keys; throttled",
    "live_claims.remind": "the link that the viewer got is her key; throttled",
    "live_hooks.from_facebook": "only what Facebook has signed is read",
    "live_hooks.from_reader": "only what is signed with the source's own secret is read",
    "live_hooks.from_tiktok": "only what TikTok has signed is read",
    "orders.cancel": "the order's secret address is the buyer's key",
    "orders.set_buyer": "the order's secret address is the buyer's key",
    "refusals.send": "a buyer objects without an account; throttled",
    "rights.export": "the order's secret address and its telephone number are the buyer's keys; throttled",
    "rights.forget": "the order's secret address and its telephone number are the buyer's keys; throttled",
    "delivery_hooks.from_ghn": "its address has a secret end, and only what the carrier answers when asked is believed",
    "bank_hooks.from_payos": "only what payOS has signed is read",
    "bank_hooks.from_sepay": "only what bears SePay's key or signature is read",
    "people.sign_in_now": "how a member becomes known; throttled",
    "people.use_link": "the one-time link in the address is the key",
    "stripe_hooks.stripe": "only what Stripe has signed is read",
    "units.place": "a reader tells the province that she is in, of a pack that she holds; it is only counted",
    "people.sign_out": "forgets whoever is signed in; a guest loses nothing",
}
"""Addresses that change something and ask for no role, each with its reason. A new one is thought about here first."""

INLINE = re.compile(
    r"<style\b|\sstyle\s*=|<script\b(?![^>]*\b(?:src=|type=\"application/ld\+json\"))|\son[a-z]+\s*=\s*[\"']"
    r"|(?:href|src|action)\s*=\s*[\"']javascript:",
    re.I,
)

FILLED: dict[str, str] = {
    "int": "0",
    "path": "0/000",
    "uuid": "00000000-0000-7000-8000-000000000000",
}
"""Something of the kind that a place in an address takes, and that does not exist."""


def _rules(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=str)


def _address(rule: Rule) -> str:
    """The rule's address, with something of the right kind that does not exist in each of its places."""
    path = rule.rule
    for converter, first in re.findall(r"<(?:([a-z]+)(?:\(([a-z-]*)[^)]*\))?:)?[a-z_]+>", rule.rule):
        path = re.sub(r"<[^>]*>", first or FILLED.get(converter, "khong-co"), path, count=1)
    return path


def test_every_address_that_changes_something_asks_who_it_is(app: Flask) -> None:
    unguarded = []
    for rule in _rules(app):
        view: Any = app.view_functions[rule.endpoint]
        for method in CHANGING & (rule.methods or set()):
            called = getattr(view, "view_class", None)
            called = getattr(called, method.lower()) if called else view
            if not hasattr(called, "required_roles") and rule.endpoint not in OPEN_TO_ALL:
                unguarded.append(f"{method} {rule.rule} ({rule.endpoint})")
    assert unguarded == []


def test_no_guest_changes_anything_that_is_not_open_to_all(app: Flask, client: FlaskClient) -> None:
    for rule in _rules(app):
        if rule.endpoint in OPEN_TO_ALL or rule.endpoint == "static":
            continue
        for method in CHANGING & (rule.methods or set()):
            answer = client.open(_address(rule), method=method, json={})
            assert answer.status_code == 401, f"{method} {rule.rule}: {answer.status_code}"


@pytest.mark.parametrize("who", ["", "producer", "seller", "office", "auditor"])
def test_every_page_carries_the_headers_that_keep_its_reader_safe(
    app: Flask, client: FlaskClient, village: Village, who: str
) -> None:
    if who:
        village.sign_in(client, who)
    for rule in _rules(app):
        if "GET" not in (rule.methods or set()):
            continue
        answer = client.get(_address(rule))
        told = f"{rule.rule} as {who or 'a guest'}: {answer.status_code}"
        # What is not offered says so.
        assert answer.status_code < 500 or answer.status_code == 501, told
        policy = answer.headers.get("Content-Security-Policy", "")
        assert "'unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, told
        assert answer.headers.get("X-Content-Type-Options") == "nosniff", told
        assert answer.headers.get("Referrer-Policy") == "same-origin", told
        assert "Permissions-Policy" in answer.headers and "Cache-Control" in answer.headers, told
        assert answer.headers.get("X-Request-ID"), told
        if answer.mimetype == "text/html":
            found = INLINE.search(answer.get_data(as_text=True))
            assert found is None, f"{told}: {found.group() if found else ''}"


def test_no_template_has_style_or_script_of_its_own() -> None:
    templates = [path for room in ("village", "trace", "batches", "shop") for path in (ROOT / room).rglob("*.html")]
    assert len(templates) > 20
    bad = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in templates
        for found in INLINE.finditer(path.read_text())
    ]
    assert bad == []


def test_a_request_of_another_site_is_refused(client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "seller")
    answer = client.post("/cart/add", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, "trang khác" in answer.get_data(as_text=True)) == (403, True)


@pytest.mark.parametrize("origin", ["null", "http://[", "https://evil.example", "http://localhost.evil.example", "x"])
def test_an_old_browser_is_known_by_the_origin_it_names(client: FlaskClient, village: Village, origin: str) -> None:
    del client.environ_base["HTTP_SEC_FETCH_SITE"]
    village.sign_in(client, "seller")
    assert client.post("/cart/fit", headers={"Origin": origin}).status_code == 403
    assert client.post("/cart/fit", headers={"Origin": "http://localhost"}).status_code == 303


def test_a_redirect_never_leads_to_the_host_that_the_asker_named(client: FlaskClient) -> None:
    answer = client.get("/ledger//keys", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.location) == (308, "/ledger/keys")


@pytest.mark.parametrize("path", ["/api/events", "/api/orders", "/api/live/sessions"])
@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"a":' * 100_000, '{"id":' + "9" * 100_000 + "}", '{"id":', "\ufeff{", '{"\\ud800":1}']
)
def test_json_that_nobody_can_read_is_told_so(client: FlaskClient, village: Village, path: str, body: str) -> None:
    headers = {"Authorization": f"Bearer {village.token('office')}", "Content-Type": "application/json"}
    answer = client.post(path, data=body, headers=headers)
    assert (answer.status_code in (400, 413, 422), answer.mimetype) == (True, "application/problem+json"), answer.text
    assert answer.status_code != 413 or answer.get_json()["detail"].endswith("tối đa 64 kB.")


def test_half_a_character_is_told_back_as_a_problem(client: FlaskClient, village: Village) -> None:
    event = {
        "id": "019a0000-0000-7000-8000-000000000001", "process": "\ud800", "stage": "harvest",
        "occurred_at": "2026-11-20T06:30:00+07:00", "site": "x",
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {village.token('producer')}", "Content-Type": "application/json"}
    answer = client.post("/api/events", data=json.dumps(event), headers=headers)
    assert (answer.status_code, answer.get_json()["type"].rpartition("/")[2]) == (422, "unknown-process")


@pytest.mark.processes
def test_a_body_in_broken_chunks_gets_a_clear_answer(app: Flask, village: Village) -> None:
    token = village.token("producer")
    head = f"POST /api/events HTTP/1.1\r\nHost: village.test\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
    sent = head + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n"
    with (
        serving(app.extensions["soi"], workers=1) as served,
        socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection,
    ):
        connection.sendall(sent.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400") and b"/problems/bad-body" in answer


class Silent:
    """A body that stops coming."""

    def read(self, _size: int = -1) -> bytes:
        raise BlockingIOError


@pytest.mark.parametrize("path", ["/cart/add", "/api/orders"])
@pytest.mark.parametrize("length", ["100", None])
def test_a_phone_that_falls_silent_is_told_so_and_holds_nobody_up(
    client: FlaskClient, path: str, length: str | None
) -> None:
    answer = client.post(
        path,
        content_type="application/json" if path.startswith("/api") else "application/x-www-form-urlencoded",
        environ_overrides={
            "wsgi.input": Silent(),
            **({"CONTENT_LENGTH": length} if length else {"HTTP_TRANSFER_ENCODING": "chunked"}),
        },
    )
    assert answer.status_code == 408


def test_the_server_gives_a_silent_connection_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTANCE", str(tmp_path))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))  # the server's settings put theirs there
    configured = runpy.run_path(str(ROOT / "village" / "web" / "gunicorn.py"))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        configured["pre_request"](None, SimpleNamespace(unreader=SimpleNamespace(sock=ours)))
        for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            kept = struct.unpack("ll", ours.getsockopt(socket.SOL_SOCKET, direction, struct.calcsize("ll")))
            assert kept == (configured["PATIENCE"], 0)


BIG = 50 * 1024 * 1024


def _send_big(served: Served, path: str, token: str, *, chunked: bool) -> tuple[int, str, bytes]:
    """Send 50 MB over a plain socket, and read the answer to its end; a reset connection raises."""
    head = [f"POST {path} HTTP/1.1", "Host: village.test", "Content-Type: application/json", "Connection: close"]
    if token:
        head.append(f"Authorization: Bearer {token}")
    head.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {BIG}")
    piece = b"x" * 65536
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        for _ in range(BIG // len(piece)):
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            connection.sendall(b"0\r\n\r\n")
        answer = b""
        while read := connection.recv(65536):
            answer += read
    top, _, body = answer.partition(b"\r\n\r\n")
    lines = top.decode().split("\r\n")
    kind = next((line.partition(": ")[2] for line in lines if line.lower().startswith("content-type:")), "")
    return int(lines[0].split()[1]), kind, body


@pytest.mark.processes
@pytest.mark.slow_once
def test_fifty_megabytes_get_a_clear_answer_and_no_broken_connection(app: Flask, village: Village) -> None:
    token = village.token("producer")
    with serving(app.extensions["soi"], workers=1) as served:
        for chunked in (False, True):
            status, kind, body = _send_big(served, "/api/events", token, chunked=chunked)
            assert (status, kind) == (413, "application/problem+json"), (status, body[:200])
            assert b'"status":413' in body.replace(b" ", b"")
        status, kind, _ = _send_big(served, "/api/events", "", chunked=False)
        assert status in (401, 413)
        status, kind, _ = _send_big(served, "/no/such/page", "", chunked=False)
        assert status in (404, 413)


def test_the_village_says_that_it_lives_is_ready_and_how_it_does(client: FlaskClient) -> None:
    assert client.get("/healthz").data == b"ok\n"
    assert client.get("/readyz").data == b"ready\n"
    metrics = client.get("/metrics")
    assert metrics.status_code == 200
    assert b'soi_requests_total{method="GET",route="/healthz",status="200"}' in metrics.data


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via"])
def test_metrics_are_not_for_those_who_come_through_a_proxy(client: FlaskClient, header: str) -> None:
    assert client.get("/metrics", headers={header: "198.51.100.7"}).status_code == 403


def test_words_that_are_no_method_do_not_pile_up_in_the_metrics(client: FlaskClient) -> None:
    for number in range(3):
        assert client.open("/healthz", method=f"MADEUP{number}").status_code == 405
    metrics = client.get("/metrics").get_data(as_text=True)
    assert "MADEUP" not in metrics and 'method="(other)"' in metrics


def test_metrics_name_no_secret_address(client: FlaskClient) -> None:
    client.get("/orders/a-secret-address")
    metrics = client.get("/metrics").get_data(as_text=True)
    assert "a-secret-address" not in metrics and 'route="/orders/<token>"' in metrics


def test_a_village_without_its_tables_is_not_ready(settings: Settings, tmp_path: Path) -> None:
    from dataclasses import replace

    from wsgi import create_app

    bare = create_app(replace(settings, database_url=f"sqlite:///{tmp_path / 'bare.db'}"))
    assert bare.test_client().get("/readyz").status_code == 503
    assert bare.test_client().get("/healthz").status_code == 200


SAFE = {"SOI_ENV": "production", "PUBLIC_URL": "https://soi.example.vn", "SECRET_KEY": "k" * 32}


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"SOI_ENV": "prod"}, "SOI_ENV"),
        ({"PORT": "0"}, "PORT"),
        ({"PORT": "٨٠٠٠"}, "PORT"),
        ({"PUBLIC_URL": "soi.example.vn"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://soi.example.vn/shop"}, "PUBLIC_URL"),
        ({"DATABASE_URL": "mysql://localhost/soi"}, "DATABASE_URL"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
        ({"MAX_BODY_MIB": "1000"}, "MAX_BODY_MIB"),
        ({"SHEET_MIB": "0"}, "SHEET_MIB"),
        ({"JOBS": "maybe"}, "JOBS"),
        ({"LEDGER_ORIGIN": "https://soi.example.vn/ledger"}, "LEDGER_ORIGIN"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({**SAFE, "SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({**SAFE, "PUBLIC_URL": ""}, "PUBLIC_URL"),
        ({**SAFE, "PUBLIC_URL": "http://soi.example.vn"}, "https://"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_in_one_sentence(
    environ: dict[str, str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as told:
        from_env({"INSTANCE": str(tmp_path), **environ})
    text = str(told.value)
    assert said in text and text.endswith(".") and "\n" not in text


def test_production_with_all_that_it_needs_starts(tmp_path: Path) -> None:
    settings = from_env({"INSTANCE": str(tmp_path), **SAFE})
    assert settings.secure and not list(tmp_path.glob("*.key"))


def test_a_start_that_fails_shows_one_sentence_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wsgi import create_app

    monkeypatch.setenv("INSTANCE", str(tmp_path))
    monkeypatch.setenv("SOI_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", "")
    with pytest.raises(SystemExit, match=r"^Soi cannot start: .*\.$"):
        create_app()
