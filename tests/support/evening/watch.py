"""Somebody before the console in a real Chromium: whether it stays usable while comments fly in."""

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.support.evening.readers import Clock

PHONE = {"width": 360, "height": 780}
STEP = 2.0
"""Seconds between two looks."""

_FRAMES = """() => {
  window.soiGaps = [];
  let last = performance.now();
  const frame = (now) => { window.soiGaps.push(now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""
_LOOK = """async () => {
  const gaps = window.soiGaps.splice(0);
  const began = performance.now();
  window.scrollBy(0, 40);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const felt = performance.now() - began;
  window.scrollTo(0, 0);
  const asked = performance.getEntriesByType("resource").filter((one) => one.initiatorType === "fetch");
  performance.clearResourceTimings();
  return { gaps, felt, nodes: document.querySelectorAll("*").length, asked: asked.map((one) => one.duration),
           bytes: asked.reduce((sum, one) => sum + one.transferSize, 0) };
}"""


@dataclass
class Watcher(threading.Thread):
    """Looks at one livestream's console every two seconds, as a hand would, and takes pictures now and then."""

    clock: Clock
    url: str
    path: str
    cookie: str
    ends: float
    pictures: Path | None = None
    at: dict[str, float] = field(default_factory=dict)
    """What each picture is called, and when it is taken."""
    gaps: list[float] = field(default_factory=list)
    """Milliseconds between two frames."""
    felt: list[float] = field(default_factory=list)
    """Milliseconds from a hand's scroll until the page has moved."""
    nodes: list[int] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    """Milliseconds of each of the page's own questions."""
    bytes: int = 0
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(name="watcher", daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        """Watch to the end."""
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                context = browser.new_context(viewport=PHONE, base_url=self.url, device_scale_factor=2)  # type: ignore[arg-type]  # a size as the library wants it
                context.add_cookies([{"name": "soi_session", "value": self.cookie, "url": self.url}])
                page = context.new_page()
                page.on("pageerror", lambda error: self.errors.append(str(error)))
                page.goto(self.path)
                page.evaluate(_FRAMES)
                while self.clock.now() < self.ends:
                    self._look(page)
                    page.wait_for_timeout(STEP * 1000)
                self._picture(page, "after")
                browser.close()
        except Exception as error:
            self.errors.append(f"{type(error).__name__}: {error}")

    def _look(self, page: Page) -> None:
        seen = page.evaluate(_LOOK)
        self.gaps += seen["gaps"]
        self.felt.append(seen["felt"])
        self.nodes.append(seen["nodes"])
        self.asked += seen["asked"]
        self.bytes += seen["bytes"]
        for name, at in list(self.at.items()):
            if self.clock.now() >= at:
                del self.at[name]
                self._picture(page, name)

    def _picture(self, page: Page, name: str) -> None:
        if self.pictures is not None:
            self.pictures.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=self.pictures / f"evening-{name}.png", animations="disabled")
