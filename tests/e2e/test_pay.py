"""A buyer scans the code, the bank tells of the money, and the page in her hand turns to paid."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from shop.payments.vietqr import read
from tests.e2e.axe import findings
from tests.e2e.conftest import DESK, PHONE, Opener
from tests.shop.transferring import Awaiting, awaiting, open_account
from tests.support.bank_fake import ACCOUNT, KEY, Banks
from tests.support.serving import Served, start
from tests.support.village import Village
from village.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.slow_once]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, sepay_key=KEY)


@pytest.fixture
def served(settings: Settings) -> Iterator[Served]:
    """The village as it is served, with SePay set up."""
    served = start(settings, workers=1, env={"SEPAY_KEY": KEY})
    yield served
    served.kill()


def tell(served: Served, bank: Banks, order: Awaiting, amount: int) -> None:
    """The bank's notice of a transfer arrives."""
    connection = served.connect()
    headers = {"Authorization": f"Apikey {KEY}", "Content-Type": "application/json"}
    connection.request("POST", "/hooks/sepay", json.dumps(bank.transfer(amount, f"CK {order.memo}")), headers)
    assert connection.getresponse().status == 200
    connection.close()


def scanned(page: Page) -> str:
    """What a banking app reads off the screen."""
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(page.locator("#pay figure").screenshot())))
    return found.text


def test_the_page_turns_to_paid_by_itself_and_without_a_script_by_a_tap(
    village: Village, served: Served, phone: Opener, shoot: Callable[..., None]
) -> None:
    bank = Banks()
    open_account(village)
    order, other = awaiting(village), awaiting(village, 1, net=1000)

    page = phone(size=PHONE)
    page.goto(f"/orders/{order.token}")
    code = read(scanned(page))
    assert (code.account, code.amount, code.purpose) == (ACCOUNT, order.total, order.memo)
    expect(page.get_by_role("button", name="Chép")).to_have_count(3)
    shoot(page, "tra-tien", whole=True)
    assert findings(page) == []
    tell(served, bank, order, 50_000)
    expect(page.get_by_text("Mình đã nhận 50.000")).to_be_visible()
    assert read(scanned(page)).amount == order.total - 50_000
    tell(served, bank, order, order.total - 50_000)
    expect(page.locator("#pay").get_by_text("Đã nhận đủ tiền")).to_be_visible()
    shoot(page, "da-tra-tien", whole=True)

    plain = phone(size=DESK, javascript=False)
    plain.goto(f"/orders/{other.token}?lang=en")
    expect(plain.get_by_text("Scan this code with your banking app")).to_be_visible()
    expect(plain.get_by_role("button", name="Copy")).to_have_count(0)
    tell(served, bank, other, other.total)
    plain.get_by_role("link", name="Look again").click()
    expect(plain.locator("#pay .badge.done")).to_be_visible()
