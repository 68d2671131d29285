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
  const asked = { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'], elementRef: true };
  const page = (one) => one.element?.closest('[data-page]')?.dataset.page ?? location.pathname;
  const told = (one) => [page(one), one.target.join(' '), one.failureSummary];
  const { violations } = await axe.run(document, asked);
  return violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(told) }));
}"""
GATHER = """async (paths) => {
  const main = document.querySelector('main');
  const tied = ['id', 'for', 'form', 'list', 'aria-describedby', 'aria-labelledby', 'aria-controls'];
  for (const [number, path] of paths.entries()) {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    const there = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
    const part = document.createElement('section');
    part.dataset.page = path;
    part.append(...there.childNodes);
    for (const name of tied) for (const one of part.querySelectorAll(`[${name}]`))
      one.setAttribute(name, one.getAttribute(name).split(' ').map((id) => `${id}-${number}`).join(' '));
    for (const one of part.querySelectorAll('[type=radio]')) one.name += `-${number}`;
    main.append(part);
  }
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
        f"{path}: {one['id']} ({one['impact']}) at {where}: {' '.join(str(why).split())}"
        for one in told
        if one["impact"] in SERIOUS
        for path, where, why in one["nodes"]
    ]


def findings_on(page: Page, first: str, *others: str) -> list[str]:
    """The same for many pages of one reader, in a tenth of the time: the first is opened, and what the others have
    between header and footer is put below what it has. What scripts add to them is not there."""
    answer = page.goto(first)
    assert answer is not None and answer.status == 200, f"{first}: {answer and answer.status}"
    page.evaluate(GATHER, list(others))
    return findings(page)
