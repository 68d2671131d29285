"""Buyers for a shop: each asks for its pages and sends its forms as a browser without JavaScript does, from a product
to the page that says that it is ordered. In processes of their own, as many at once as `tests.bench.load` has.
"""

import multiprocessing
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from typing import Any
from urllib.parse import urlencode

from tests.bench.load import CONNECTIONS, PROCESSES, ROUNDS

REDIRECTS = (301, 302, 303)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
NAME = "Nguyễn Thị Thử"
COUNTED = 0.9
"""Of a round's buyers so many at least end with an order, or the figure is none."""


class Turned(Exception):
    """A shop did not lead a buyer to where she wanted to go. Its text says where she was."""


@dataclass(frozen=True)
class Page:
    """What a buyer got to see."""

    path: str
    status: int
    body: str

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What its forms send by themselves."""
        return [(name, unescape(value)) for name, value in HIDDEN.findall(self.body)]


class Browser:
    """One buyer's: cookies and a connection of its own, redirects followed. `asked` counts requests.

    Were connections kept from buyer to buyer, all of them might stick to one of the server's workers.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket: socket.socket | None = None
        self.asked = 0
        self.cookies: dict[str, str] = {}
        self.buyer = ""
        self.another()

    def another(self) -> None:
        """Somebody whom the shop has not seen yet."""
        self.close()
        self.asked, self.cookies = 0, {}
        self.buyer = f"{random.randrange(10**6):06d}"

    @property
    def phone(self) -> str:
        """Her telephone number."""
        return f"0912{self.buyer}"

    @property
    def mail(self) -> str:
        """Her mail address."""
        return f"thu{self.buyer}@example.com"

    def get(self, path: str) -> Page:
        """A link that is followed."""
        return self._go("GET", path, b"")

    def post(self, path: str, fields: list[tuple[str, str]]) -> Page:
        """A form that is sent."""
        return self._go("POST", path, urlencode(fields).encode())

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _go(self, method: str, path: str, body: bytes) -> Page:
        for _ in range(8):
            status, location, page = self._ask(method, path, body)
            if status not in REDIRECTS:
                return Page(path, status, page)
            method, path, body = "GET", location, b""
        raise Turned(f"{path}: it leads on and on")

    def _ask(self, method: str, path: str, body: bytes) -> tuple[int, str, str]:
        self.asked += 1
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Sec-Fetch-Site: same-origin"]
        if cookies:
            lines.append(f"Cookie: {cookies}")
        if method == "POST":
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        head, content = self._exchange("\r\n".join([*lines, "", ""]).encode() + body)
        location = ""
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(": ")
            if name.lower() == "set-cookie":
                cookie, _, _rest = value.partition(";")
                key, _, told = cookie.partition("=")
                self.cookies[key] = told
            elif name.lower() == "location":
                location = value
            elif name.lower() == "connection" and value.lower() == "close":
                self.close()
        return int(head[9:12]), location, content.decode()

    def _exchange(self, sent: bytes) -> tuple[str, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(sent)
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            if not (read := self._socket.recv(65536)):
                raise ConnectionError("closed before an answer")
            data += read
        found = re.search(rb"\r\ncontent-length: (\d+)", data[:end].lower())
        parts, left = [data[end + 4 :]], (int(found[1]) if found else 0) - (len(data) - end - 4)
        while left > 0:
            if not (read := self._socket.recv(65536)):
                raise ConnectionError("closed within an answer")
            parts.append(read)
            left -= len(read)
        return data[:end].decode("latin-1"), b"".join(parts)


Walk = Callable[[Browser, str], None]
"""One buyer, from a product's address to her order. Raises Turned."""


def at_ours(browser: Browser, path: str) -> None:
    """The product, into the cart, the cart, the one page of the checkout, the order."""
    product = _seen(browser.get(path), path)
    fields = [pair for pair in product.hidden if pair[0] == "product"]
    _seen(browser.post("/cart/add", [*fields[:1], ("quantity", "2")]), "/cart")
    form = _seen(browser.get("/checkout"), "/checkout")
    typed = {
        "name": NAME, "phone": browser.phone, "email": browser.mail, "province": "Hà Nội", "ward": "Ba Đình",
        "address": "Số 1", "note": "", "payment": "cod", "delivery": "hand",
    }  # fmt: skip
    _seen(browser.post("/checkout", _filled(form, typed)), "/orders/")


def at_oscars(browser: Browser, path: str) -> None:
    """The product, into the basket, the basket, who buys, where to, how it is paid, the preview, the order."""
    product = _seen(browser.get(path), path)
    number = path.rstrip("/").rpartition("_")[2]
    token = [pair for pair in product.hidden if pair[0] == "csrfmiddlewaretoken"][:1]
    _seen(browser.post(f"/basket/add/{number}/", [*token, ("quantity", "2")]), "/basket/")
    _seen(browser.get("/checkout/"), "/checkout/")
    who = [*token, ("username", browser.mail), ("options", "anonymous")]
    _seen(browser.post("/checkout/", who), "/checkout/shipping-address/")
    where = {"first_name": "Thử", "last_name": "Nguyễn Thị", "line1": "Số 1", "line4": "Hà Nội", "postcode": "100000",
             "phone_number": browser.phone, "notes": ""}  # fmt: skip
    _seen(browser.post("/checkout/shipping-address/", [*token, *where.items()]), "/checkout/payment-details/")
    _seen(browser.get("/checkout/preview/"), "/checkout/preview/")
    _seen(browser.post("/checkout/preview/", [*token, ("action", "place_order")]), "/checkout/thank-you/")


def _seen(page: Page, path: str) -> Page:
    if page.status != 200 or not page.path.startswith(path):
        raise Turned(f"{page.status} at {page.path} instead of {path}")
    return page


def _filled(page: Page, typed: Mapping[str, str]) -> list[tuple[str, str]]:
    kept = [pair for pair in page.hidden if pair[0] not in typed]
    return [*kept, *typed.items()]


@dataclass(frozen=True)
class Bought:
    """What buyers managed in a time."""

    rate: float
    """Orders a second."""
    p50: float
    """Milliseconds from a buyer's first request to her order's page."""
    p99: float
    orders: int
    turned: int
    """Buyers who did not get their order."""
    requests: float
    """Of one buyer."""
    why: str
    """Of one of those who did not."""


@dataclass(frozen=True)
class Shopping:
    """Buyers of these products, in turn, for so long."""

    port: int
    walk: Walk
    paths: list[str]
    seconds: float


@dataclass
class _Buying:
    """What one connection's buyers did."""

    taken: list[float] = field(default_factory=list)
    turned: list[str] = field(default_factory=list)
    asked: int = 0
    seconds: float = 0.0


def run(job: Shopping) -> Bought:
    """Let them buy for `job.seconds`, in rounds. RuntimeError when too many got nothing.

    Whoever is on her way when the time is up still gets her order: a slow shop would lose many of them. So each
    connection has a rate of its own, and the shop's is their sum.
    """
    part = replace(job, seconds=job.seconds / ROUNDS)
    told = [one for _ in range(ROUNDS) for one in _round(part)]
    times = sorted(taken for one in told for taken in one.taken)
    turned = [why for one in told for why in one.turned]
    if len(times) < COUNTED * (len(times) + len(turned)) or not times:
        raise RuntimeError(f"{len(turned)} of {len(times) + len(turned)} buyers got nothing: {turned[:3]}")
    return Bought(
        rate=sum(len(one.taken) / one.seconds for one in told if one.seconds) / ROUNDS,
        p50=times[len(times) // 2] * 1000,
        p99=times[min(len(times) - 1, len(times) * 99 // 100)] * 1000,
        orders=len(times),
        turned=len(turned),
        requests=sum(one.asked for one in told) / len(times),
        why=turned[0] if turned else "",
    )


def _round(job: Shopping) -> list[_Buying]:
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    began = time.monotonic() + 0.3
    processes = [context.Process(target=_process, args=(job, n, began, results)) for n in range(PROCESSES)]
    for process in processes:
        process.start()
    told = [one for _ in processes for one in results.get(timeout=job.seconds + 600)]
    for process in processes:
        process.join()
    return told


def _process(job: Shopping, number: int, began: float, results: Any) -> None:
    told = [_Buying() for _ in range(CONNECTIONS)]
    threads = [
        threading.Thread(target=_buyers, args=(job, number * CONNECTIONS + n, began, one))
        for n, one in enumerate(told)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(told)


def _buyers(job: Shopping, number: int, began: float, told: _Buying) -> None:
    """One after the other. The first one of each connection warms the shop up, the next is counted in any case."""
    time.sleep(max(0.0, began - time.monotonic()))
    browser, turn = Browser(job.port), number
    _buy(job, browser, turn)
    ends = time.monotonic() + job.seconds
    start = 0.0
    while start < ends:
        start, turn = time.monotonic(), turn + 1
        why = _buy(job, browser, turn)
        took = time.monotonic() - start
        told.seconds += took
        if why:
            told.turned.append(why)
        else:
            told.taken.append(took)
            told.asked += browser.asked
        start += took
    browser.close()


def _buy(job: Shopping, browser: Browser, turn: int) -> str:
    """One buyer; why she got nothing, or nothing to say."""
    browser.another()
    try:
        job.walk(browser, job.paths[turn % len(job.paths)])
    except (Turned, OSError) as error:
        browser.close()
        return f"{type(error).__name__}: {error}"
    return ""
