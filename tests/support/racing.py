"""A crowd of buyers that asks for the same packs at once: over the storefront's forms, the API and a livestream.

Each has a connection of her own, an address of her own and a telephone of her own. They arrive (the storefront's fill
their cart and open the checkout page), wait for each other, and are let go together. Who gets no answer because her
connection broke asks the same again, as browsers and programs do. An answer that is neither an order nor a clean
refusal is a fault.
"""

import itertools
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html import unescape
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode

import psutil

from tests.support.serving import Served
from village.ids import uuid7

PATIENCE = 120
"""Seconds that anybody waits for anything."""
TRIES = 20
SOLD_OUT = "Hàng không còn đủ như bác đặt."
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
_numbers = itertools.count(1)


class Broken(Exception):
    """The connection ended without an answer."""


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    body: str
    location: str

    def __str__(self) -> str:
        return f"{self.status}: {self.body[:600]}"


@dataclass
class Caller:
    """Somebody with a connection that is kept, and cookies."""

    port: int
    number: int = field(default_factory=lambda: next(_numbers))
    cookies: dict[str, str] = field(default_factory=dict)
    broken: int = 0
    """How often her connection ended without an answer."""
    _connection: HTTPConnection | None = None

    def ask(self, method: str, path: str, body: str = "", kind: str = "", **headers: str) -> Answer:
        """One request, asked again when its connection breaks."""
        for _try in range(TRIES):
            try:
                return self.once(method, path, body, kind, **headers)
            except Broken:
                self.broken += 1
        raise AssertionError(f"{method} {path}: no answer in {TRIES} tries")

    def once(self, method: str, path: str, body: str = "", kind: str = "", **headers: str) -> Answer:
        """One request, asked once."""
        all_headers = {
            "X-Forwarded-For": f"10.{self.number >> 16}.{self.number >> 8 & 255}.{self.number & 255}",
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": kind,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        told = {name: value for name, value in all_headers.items() if value}
        connection = self.connected()
        try:
            connection.request(method, path, body.encode(), told)
            answer = connection.getresponse()
            said = answer.read().decode()
        except (OSError, HTTPException) as error:
            self.leave()
            raise Broken from error
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Answer(answer.status, said, answer.headers.get("Location", ""))

    def connected(self) -> HTTPConnection:
        """Her connection."""
        if self._connection is None:
            self._connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        return self._connection

    def post(self, path: str, *fields: tuple[str, str]) -> Answer:
        """A form."""
        return self.ask("POST", path, urlencode(fields), "application/x-www-form-urlencoded")

    def leave(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass
class Racer(Caller):
    """Who wants something once all are let go."""

    token: str | None = None
    """The order's, when she was told of one."""
    done: bool = False
    """True once she has her answer."""

    def arrive(self) -> None:
        """Open the connection, and get ready."""
        answer = self.ask("GET", "/healthz")
        assert answer.status == 200, answer

    def go(self) -> None:
        """Ask for it; asked again, it is the same order."""
        raise NotImplementedError

    @property
    def phone(self) -> str:
        """Hers alone."""
        return f"0912{self.number:06d}"


@dataclass
class Guest(Racer):
    """A buyer at the storefront: `wanted` is (product id, packs)."""

    wanted: Sequence[tuple[str, int]] = ()
    form: list[tuple[str, str]] = field(default_factory=list)

    def arrive(self) -> None:
        for product, packs in self.wanted:
            put = self.post("/cart/add", ("product", product), ("quantity", str(packs)))
            assert put.status == 303, put
        page = self.ask("GET", "/checkout")
        assert page.status == 200, page
        shown = {"payment", "delivery"}
        hidden = [(name, unescape(value)) for name, value in HIDDEN.findall(page.body)]
        self.form = [
            *((name, value) for name, value in hidden if name not in shown),
            ("payment", "cod"), ("delivery", "hand"), ("name", f"Người Mua {'ABCDEFGH'[self.number % 8]}"),
            ("phone", self.phone), ("province", "Hà Nội"), ("ward", "Phường Thử"), ("address", "Số 1 phố Thử"),
        ]  # fmt: skip

    def go(self) -> None:
        answer = self.post("/checkout", *self.form)
        if answer.status == 303:
            self.token = answer.location.removeprefix("/orders/")
        else:
            assert answer.status == 409 and SOLD_OUT in answer.body and "Giỏ hàng" in answer.body, answer


@dataclass
class Program(Racer):
    """A buyer through the API: `wanted` is (GTIN, packs)."""

    wanted: Sequence[tuple[str, int]] = ()
    key: str = field(default_factory=uuid7)

    def go(self) -> None:
        lines = [{"gtin": gtin, "quantity": packs} for gtin, packs in self.wanted]
        buyer = {"name": "Người Mua Máy", "phone": self.phone, "address": "Số 1 phố Thử, Hà Nội"}
        body = json.dumps({"lines": lines, "buyer": buyer})
        answer = self.ask("POST", "/api/orders", body, "application/json", Idempotency_Key=self.key)
        said = json.loads(answer.body)
        if answer.status == 201:
            self.token = said["token"]
        else:
            assert answer.status == 409 and said["type"].endswith("/problems/out-of-stock"), answer
            assert {one["gtin"] for one in said["available"]} == {gtin for gtin, _packs in self.wanted}, answer


@dataclass
class Viewer(Racer):
    """A buyer who writes under a livestream; `bearer` is of whoever reads the comments to us."""

    session: str = ""
    bearer: str = ""
    text: str = ""
    comment: str = field(default_factory=uuid7)

    def go(self) -> None:
        said = {"id": self.comment, "author": {"id": f"viewer-{self.number}", "name": "Người Xem"}, "text": self.text}
        answer = self.ask(
            "POST", f"/api/live/sessions/{self.session}/comments", json.dumps({"comments": [said]}),
            "application/json", Authorization=f"Bearer {self.bearer}",
        )  # fmt: skip
        assert answer.status == 200, answer
        (result,) = json.loads(answer.body)["results"]
        assert result["decision"] in ("order", "waitlist", "duplicate"), answer
        assert result["token"] or result["waiting"], answer
        self.token = result["token"]


@dataclass
class Doer(Racer):
    """Anything else that happens at the same time."""

    act: Callable[["Doer"], None] = lambda doer: None

    def go(self) -> None:
        self.act(self)


def race(racers: Sequence[Racer], before: Callable[[], object] = lambda: None) -> None:
    """Let all arrive, do `before`, and let them go together; raises what went wrong with the first of them."""
    # Not as the barrier's own action: that would run in one of the racers' threads, without an app context.
    arrived, ready = threading.Barrier(len(racers) + 1), threading.Barrier(len(racers) + 1)

    def one(racer: Racer) -> None:
        try:
            racer.arrive()
            arrived.wait(PATIENCE)
            ready.wait(PATIENCE)
        except BaseException:
            arrived.abort()
            ready.abort()
            raise
        racer.go()
        racer.done = True

    with ThreadPoolExecutor(len(racers)) as pool:
        running = [pool.submit(one, racer) for racer in racers]
        try:
            arrived.wait(PATIENCE)
            before()
            ready.wait(PATIENCE)
        except threading.BrokenBarrierError:
            pass
        except BaseException:
            ready.abort()
            raise
    for racer in racers:
        racer.leave()
    faults = [error for each in running if (error := each.exception()) is not None]
    faults.sort(key=lambda error: isinstance(error, threading.BrokenBarrierError))
    if faults:
        raise faults[0]


def tokens(racers: Sequence[Racer]) -> list[str]:
    """Of those who were told of an order."""
    return [racer.token for racer in racers if racer.token]


def workers(served: Served) -> list[psutil.Process]:
    """The processes that answer for a server."""
    return [one for one in psutil.Process(served.process.pid).children() if one.status() != psutil.STATUS_ZOMBIE]


def spread(served: Served) -> Counter[int]:
    """How many connections each of a server's processes holds, by process id."""
    held: Counter[int] = Counter()
    for one in workers(served):
        for connection in one.net_connections("tcp4"):
            held[one.pid] += connection.laddr.port == served.port and connection.status == psutil.CONN_ESTABLISHED
    return +held


def all_at_work(served: Served, count: int) -> None:
    """Wait until `count` processes take connections."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        callers = [Caller(served.port) for _ in range(8 * count)]
        with ThreadPoolExecutor(len(callers)) as pool:
            list(pool.map(lambda caller: caller.ask("GET", "/healthz"), callers))
        busy = len(spread(served))
        for caller in callers:
            caller.leave()
        if busy == count:
            return
        time.sleep(0.1)
    raise AssertionError(f"not all {count} processes of the server came to work")
