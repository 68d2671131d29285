"""A scanned pack's page in a real browser: with no network, on narrow phones, for whoever hears it, on paper."""

from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.axe import findings
from tests.e2e.conftest import PHONE, STICKS_OUT, Opener
from tests.support.serving import Served
from tests.support.village import Village
from tests.trace.scanning import address
from trace.lots.models import Batch
from village import clock
from village.db import write

pytestmark = [pytest.mark.browser]

KEPT = """async (path) => {
  for (let tries = 0; tries < 100; tries++) {
    if (navigator.serviceWorker.controller && await (await caches.open("soi-scan-pages")).match(path)) return true;
    await new Promise((done) => setTimeout(done, 50));
  }
  return false;
}"""


def test_a_page_seen_before_is_shown_without_a_network_as_old_and_a_recall_wins(
    village: Village, chromium: Browser, served: Served
) -> None:
    batch = village.batch(village.packs(10))
    path = address(batch)
    # A phone of its own: without a network its console complains, as it should.
    told = {"base_url": served.url, "locale": "vi-VN", "timezone_id": "Asia/Ho_Chi_Minh"}
    with closing(chromium.new_context(viewport=PHONE, **told)) as context:  # type: ignore[arg-type]
        _looked_at(context.new_page(), path, batch)


def _looked_at(page: Page, path: str, batch: Batch) -> None:
    page.goto(path)
    expect(page.locator("#last-seen")).to_be_hidden()
    assert page.evaluate(KEPT, path)
    with write() as session:
        session.get_one(Batch, batch.id).hold = "recalled"
    page.context.set_offline(True)
    page.goto(path)
    notice = page.locator("#last-seen")
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("kể cả tin thu hồi")
    assert f"{clock.now().astimezone(clock.VN):%-d/%-m/%y}" in notice.locator("time").inner_text().replace("/0", "/")
    expect(page.locator("h1")).to_contain_text("Sợi còn nguyên")
    assert page.evaluate("getComputedStyle(document.querySelector('.verdict')).display") != "inline"
    assert page.evaluate(STICKS_OUT) == []
    # The network is back: the page asks by itself, and what was put away is never put before the answer.
    page.context.set_offline(False)
    expect(page.locator(".message.recall")).to_be_visible(timeout=25_000)
    expect(page.locator("#last-seen")).to_be_hidden()
    page.wait_for_function(
        "async (path) => (await (await caches.match(path)).text()).includes('message recall')", arg=path
    )
    page.context.set_offline(True)
    page.goto(path)
    expect(page.locator(".message.recall")).to_be_visible()
    expect(page.locator("#last-seen")).to_be_visible()


@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_fits_and_shuts_nobody_out(village: Village, phone: Opener, width: int) -> None:
    page = phone(size={"width": width, "height": 740})
    page.goto(address(village.batch(village.packs(10))))
    page.wait_for_selector("#self-check[data-verdict]")
    assert page.evaluate(STICKS_OUT) == []
    assert findings(page) == []
    page.emulate_media(color_scheme="dark")
    assert findings(page) == []
    page.emulate_media(media="print")
    assert page.locator("#print-code").is_visible()
    assert page.locator("header.top").is_hidden()
