"""The console in a seller's hand: comments come by themselves, taps stay on the page, a lost network is made up for."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PHONE, STICKS_OUT
from tests.support.live import Live, comment, reserved, shelf
from tests.support.serving import Served
from tests.support.village import Village
from village.people.services import console, hand_out_link

pytestmark = [pytest.mark.browser, pytest.mark.slow_once]


@pytest.fixture
def page(chromium: Browser, app: Flask, village: Village, served: Served) -> Iterator[Page]:
    """A seller's phone. What fails for want of a network is no fault of the page's."""
    context = chromium.new_context(
        viewport=PHONE,  # type: ignore[arg-type]  # a size as the library wants it
        base_url=served.url, locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh",
    )  # fmt: skip
    faults: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    seller = village.member("seller")
    page.goto(f"/sign-in/link/{hand_out_link(console(seller.cooperative_id), seller.id)}")
    page.get_by_role("button", name="Vào").click()
    yield page
    context.close()
    assert faults == []


def test_comments_come_taps_stay_and_a_lost_network_is_made_up_for(
    app: Flask, village: Village, served: Served, page: Page
) -> None:
    shelf(village, 40)
    live = Live(app, village, codes={"MD01": {}, "MD02": {}})
    page.goto(f"/seller/live/{live.id}")
    pasting = page.get_by_label("Dán lời nhắn vào đây")
    expect(pasting).to_be_visible()
    live.say("lan", "mai em chốt md01 2 gói")
    doubts = page.locator("#live-doubts > li")
    expect(doubts).to_have_count(1)
    expect(pasting).to_be_hidden()  # comments come by themselves, and want its place
    page.evaluate("window.stayed = true")

    # What is said appears by itself.
    live.say("hoa", "md01 x3")
    expect(page.locator("#live-said > li").filter(has_text="md01 x3")).to_be_visible()

    # What she has opened stays open and typed in while more comes.
    doubts.first.locator("summary").click()
    doubts.first.locator("[name=quantity]").fill("7")
    live.say("mai", "đẹp quá")
    expect(page.locator("#live-said > li").filter(has_text="đẹp quá")).to_be_visible()
    assert doubts.first.locator("[name=quantity]").input_value() == "7"
    doubts.first.locator("summary").click()

    # Offline: said so, nothing is lost, a tap is not sent and can be pressed again.
    page.context.set_offline(True)
    expect(page.locator("#live-offline")).to_be_visible()
    page.get_by_role("button", name="Không phải đơn").click()
    expect(page.locator("#live-said-so")).to_contain_text("Chưa gửi được")
    expect(doubts).to_have_count(1)
    live.send([comment(f"v{n}", "md01 x1") for n in range(3)])
    page.context.set_offline(False)
    expect(page.locator("#live-offline")).to_be_hidden()
    expect(page.locator("#live-tally a").nth(1)).to_contain_text("6")

    # One tap makes it an order, and the page is still the same one.
    page.get_by_role("button", name="Ghi 2 × MD01").click()
    expect(page.locator("#live-said-so")).to_contain_text("Đã ghi 2 × MD01 vào đơn")
    expect(doubts).to_have_count(0)
    assert page.evaluate("window.stayed") is True and reserved() >= 5

    # A burst: the list stays short, and who reads further down is not pushed away.
    for batch in range(3):
        live.send([comment(f"b{batch}-{n}", f"chào {batch} {n}") for n in range(60)])
    expect(page.locator("#live-tally a").nth(1)).to_contain_text("186")
    assert page.locator("#live-said > li").count() == 60
    page.locator("#live-said > li").nth(30).scroll_into_view_if_needed()
    before = page.locator("#live-said > li").nth(30).inner_text()
    live.say("cuc", "md02 x1")
    expect(page.locator("#live-new")).to_have_text("1 lời mới")
    assert page.locator("#live-said > li").nth(30).inner_text() == before
    page.locator("#live-new").click()
    expect(page.locator("#live-said > li").first).to_contain_text("md02 x1")
    assert page.evaluate(STICKS_OUT) == []

    # What the script asks for again and again is answered with nothing when nothing moved.
    with page.expect_response(lambda answer: answer.url.endswith("/list") and answer.status == 304):
        pass
    assert page.title().startswith("Miến mới")
