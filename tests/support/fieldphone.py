"""A phone with the field app in a real Chromium whose profile outlives it: it can be killed, and opened again."""

import os
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from batches.devices import services
from tests.support.village import Village
from village.people.services import console, hand_out_link
from village.settings import ROOT

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
HANDS = (ROOT / "tests" / "support" / "fieldphone.js").read_text()
DONE = "state.counts.waiting === 0 && state.counts.sent === 0"
"""Everything is proven, or needs help."""
ARRIVED = "state.records.every((one) => one.photos.every((photo) => photo.done))"


@dataclass
class FieldPhone:
    """A phone of its own, at an address that leads to the village.

    With a `folder` for its profile it is a browser of its own, which can be killed; else a context of `browser`.
    """

    browser: Browser
    url: str
    folder: Path | None = None
    errors: list[str] = field(default_factory=list)
    _context: BrowserContext | None = None

    @property
    def context(self) -> BrowserContext:
        """The browser, while it runs."""
        assert self._context is not None
        return self._context

    @property
    def page(self) -> Page:
        """Its one page."""
        return self.context.pages[0]

    def open(self) -> "FieldPhone":
        """Start the browser."""
        size: ViewportSize = {"width": 360, "height": 740}
        more: dict[str, Any] = {"locale": "vi-VN", "timezone_id": "Asia/Ho_Chi_Minh", "base_url": self.url}
        if self.folder is None:
            self._context = self.browser.new_context(viewport=size, **more)
            self._context.new_page()
        else:
            self._context = self.browser.browser_type.launch_persistent_context(
                self.folder, executable_path=shutil.which("chromium"), args=ARGS, viewport=size, **more
            )
        self._context.set_default_timeout(20_000)
        self._context.on("weberror", lambda error: self.errors.append(str(error.error)))
        return self

    def kill(self) -> None:
        """`kill -9` of the browser and all its processes: the battery fell out."""
        for process in psutil.process_iter(["pid", "cmdline"]):
            if f"--user-data-dir={self.folder}" in (process.info["cmdline"] or []):
                for one in (*process.children(recursive=True), process):
                    try:
                        os.kill(one.pid, signal.SIGKILL)
                    except ProcessLookupError:
                        continue
        self._context = None

    def close(self) -> None:
        """Close the browser as its owner would."""
        if self._context is not None:
            self._context.close()
            self._context = None

    def sign_in(self, village: Village, username: str) -> None:
        """Sign a member in by a one-time link."""
        member = village.member(username)
        self.page.goto(f"/sign-in/link/{hand_out_link(console(member.cooperative_id), member.id)}")
        self.page.get_by_role("button", name="Vào").click()

    def start(self, *, worker: bool = True) -> None:
        """Open the app, and take its engine in hand."""
        self.page.goto("/field")
        if worker:
            self.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        self.take_in_hand()

    def take_in_hand(self) -> None:
        """Reach the engine of the page that is open."""
        self.page.evaluate(HANDS)

    def do(self, script: str, arg: Any = None) -> Any:
        """What a script gives, or an expression: `engine` and `hands` are at hand, `arg` is given."""
        return self.page.evaluate(f"async (arg) => ({script})", arg)

    def offline(self, off: bool = True) -> None:
        """Cut the phone off, or bring it back."""
        self.context.set_offline(off)

    def enrol(self, village: Village, label: str = "Máy thử") -> str:
        """Make a key on the phone, and have the office approve it; the key."""
        self.do("engine.enrol(arg)", label)
        self.settle("state.key === 'pending'")
        key = str(self.do("fetch('/api/devices').then((answer) => answer.json()).then((told) => told.devices[0].key)"))
        services.approve(village.actor("office"), key)
        self.settle("state.key === 'enrolled'")
        return key

    def settle(self, holds: str = DONE) -> None:
        """Send until `holds`, a condition on the engine's state, does."""
        self.page.evaluate(f"() => settle((state) => {holds})")

    def wait(self, holds: str) -> None:
        """Wait until the engine by itself comes to a state of which `holds` does."""
        self.page.evaluate(f"() => until((state) => {holds})")

    def stuck(self, slug: str, *offers: str) -> dict[str, Any]:
        """The one record that needs help with this problem, once there is one; these are its repairs."""
        self.settle("state.counts.help === 1")
        record: dict[str, Any] = self.do("hands.stuck()")
        assert record["problem"]["slug"] == slug
        assert self.do("engine.offers(arg)", record) == list(offers)
        return record

    def mend(self, record: dict[str, Any], how: str, **data: Any) -> None:
        """Repair a record."""
        self.page.evaluate("([id, how, data]) => engine.repair(id, how, data)", [record["id"], how, data])

    def states(self) -> list[str]:
        """The states of its records, newest first."""
        return [str(one) for one in self.do("engine.state.records.map((one) => one.state)")]

    def ids(self) -> list[str]:
        """The ids of its records, the oldest first."""
        return [str(one) for one in self.do("engine.state.records.map((one) => one.id).reverse()")]
