"""How long a phone's browser takes to check a lot: the page's own modules, in real Chromium."""

import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from statistics import median

from playwright.sync_api import sync_playwright

from tests.support import proofs
from village.settings import ROOT

TIMES = 7

CHECK = """async ([text, origin, vkeys, policy, lot]) => {
  const from = (name) => import(`/static/js/proof/${name}.js`);
  const [{ checkLot }, { parseVkey }, { parsePolicy }] = await Promise.all(["lot", "note", "policy"].map(from));
  const trust = { origin, keys: await Promise.all(vkeys.map(parseVkey)), policy: await parsePolicy(policy) };
  const began = performance.now();
  const { checks } = await checkLot(text, trust, lot);
  const seconds = (performance.now() - began) / 1000;
  const failed = checks.find((check) => !check.held);
  if (failed) throw new Error(JSON.stringify(failed));
  return seconds;
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def lot_seconds(ancestors: int) -> float:
    """Median seconds, each on a page of its own, to check a lot proof with so many ancestors; all steps hold."""
    story = proofs.story(ancestors=ancestors)
    text = proofs.document(story.log.lot_proof(story.lot)).decode()
    asked = [text, story.log.origin, story.log.vkeys, story.log.policy(), story.lot]
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(ROOT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    taken: list[float] = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for _ in range(TIMES):
                page = browser.new_page()
                page.goto(f"http://127.0.0.1:{server.server_port}/static/favicon.svg")
                taken.append(float(page.evaluate(CHECK, asked)))
                page.close()
            browser.close()
    finally:
        server.shutdown()
    return median(taken)
