"""A viewer's own page on a phone: it shuts nobody out, and its countdown ends by itself."""

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import update

from shop.live.models import LiveOffer
from tests.e2e.axe import findings
from tests.e2e.conftest import STICKS_OUT, Opener
from tests.shop.hands import shelve
from tests.shop.test_live_claims import offered, path
from tests.support.live import Live
from tests.support.village import Village
from village import clock
from village.db import write

pytestmark = [pytest.mark.browser, pytest.mark.slow_once]


def test_packs_are_kept_before_her_eyes_until_their_time_is_over(app: Flask, village: Village, phone: Opener) -> None:
    shelve(village, 3, lot="A")
    live = Live(app, village)
    offered(live)
    page = phone()
    page.clock.install()
    page.goto(path(live, "hoa"))
    expect(page.locator("[data-left]")).to_contain_text("còn 14:")
    assert findings(page) == [] and page.evaluate(STICKS_OUT) == []
    with write() as session:
        session.execute(update(LiveOffer).values(until=clock.now()))
    page.clock.fast_forward("16:00")
    expect(page.locator("[data-until]")).to_have_count(0)
