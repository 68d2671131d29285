"""The seller says which packs go into a parcel, by their labels, and takes them out again."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from shop.orders import steps
from shop.orders.models import Order, Status
from shop.picking import services
from shop.stock.models import StockLot
from tests.conftest import browser
from tests.shop.hands import place, shelve
from tests.support.packs import address, issued
from tests.support.village import Village
from trace.lots.models import Batch
from trace.units.models import Unit
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict

SignIn = Callable[[FlaskClient, str], None]


@pytest.fixture
def lot(village: Village) -> Batch:
    """A lot of eight packs on the shelf."""
    return village.batch(shelve(village, 8, lot="SOAN1"))


@pytest.fixture
def order(village: Village, lot: Batch) -> Order:
    """A confirmed order of two of them."""
    token = place(village.product("packs", 500), 2).token
    found = steps.by_token(token)
    return steps.confirm(village.actor("seller"), found.id)


def unit(serial: str) -> Unit:
    db.session.rollback()
    return db.session.scalars(select(Unit).where(Unit.serial == serial)).one()


def put(village: Village, order: Order, *typed: str) -> int:
    return services.put(village.actor("seller"), order.id, services.labels("\n".join(typed)))


def test_packs_go_in_by_address_or_by_number_and_are_sold(
    client: FlaskClient, sign_in: SignIn, village: Village, lot: Batch, order: Order
) -> None:
    one, other, third = issued(village, lot.id, 3)
    sign_in(client, "seller")
    path = f"/seller/orders/{order.id}/packs"
    assert path in client.get(f"/seller/orders/{order.id}").text
    typed = f"https://soi.example.vn{address(lot, one)}\n{other[:4]}-{other[4:].lower()}"
    assert client.post(path, data={"labels": typed}).status_code == 303
    assert unit(one).sold_at is not None
    assert "2 trên 2 gói" in client.get(path).text
    refused = client.post(path, data={"labels": third})
    assert (refused.status_code, "đã đủ gói" in refused.text) == (422, True)


def test_all_go_in_or_none(village: Village, lot: Batch, order: Order) -> None:
    (one,) = issued(village, lot.id, 1)
    with pytest.raises(BadInput) as refused:
        put(village, order, one, "KHONGCOSO")
    assert refused.value.slug == "packs-refused"
    assert unit(one).sold_at is None


def test_a_pack_of_another_lot_is_refused(village: Village, lot: Batch, order: Order) -> None:
    other = village.batch(shelve(village, 5, lot="KHAC1"))
    (one,) = issued(village, other.id, 1)
    with pytest.raises(BadInput, match="lấy từ lô khác"):
        put(village, order, one)
    with pytest.raises(BadInput, match="không phải lô trên tem"):
        put(village, order, address(lot, one))


def test_a_pack_of_another_cooperative_is_refused(village: Village, lot: Batch, order: Order) -> None:
    (one,) = issued(village, lot.id, 1)
    stranger = village.site("Nhà Hộ C").cooperative_id
    with write() as session:
        session.execute(update(Batch).where(Batch.id == lot.id).values(cooperative_id=stranger))
    with pytest.raises(BadInput, match="hợp tác xã khác"):
        put(village, order, one)


def test_a_sold_or_voided_pack_is_refused(village: Village, lot: Batch, order: Order) -> None:
    one, other = issued(village, lot.id, 2)
    put(village, order, one)
    with pytest.raises(BadInput, match="một đơn rồi"):
        put(village, order, one)
    with write() as session:
        session.execute(update(Unit).where(Unit.serial == other).values(voided_at=clock.now()))
    with pytest.raises(BadInput, match="đã huỷ"):
        put(village, order, other)


def test_a_pack_named_twice_goes_in_once(village: Village, lot: Batch, order: Order) -> None:
    (one,) = issued(village, lot.id, 1)
    assert put(village, order, one, one, address(lot, one)) == 1


@pytest.mark.parametrize(
    "typed", ["", "---", "/01/09506000134352/10/L1", "https://soi.example.vn/x", "http://[", "a/b", "A" * 60],
    ids=range(7),
)  # fmt: skip
def test_what_is_no_packs_label_is_refused(typed: str) -> None:
    with pytest.raises(BadInput):
        services.labels(typed)


def test_a_pack_is_taken_out_again_and_may_go_into_another_order(
    client: FlaskClient, sign_in: SignIn, village: Village, lot: Batch, order: Order
) -> None:
    one, other = issued(village, lot.id, 2)
    put(village, order, one, other)
    sign_in(client, "seller")
    path = f"/seller/orders/{order.id}/packs"
    assert client.post(f"{path}/{unit(one).id}/out").status_code == 303
    assert (unit(one).sold_at, unit(other).sold_at is None) == (None, False)
    assert client.post(f"{path}/{unit(one).id}/out").status_code == 404
    assert client.post(f"{path}/out").status_code == 303
    assert unit(other).sold_at is None
    assert put(village, order, one) == 1


def test_a_cancelled_order_gives_its_packs_back(village: Village, lot: Batch, order: Order) -> None:
    (one,) = issued(village, lot.id, 1)
    put(village, order, one)
    steps.cancel(village.actor("seller"), order.id, "Người mua đổi ý")
    assert unit(one).sold_at is None


def test_packs_of_a_lot_that_was_changed_for_another_come_out(village: Village, lot: Batch, order: Order) -> None:
    (one,) = issued(village, lot.id, 1)
    put(village, order, one)
    shelve(village, 5, lot="THAY1")
    with write() as session:
        session.execute(update(StockLot).where(StockLot.batch_id == lot.id).values(on_hold=True))
    steps.reallocate(village.actor("seller"), order.id)
    assert unit(one).sold_at is None


def test_nothing_goes_in_after_the_parcel_left(village: Village, lot: Batch) -> None:
    (one,) = issued(village, lot.id, 1)
    token = place(village.product("packs", 500), 1).token
    order = steps.by_token(token)
    assert order.status is Status.PLACED
    with pytest.raises(Conflict):
        put(village, order, one)


def test_who_may_not_is_turned_away(
    app: Flask, sign_in: SignIn, village: Village, lot: Batch, order: Order
) -> None:
    path = f"/seller/orders/{order.id}/packs"
    producer = browser(app)
    sign_in(producer, "producer")
    assert producer.get(path).status_code == 403
    assert producer.post(path, data={"labels": "X"}).status_code == 403
    stranger = village.site("Nhà Hộ C").cooperative_id
    with write() as session:
        session.execute(update(Order).values(cooperative_id=stranger))
    seller = browser(app)
    sign_in(seller, "seller")
    for sent in (seller.get(path), seller.post(path, data={"labels": "X"}), seller.post(f"{path}/out")):
        assert sent.status_code == 404
