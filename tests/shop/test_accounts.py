"""Whose accounts at providers are: a cooperative's own, where it has one, and nobody else's."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from shop.delivery import rounds, services, shipping
from shop.orders import services as orders
from shop.orders.models import Order
from shop.payments.bank import accounts
from shop.payments.services import CARD_LEAST, CARD_MOST, account_for, methods
from tests.conftest import browser
from tests.shop.delivering import HOOK, code, ready, said, sent, set_up, wish
from tests.shop.hands import BUYER, numbers, shelve
from tests.shop.transferring import open_account
from tests.support.ghn_fake import GhnFake, ghn_fake
from tests.support.stripe_fake import KEY, SECRET
from tests.support.village import Village, gln
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict
from village.ids import uuid7
from village.jobs.models import Job, State
from village.jobs.worker import work_off
from village.products.models import Product
from village.settings import GhnAccount, SettingsError, from_env

OWN = GhnAccount("a-cooperatives-own-token-01", "886")


@pytest.fixture
def fake(app: Flask) -> Iterator[GhnFake]:
    """The first cooperative has an account of its own beside the village's."""
    with ghn_fake() as fake:
        set_up(app, fake)
        fake.accounts[OWN.token] = OWN.shop
        app.extensions["soi"] = replace(app.extensions["soi"], ghn_accounts={gln(1): OWN})
        yield fake


def test_a_cooperatives_parcels_go_under_its_own_account_from_quote_to_door(
    app: Flask, village: Village, fake: GhnFake
) -> None:
    village.packs(units=12)
    order_id = ready(village, 2)
    assert shipping.quote(village.actor("seller"), order_id, wish(village, order_id)) > 0
    shipment_id = sent(village, order_id)
    fake.go(code(shipment_id), "picked")
    assert browser(app).post(f"/hooks/ghn/{HOOK}", data=fake.notice(code(shipment_id))).status_code == 200
    fake.go(code(shipment_id), "delivering")
    with clock.fixed(clock.now() + rounds.EVERY + dt.timedelta(minutes=1)):
        rounds.see_to_it()
        work_off()
    assert said(shipment_id) == ["created", "picked", "delivering"]
    assert set(fake.under) == {OWN.shop}


def test_who_has_no_account_of_its_own_goes_by_the_villages(app: Flask, village: Village, fake: GhnFake) -> None:
    app.extensions["soi"] = replace(app.extensions["soi"], ghn_accounts={gln(2): OWN})
    village.packs(units=12)
    sent(village, ready(village, 2))
    assert OWN.shop not in fake.under and fake.under


def test_without_any_account_of_ours_no_carrier_is_offered_and_rounds_do_not_break(
    app: Flask, village: Village, fake: GhnFake
) -> None:
    village.packs(units=12)
    waiting, shipment_id = ready(village, 2), sent(village, ready(village, 2))
    taken = replace(app.extensions["soi"], ghn_token="", ghn_shop="", ghn_accounts={gln(2): OWN})
    app.extensions["soi"] = taken
    mine, other = village.actor("office").cooperative_id, village.actor("office-other").cooperative_id
    assert (services.carrier_open(mine), services.carrier_open(other)) == (False, True)
    assert shipping.ready(village.actor("seller"), waiting).carriers == ("hand",)
    asked = len(fake.asked)
    with clock.fixed(clock.now() + rounds.EVERY + dt.timedelta(minutes=1)):
        rounds.see_to_it()
        work_off()
    assert len(fake.asked) == asked and said(shipment_id) == ["created"]
    round_ = db.session.scalars(select(Job).where(Job.kind == rounds.ROUND)).one()
    assert (round_.state, round_.result) == (State.DONE, {"told": 0, "silent": 1, "left": 0})
    with pytest.raises(Conflict, match="chưa nối"):
        rounds.look_again(village.actor("seller"), shipment_id)


