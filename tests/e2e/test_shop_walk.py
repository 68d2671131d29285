"""A sale by clicking, on phones of 360 px: a buyer orders, pays by VietQR and sees her page turn to paid by itself; a
seller picks by lot, prints and ships. In both languages, and again without JavaScript."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO

import pytest
import zxingcpp
from flask import Flask
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader
from sqlalchemy import select

from shop.orders.models import Order, Status
from shop.orders.shown import said
from shop.payments.vietqr import VietQr
from shop.payments.vietqr import read as read_code
from shop.stock.audit import audit
from tests.e2e.conftest import STICKS_OUT, Opener
from tests.shop.transferring import open_account
from tests.support.bank_fake import ACCOUNT, SECRET, Banks, signed
from tests.support.serving import Served, start
from tests.support.village import Village
from trace.ledger.verify import verify
from village.db import db
from village.i18n import speaking, translations
from village.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.slow_once]
Look = Callable[[Page, str], None]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, sepay_secret=SECRET)


@pytest.fixture
def served(settings: Settings) -> Iterator[Served]:
    """The village as it is served, with SePay set up: its notices have to be signed."""
    served = start(settings, workers=1, env={"SEPAY_SECRET": SECRET})
    yield served
    served.kill()


@dataclass(frozen=True)
class Hand:
    """Somebody before a page, who reads one language. Buttons are found by where they stand: words may be polished."""

    page: Page
    language: str

    def tap(self, which: str) -> None:
        """Tap what this selector finds first, and wait for the page that it leads to."""
        with self.page.expect_navigation():
            self.page.locator(which).first.click()

    def acts(self) -> None:
        """Tap the page's one big button."""
        self.tap("main .act > *")

    def sees(self, step: str) -> None:
        """Wait until the order's timeline tells of this step, in her language."""
        with speaking(self.language):
            words = said(step)
        expect(self.page.locator(".timeline .done").get_by_text(words).first).to_be_visible()

    def printed(self) -> str:
        """The page on paper: all of it on one sheet; its words."""
        pdf = PdfReader(BytesIO(self.page.pdf(prefer_css_page_size=True)))
        assert len(pdf.pages) == 1
        return pdf.pages[0].extract_text()


def code_in(figure: Locator) -> str:
    """What a camera reads off this part of the screen."""
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(figure.screenshot())))
    return found.text


def orders(buyer: Hand, look: Look) -> VietQr:
    """From the shop to an order that waits for its money; what her banking app reads off the page."""
    page = buyer.page
    page.goto(f"/?lang={buyer.language}")
    look(page, "buyer-1-shop")
    buyer.tap("a.product:has-text('500 g')")
    look(page, "buyer-2-product")
    page.locator("[name='quantity']").fill("2")
    buyer.tap("main form[action='/cart/add'] button")
    look(page, "buyer-3-cart")
    buyer.acts()
    page.locator("[name='name']").fill("Khách Thử")
    page.locator("[name='phone']").fill("0912 345 678")
    page.locator("[name='province']").select_option("Hà Nội")
    page.locator("[name='ward']").fill("Phường Thử")
    page.locator("[name='address']").fill("Số 1 phố Thử")
    page.locator("label:has([name='payment'][value='vietqr'])").click()
    look(page, "buyer-4-checkout")
    buyer.acts()
    expect(page).to_have_url(re.compile(r"/orders/[\w-]{20,}$"))
    look(page, "buyer-5-to-pay")
    return read_code(code_in(page.locator("#pay figure")))


def pays(served: Served, bank: Banks, code: VietQr) -> None:
    """The buyer's bank does what it read; SePay tells of it, with its signature."""
    assert code.amount is not None
    body, headers = signed(bank.transfer(code.amount, f"MBVCB.927.{code.purpose}.CT tu 0071 KHACH THU"))
    connection = served.connect()
    connection.request("POST", "/hooks/sepay", body, headers)
    assert connection.getresponse().status == 200
    connection.close()


