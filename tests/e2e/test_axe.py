"""axe-core's rules over the main pages of the house, on a phone of 360 px: nobody is shut out. The shop's pages have
test_shop_axe.py."""

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from shop.live import services
from tests.e2e.axe import findings, findings_on
from tests.e2e.conftest import STICKS_OUT, Opener
from tests.support.live import Live
from tests.support.village import Village

pytestmark = [pytest.mark.browser]

GUEST = ("/cart", "/ledger", "/ledger/lines/0", "/verify", "/sign-in", "/processes/mien-dong")
PRODUCER = ("/batches", "/batches/record/mien-dong/harvest", "/batches/sheets", "/batches/season", "/me", "/me/device")
OFFICE = (
    "/coop", "/coop/members", "/coop/members/new", "/coop/devices", "/coop/households", "/coop/sites", "/coop/products",
    "/coop/products/new", "/coop/corrections", "/coop/waiting", "/coop/holds", "/coop/certificates", "/coop/sensors",
    "/coop/balance", "/coop/outliers", "/coop/reports", "/coop/ledger", "/coop/sheets", "/coop/stuck",
)  # fmt: skip


def shut_out(page: Page, *paths: str) -> list[str]:
    """What is found on these pages."""
    found = []
    for path in paths:
        answer = page.goto(path)
        assert answer is not None and answer.status == 200, f"{path}: {answer and answer.status}"
        found += findings(page)
    return found


def test_no_main_page_shuts_anybody_out(app: Flask, village: Village, phone: Opener) -> None:
    packs = village.packs(units=12)
    packed = village.batch(packs)
    found = shut_out(phone(), *GUEST, f"/01/{packed.gtin}/10/{packed.lot}")
    found += shut_out(phone("producer"), *PRODUCER, f"/batches/{packs}", f"/batches/{packs}/balance")
    found += findings_on(phone("office"), *OFFICE)
    found += _live(phone("seller"), village, Live(app, village, codes={f"MD{n}0": {} for n in range(1, 8)}).id)
    assert found == []


def _live(page: Page, village: Village, over: str) -> list[str]:
    """`over`: a session with many codes, to be ended."""
    found = shut_out(page, "/seller/live") + shut_out(page, "/seller/live/plan")
    page.locator("[name='title']").fill("Miến mới tối nay")
    page.locator("[name^='code-']").first.fill("MD01")
    page.get_by_label("Mở phiên luôn bây giờ").check()
    page.get_by_role("button", name="Soạn xong").click()
    expect(page.get_by_role("heading", name="Miến mới tối nay")).to_be_visible()
    page.locator("[name='comments']").fill("Lan: chốt MD01 x2 0912345679\nHoa: giá md01 bao nhiêu shop\nBình: 2kg md01")
    page.get_by_role("button", name="Đọc và giữ hàng").click()
    expect(page.locator("[data-decision='order']")).to_be_visible()
    found += findings(page)
    session_id = page.url.rpartition("/")[2]
    more = [f"/seller/live/{session_id}/{one}" for one in ("plan", "sources", "notes", "after", "said")]
    found += findings_on(page, f"/live/{session_id}/order", *more) + page.evaluate(STICKS_OUT)
    services.end(village.actor("seller"), over)
    return found + findings_on(page, f"/seller/live/{over}", f"/seller/live/{over}/sources")