def test_an_account_is_told_whole_and_once(tmp_path: Path) -> None:
    base = {"SOI_ENV": "test", "INSTANCE": str(tmp_path)}
    told = f"{gln(1)}:886:{OWN.token} {gln(2)}:887:{OWN.token}"
    found = from_env({**base, "GHN_ACCOUNTS": told, "GHN_HOOK": HOOK})
    assert found.ghn_accounts == {gln(1): OWN, gln(2): GhnAccount(OWN.token, "887")} and not found.ghn_token
    for wrong in (
        "x", gln(1), f"{gln(1)}:886", f"{gln(1)}:886:short", f"{gln(1)}:shop:{OWN.token}", f"123:886:{OWN.token}",
        f"{gln(1)}:886:{OWN.token}:more", f"{told} {gln(1)}:9:{OWN.token}",
    ):  # fmt: skip
        with pytest.raises(SettingsError, match="GHN_") as caught:
            from_env({**base, "GHN_ACCOUNTS": wrong})
        assert OWN.token not in str(caught.value)
    for name in ("STRIPE_SELLER", "PAYOS_SELLER"):
        assert getattr(from_env({**base, name: gln(1)}), name.lower()) == gln(1)
        with pytest.raises(SettingsError, match=name):
            from_env({**base, name: "Hợp tác xã Một"})


def test_cards_are_taken_only_for_the_cooperative_whose_account_it_is(app: Flask, village: Village) -> None:
    mine, other = village.actor("office").cooperative_id, village.actor("office-other").cooperative_id
    cards = replace(app.extensions["soi"], stripe_key=KEY, stripe_webhook_secret=SECRET)
    for seller, open_for in (("", (True, True)), (gln(1), (True, False)), (gln(2), (False, True))):
        app.extensions["soi"] = replace(cards, stripe_seller=seller)
        assert ("stripe" in methods(mine), "stripe" in methods(other)) == open_for
    shelve(village, 10, lot="A")
    with pytest.raises(BadInput, match="chưa mở"):
        by_card(village)


def test_an_order_that_stripe_would_not_take_is_refused_before_it_is_placed(app: Flask, village: Village) -> None:
    app.extensions["soi"] = replace(app.extensions["soi"], stripe_key=KEY, stripe_webhook_secret=SECRET)
    lot = shelve(village, 10, lot="A")
    for price in (CARD_LEAST - 1, CARD_MOST + 1):
        cost(village, price)
        with pytest.raises(Conflict, match=r"Thẻ trả được đơn từ 20\.000"):
            by_card(village)
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(Order)) == 0 and numbers(lot)[0] == 10
    cost(village, CARD_LEAST)
    assert by_card(village).token


def cost(village: Village, price: int) -> None:
    with write() as session:
        session.execute(update(Product).where(Product.id == village.product("packs", 500).id).values(price=price))


def by_card(village: Village) -> orders.Placed:
    lines = [(village.product("packs", 500).gtin, 1)]
    return orders.place(None, lines, BUYER, channel="web", idempotency_key=uuid7(), payment="stripe")


def test_payos_is_offered_only_to_the_cooperative_whose_channel_it_is(
    app: Flask, village: Village, client: FlaskClient
) -> None:
    channel = replace(app.extensions["soi"], payos_client_id="c" * 8, payos_api_key="k" * 8, payos_checksum_key="s" * 8)
    app.extensions["soi"] = channel
    open_account(village, "payos")
    assert account_for(db.session(), village.actor("office").cooperative_id) is not None
    # Buyers would pay into the other one's account, so this one takes no transfers until its office chose anew.
    app.extensions["soi"] = replace(channel, payos_seller=gln(2))
    assert "vietqr" not in methods(village.actor("office").cooperative_id)
    assert accounts.watchers(village.actor("office")) == ("none",)
    assert accounts.watchers(village.actor("office-other")) == ("payos", "none")
    village.sign_in(client, "office")
    assert 'value="payos"' not in client.get("/coop/account").get_data(as_text=True)
    with pytest.raises(BadInput):
        open_account(village, "payos")
    open_account(village, "none")
    assert "vietqr" in methods(village.actor("office").cooperative_id)