def begins(seller: Hand, look: Look) -> None:
    """The seller's day: the new order is confirmed, and its packs fetched by lot."""
    page = seller.page
    page.goto(f"/seller?lang={seller.language}")
    look(page, "seller-1-today")
    seller.tap("svg.flow a")
    page.get_by_role("checkbox").check()
    look(page, "seller-2-new")
    seller.acts()
    page.goto("/seller")
    seller.tap("main a[href='/seller/picking']")
    expect(page.locator(".lot")).to_have_count(1)
    look(page, "seller-3-picking")
    seller.acts()


def sends(seller: Hand, number: str, look: Look) -> None:
    """The slip is printed, and the parcel leaves by hand."""
    page = seller.page
    page.goto("/seller/orders?status=picked")
    page.get_by_role("checkbox").check()
    seller.tap("button[formaction='/seller/slips']")
    look(page, "seller-4-slip")
    assert number in (paper := seller.printed()) and "Khách Thử" in paper and "0912 345 678" in paper
    assert "/01/" in code_in(page.locator("article svg").first)
    page.goto("/seller/orders?status=picked")
    seller.tap(f"main a:has-text('{number}')")
    seller.tap("main a[href$='/ship']")
    look(page, "seller-5-ship")
    seller.acts()
    expect(page).to_have_url(re.compile("/seller/parcels/"))
    look(page, "seller-6-parcel")


def follows(buyer: Hand, number: str, look: Look) -> None:
    """She reads how far it is, prints her receipt, and goes back to where it all began."""
    page = buyer.page
    page.reload()
    buyer.sees("dispatched")
    look(page, "buyer-7-follows")
    buyer.tap("main a[href$='/receipt']")
    look(page, "buyer-8-receipt")
    assert number in (paper := buyer.printed()) and re.search("120[.,]000", paper)
    page.go_back()
    buyer.tap("a.proof[href^='/01/']")
    whole = translations(buyer.language).gettext("Sợi còn nguyên, từ ruộng đến tay bác")
    expect(page.get_by_role("heading", name=whole)).to_be_visible()


def delivers(seller: Hand, number: str) -> None:
    """The packs are in her hand: the parcel's page is told."""
    seller.acts()
    seller.page.goto("/seller/orders?status=delivered")
    expect(seller.page.get_by_role("link", name=number)).to_be_visible()


WALKS = (("vi", True), ("en", False))
"""Language, and whether scripts run."""


def test_a_buyer_pays_and_sees_it_and_a_seller_picks_prints_and_ships(
    app: Flask, village: Village, served: Served, phone: Opener, shoot: Callable[..., None]
) -> None:
    village.packs(40)
    open_account(village)
    bank = Banks()
    for sold, (language, javascript) in enumerate(WALKS, start=1):

        def look(page: Page, name: str, kept: bool = sold == 1) -> None:
            if kept:
                shoot(page, f"shop-{name}", whole=True)
            assert page.evaluate(STICKS_OUT) == [], f"{page.url} is too wide"

        buyer = Hand(phone(javascript=javascript), language)
        seller = Hand(phone("seller", javascript=javascript), language)
        code = orders(buyer, look)
        number = buyer.page.locator("h1").inner_text()
        assert (code.account, code.amount) == (ACCOUNT, 120_000)
        pays(served, bank, code)
        if not javascript:
            expect(buyer.page.locator("#pay noscript p")).to_be_visible()
            buyer.tap("#pay a.button")
        begins(seller, look)
        # Nobody has touched her page: by now it says so itself.
        expect(buyer.page.locator("#pay .badge.done")).to_be_visible()
        look(buyer.page, "buyer-6-paid")
        sends(seller, number, look)
        follows(buyer, number, look)
        delivers(seller, number)
        db.session.rollback()
        found = db.session.scalars(select(Order).where(Order.number == number)).one()
        assert (found.status, found.paid, found.language) == (Status.DELIVERED, 120_000, language)
        assert [(lot.sold, lot.faults) for lot in audit(db.session())] == [(2 * sold, ())]
    assert verify().fault is None
