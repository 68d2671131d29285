"""axe-core's rules over every page of the shop on a phone of 360 px, in every state that an order can have."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.e2e.axe import findings, findings_on
from tests.e2e.conftest import STICKS_OUT, Opener
from tests.shop.busy import Busy, busy
from tests.shop.delivering import HOOK
from tests.support.bank_fake import KEY
from tests.support.ghn_fake import SHOP, TOKEN, GhnFake, ghn_fake
from tests.support.serving import Served, start
from tests.support.stripe_fake import KEY as CARD_KEY
from tests.support.stripe_fake import SECRET as CARD_SECRET
from tests.support.village import Village, gln
from village.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.slow_once]
BUYERS = ("placed", "to transfer", "by card", "too late", "nowhere", "cancelled", "in part", "collected", "returned",
          "paid back", "forgotten")  # fmt: skip
SELLERS = ("placed", "to transfer", "nowhere", "cancelled", "picked", "in part", "delivered", "paid back", "carried")
"""Orders by their names in `busy`: each state that its reader's page shows in its own way."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, sepay_key=KEY, stripe_key=CARD_KEY, stripe_webhook_secret=CARD_SECRET)


@pytest.fixture
def carrier() -> Iterator[GhnFake]:
    with ghn_fake() as fake:
        yield fake


@pytest.fixture
def served(settings: Settings, carrier: GhnFake) -> Iterator[Served]:
    """The village as it is served, with a bank, cards and a carrier."""
    env = {
        "SEPAY_KEY": KEY, "STRIPE_KEY": CARD_KEY, "STRIPE_WEBHOOK_SECRET": CARD_SECRET, "GHN_URL": carrier.url,
        "GHN_TOKEN": TOKEN, "GHN_SHOP": SHOP, "GHN_HOOK": HOOK,
    }  # fmt: skip
    served = start(settings, workers=1, env=env)
    yield served
    served.kill()


@pytest.fixture
def shop(app: Flask, village: Village, carrier: GhnFake) -> Busy:
    return busy(app, village, carrier)


def shut_out(page: Page, *paths: str) -> list[str]:
    """What is found on these pages; each fits a phone."""
    return findings_on(page, *paths) + _too_wide(page)


def _here(page: Page) -> list[str]:
    return findings(page) + _too_wide(page)


def _too_wide(page: Page) -> list[str]:
    return [f"{page.url}: {one} sticks out" for one in page.evaluate(STICKS_OUT)]


def test_no_page_of_the_shop_shuts_anybody_out(shop: Busy, village: Village, phone: Opener) -> None:
    found = _buyer(phone(), shop) + _seller(phone("seller"), shop)
    period = f"/coop/settlements/{shop.period}"
    found += shut_out(
        phone("office"), "/coop/account", "/coop/delivery", "/coop/seller-info", "/coop/settlements",
        "/coop/settlements/rules", period, f"{period}/{village.site().household_id}",
    )  # fmt: skip
    found += shut_out(phone("producer"), "/settlement", f"/settlement/{shop.period}")
    assert found == []


def _buyer(page: Page, shop: Busy) -> list[str]:
    product, done = f"/products/{shop.product.slug}", f"/orders/{shop.token('paid back')}"
    page.goto(product)
    page.locator("main form button").last.click()
    expect(page.get_by_role("heading", name="Giỏ hàng")).to_be_visible()
    found = shut_out(
        page, "/", "/cart", "/checkout", product, f"/products/{shop.combo.slug}",
        *(f"/orders/{shop.token(name)}" for name in BUYERS),
        *(f"{done}/{more}" for more in ("receipt", "data", "forget")), f"/orders/{shop.token('forgotten')}/data",
        f"/orders/{shop.token('cancelled')}/receipt", "/terms", "/privacy", f"/seller-info/{gln(1)}",
    )  # fmt: skip
    page.goto("/checkout")
    page.locator("main form").evaluate("form => { form.noValidate = true; }")
    page.get_by_role("button", name="Đặt hàng").click()
    expect(page.locator(".field.bad").first).to_be_visible()
    found += _here(page)
    page.goto("/cart")
    page.locator("[name='quantity']").fill("99")
    page.locator("main form[action='/cart/set'] button").click()
    expect(page.locator(".stock.out").first).to_be_visible()
    return found + _here(page)


def _seller(page: Page, shop: Busy) -> list[str]:
    products, orders = "/seller/products", {name: f"/seller/orders/{one}" for name, one in shop.orders.items()}
    found = shut_out(
        page, "/seller", "/seller/orders", "/seller/orders?status=delivered&tick=all", "/seller/orders?q=khongcoai",
        "/seller/picking", "/seller/figures", "/seller/parcels", "/seller/cod", products, f"{products}/combo",
        f"{products}/{shop.product.id}", f"{products}/{shop.combo.id}", "/seller/payments", "/seller/payments/bank",
        f"/seller/slips?order={shop.orders['picked']}&order={shop.orders['carried']}",
        *(f"/seller/parcels/{shop.parcels[name]}" for name in ("by hand", "carried", "came back")),
        *(orders[name] for name in SELLERS), f"{orders['picked']}/packs", f"{orders['by hand']}/ship",
        f"{orders['for the carrier']}/ship", f"{orders['paid back']}/refund", f"{orders['picked']}/refund",
    )  # fmt: skip
    page.goto("/seller/orders?status=picked&tick=all")
    page.locator(".act button").click()
    expect(page.locator("main").get_by_role("link", name="BL-").first).to_be_visible()
    return found + _here(page)
