"""axe-core's rules over a page: what would shut somebody out who hears it, enlarges it or cannot point well.

axe-core is npm's; tests/oracles/install.sh fetches it for the tests, the village itself never serves it.
"""

from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.oracles.hands import FOLDER

AXE = FOLDER / "axe" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
SERIOUS = frozenset(("serious", "critical"))
RUN = """async (tags) => {
  // Pages and screens that are still drawing themselves are looked at when they are done.
  // One that is paused, or off the screen, never ends.
  const ended = Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})));
  await Promise.race([ended, new Promise((done) => setTimeout(done, 3000))]);
  const asked = { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] };
  const told = (one) => [one.target.join(' '), one.failureSummary];
  const { violations } = await axe.run(document, asked);
  return violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(told) }));
}"""


@cache
def _source() -> str:
    if not AXE.is_file():
        pytest.skip("npm's axe-core is not in .make/oracles; `make test` fetches it")
    return AXE.read_text()


def findings(page: Page) -> list[str]:
    """Serious and critical findings, one sentence each; the test skips where axe-core could not be had."""
    page.evaluate(_source())
    told: list[dict[str, Any]] = page.evaluate(RUN, list(RULES))
    return [
        f"{page.url}: {one['id']} ({one['impact']}) at {where}: {' '.join(str(why).split())}"
        for one in told
        if one["impact"] in SERIOUS
        for where, why in one["nodes"]
    ]
