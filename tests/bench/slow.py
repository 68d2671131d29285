"""The first view of a page on Chromium's slow 3G: what comes over the wire, and when there is something to read."""

import shutil
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from playwright.sync_api import Browser, sync_playwright

RATE, ROUND_TRIP = 400_000 // 8, 400
"""Bytes a second and milliseconds: 400 kbit/s and 400 ms, the slow 3G of Chromium's tools and of webpagetest.org."""
HANDSHAKES = 2
"""Round trips before the first request that the emulation leaves out: TCP's and TLS 1.3's."""
PHONE = {"width": 360, "height": 740}
SLOWER = 4
"""How many times slower than this machine's cores a cheap phone's is."""
PAINTED = """() => new Promise((done) => {
  const first = performance.getEntriesByName("first-contentful-paint")[0];
  new PerformanceObserver((seen) => done([first.startTime, seen.getEntries().at(-1).startTime]))
    .observe({ type: "largest-contentful-paint", buffered: true });
})"""
BEFORE_PICTURES = ("Document", "Stylesheet", "Script", "Font")


@dataclass(frozen=True)
class View:
    """`first` and `largest`: milliseconds until something, and the most, is seen, handshakes included."""

    first: float
    largest: float
    weights: dict[str, int] = field(default_factory=dict)
    """Bytes over the wire by what they are (Document, Stylesheet, Script, Image …)."""

    @property
    def before_pictures(self) -> int:
        """Bytes of all that is no picture and no data."""
        return sum(self.weights.get(kind, 0) for kind in BEFORE_PICTURES)


def first_view(url: str, times: int = 3) -> View:
    """The median of some first views, each in a browser without anything kept."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        seen = [_once(browser, url) for _ in range(times)]
        browser.close()
    return View(median(one.first for one in seen), median(one.largest for one in seen), seen[0].weights)


def _once(browser: Browser, url: str) -> View:
    context = browser.new_context(viewport=PHONE, locale="vi-VN")  # type: ignore[arg-type]  # a size as the library wants it
    page = context.new_page()
    wire = context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    weights: dict[str, int] = {}

    def known(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = event["type"]

    def came(event: dict[str, Any]) -> None:
        kind = kinds.get(event["requestId"], "Other")
        weights[kind] = weights.get(kind, 0) + int(event["encodedDataLength"])

    wire.on("Network.responseReceived", known)
    wire.on("Network.loadingFinished", came)
    wire.send("Network.enable")
    slow = {"offline": False, "latency": ROUND_TRIP, "downloadThroughput": RATE, "uploadThroughput": RATE}
    wire.send("Network.emulateNetworkConditions", slow)
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(url, wait_until="load", timeout=60_000)
    page.wait_for_load_state("networkidle", timeout=60_000)
    first, largest = page.evaluate(PAINTED)
    context.close()
    shaken = HANDSHAKES * ROUND_TRIP
    return View(first + shaken, largest + shaken, weights)
