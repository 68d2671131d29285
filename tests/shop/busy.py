"""A shop in which all has happened that can: an order in each state, parcels, money in doubt, a closed period."""

import datetime as dt
from dataclasses import dataclass, field

from flask import Flask
from sqlalchemy import select

from shop.delivery import rounds
from shop.orders import services, steps
from shop.orders.models import Order
from shop.orders.services import Buyer
from shop.payments.daily.services import load_statement
from shop.payments.desk.services import set_aside
from shop.payments.models import PaymentPuzzle
from shop.refunds import services as refunds
from shop.rights import forgetting
from tests.conftest import browser
from tests.shop.combining import combine
from tests.shop.delivering import code, ready, sent, set_up
from tests.shop.hands import BUYER
from tests.shop.settling import agreed, close, sold
from tests.shop.transferring import open_account
from tests.shop.working import arrive, order, ordered, part, pay, picked, send, take_back
from tests.support.bank_fake import Banks, post_sepay
from tests.support.ghn_fake import GhnFake
from tests.support.village import Village
from village import clock
from village.db import db
from village.ids import uuid7
from village.products.models import Product


@dataclass
class Busy:
    """What there is, by its name here."""

    product: Product
    combo: Product
    orders: dict[str, str] = field(default_factory=dict)
    """Ids."""
    parcels: dict[str, str] = field(default_factory=dict)
    """Ids."""
    period: str = ""
    """The closed one's id."""

    def token(self, name: str) -> str:
        """The key to an order's page."""
        return order(self.orders[name]).token


def busy(app: Flask, village: Village, carrier: GhnFake) -> Busy:
    """Let it all happen; `app` takes SePay's notices with its key, and cards."""
    set_up(app, carrier)
    village.packs(110)
    village.packs(20, net=1000)
    packs, large = village.product("packs", 500), village.product("packs", 1000)
    open_account(village)
    shop = Busy(packs, combine(village, (packs, 2), (large, 1)))
    _close_a_period(village, shop)
    _wait(village, shop)
    _leave(village, shop)
    _come_and_go(village, shop)
    _by_carrier(village, shop, carrier)
    _money_in_doubt(app, village, shop)
    return shop


def _close_a_period(village: Village, shop: Busy) -> None:
    today = clock.now()
    with clock.fixed(today - dt.timedelta(days=40)):
        sold(village, 3, product=shop.product, fee=30_000, carrier=18_000)
    agreed(village)
    shop.period = close(village, (today - dt.timedelta(days=35)).date()).id


def _wait(village: Village, shop: Busy) -> None:
    made, seller = shop.orders, village.actor("seller")
    made["placed"] = ordered(shop.combo, 1)
    made["to transfer"] = ordered(shop.product, 2, "vietqr")
    pay(made["to transfer"], 50_000)
    made["by card"] = ordered(shop.product, 1, "stripe")
    with clock.fixed(clock.now() - dt.timedelta(hours=2)):
        made["too late"] = ordered(shop.product, 1, "vietqr")
    placed = services.place(
        None, [(shop.product.gtin, 1)], Buyer(), channel="live", idempotency_key=uuid7(), payment="cod"
    )
    db.session.rollback()
    made["nowhere"] = db.session.scalars(select(Order.id).where(Order.token == placed.token)).one()
    made["cancelled"] = ordered(shop.product, 2)
    steps.cancel(seller, made["cancelled"], "Người mua đổi ý")
    made["confirmed"] = ordered(shop.product, 3)
    steps.confirm(seller, made["confirmed"])
    made["picked"] = picked(village, shop.product, 4)


def _leave(village: Village, shop: Busy) -> None:
    shop.orders["in part"] = partly = picked(village, shop.product, 4)
    send(village, partly, [part(partly, 1)])
    shop.orders["by hand"] = away = picked(village, shop.product, 2)
    shop.parcels["by hand"] = send(village, away)


def _come_and_go(village: Village, shop: Busy) -> None:
    seller = village.actor("seller")
    for name in ("delivered", "returned", "paid back", "forgotten"):
        shop.orders[name] = done = picked(village, shop.product, 2, "vietqr")
        arrive(send(village, done))
    back = shop.orders["returned"]
    take_back(village, back, [(*part(back, 1), "resell")])
    wish = {"id": uuid7(), "amount": "60.000", "way": "cod", "reference": "Phiếu chi 1", "reason": "Gói rách"}
    refunds.give_back(seller, shop.orders["paid back"], refunds.read(wish))
    forgetting.forget(shop.token("forgotten"), BUYER.phone or "", True)


def _by_carrier(village: Village, shop: Busy, carrier: GhnFake) -> None:
    seller = village.actor("seller")
    shop.orders["for the carrier"] = ready(village, 2)
    for name, happens in (
        ("carried", ("picked", "transporting")), ("collected", ("picked", "delivered")),
        ("came back", ("picked", "delivery_fail", "return", "returned")),
    ):  # fmt: skip
        shop.orders[name] = away = ready(village, 1)
        shop.parcels[name] = sent(village, away)
        carrier.go(code(shop.parcels[name]), *happens)
        rounds.look_again(seller, shop.parcels[name])


def _money_in_doubt(app: Flask, village: Village, shop: Busy) -> None:
    client, bank, seller = browser(app), Banks(), village.actor("seller")
    for memo in ("mien cua chi Hoa", "tien gao"):
        assert post_sepay(client, bank.transfer(75_000, memo)).status_code == 200
    db.session.rollback()
    first, *_rest = db.session.scalars(select(PaymentPuzzle.id).order_by(PaymentPuzzle.id))
    set_aside(seller, first, "Tiền của chị hàng xóm, chuyển nhầm")
    day = clock.now().astimezone(clock.VN).strftime("%d/%m/%Y %H:%M:%S")
    load_statement(seller, f"Ngày giao dịch;Số tham chiếu;Ghi có;Nội dung\n{day};FT1;90000;tien la\n".encode())
