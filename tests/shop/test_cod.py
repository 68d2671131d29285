"""Money that a carrier collected, until it is here; what buyers pay for delivery; slips."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.delivery import cod
from shop.delivery.cod import Line, read_statement
from shop.delivery.rounds import look_again
from shop.delivery.services import fees_of, quotes
from shop.orders.models import PaymentState
from tests.conftest import browser
from tests.shop.delivering import code, parcel, ready, sent, set_up
from tests.shop.hands import at_once, shelve
from tests.shop.working import order
from tests.support.ghn_fake import GhnFake, ghn_fake
from tests.support.village import Village
from village.db import db
from village.errors import BadInput, Conflict, Forbidden


@dataclass(frozen=True)
class InCart:
    product_id: str
    quantity: int


@pytest.fixture
def fake(app: Flask) -> Iterator[GhnFake]:
    with ghn_fake() as fake:
        set_up(app, fake)
        yield fake


def delivered(village: Village, fake: GhnFake, units: int) -> str:
    """A parcel that the carrier has brought and been paid for."""
    shipment_id = sent(village, ready(village, units))
    fake.go(code(shipment_id), "picked", "delivered")
    look_again(village.actor("seller"), shipment_id)
    return shipment_id


@pytest.fixture
def two(village: Village, fake: GhnFake) -> tuple[str, str]:
    shelve(village, 20, lot="A")
    return delivered(village, fake, 1), delivered(village, fake, 2)


def test_money_is_owed_by_the_carrier_until_it_is_here(village: Village, two: tuple[str, str]) -> None:
    seller = village.actor("seller")
    (owed,) = cod.owed(seller)
    assert (owed.carrier, owed.amount, owed.count) == ("ghn", 90_000 + 150_000, 2)
    done = cod.settle(seller, two, "240.000", "BK 22/11")
    assert (done.count, done.amount) == (2, 240_000)
    assert cod.owed(seller) == []
    for shipment_id in two:
        found = parcel(shipment_id)
        paid = order(found.order_id)
        assert (found.cod_reference, found.cod_settled_at is not None) == ("BK 22/11", True)
        assert (paid.payment_state, paid.paid) == (PaymentState.PAID, paid.total)
    with pytest.raises(Conflict):
        cod.settle(seller, two, "240000", "BK 22/11")


def test_parcels_that_do_not_add_up_to_the_money_stay_owed(village: Village, two: tuple[str, str]) -> None:
    for total in ("239.999", "0", "", "x", "90000"):
        with pytest.raises(BadInput):
            cod.settle(village.actor("seller"), two, total, "BK")
    assert [parcel(one).cod_settled_at for one in two] == [None, None]


def test_of_two_members_who_settle_at_once_one_does(app: Flask, village: Village, two: tuple[str, str]) -> None:
    office = village.actor("office")
    done = at_once(app, 2, lambda: cod.settle(office, two, "240000", "BK"))
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "Settled"]
    assert order(parcel(two[1]).order_id).paid == 150_000


def test_a_statement_settles_what_agrees_and_tells_the_rest(village: Village, two: tuple[str, str]) -> None:
    seller = village.actor("seller")
    first, second = (code(one) for one in two)
    told = cod.settle_statement(seller, "ghn", f"{first}; 90.000\n{second}\t149.999 đ\n\nLA123, 5000", "BK 1")
    assert (told.count, told.amount) == (1, 90_000)
    assert told.differing == ((Line(second, 149_999), 150_000),)
    assert told.unknown == (Line("LA123", 5_000),)
    again = cod.settle_statement(seller, "ghn", f"{first} 90000\n{second} 150000", "BK 2")
    assert (again.count, again.before) == (1, (Line(first, 90_000),))
    assert cod.owed(seller) == []
    assert [parcel(one).cod_reference for one in two] == ["BK 1", "BK 2"]


@pytest.mark.parametrize(
    "text", ["", "L8T000", "L8T000; -5", "L8T000; 5\nL8T000; 5", "<b>; 5", "L8T000; 5 usd", "L8T000;5\n" * 501]
)
def test_a_statement_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_statement(text)
    assert refused.value.field == "statement"


def test_another_cooperative_neither_sees_nor_settles_it(village: Village, two: tuple[str, str]) -> None:
    other = village.actor("office-other")
    assert cod.owed(other) == []
    with pytest.raises(Conflict):
        cod.settle(other, two, "240000", "BK")
    told = cod.settle_statement(other, "ghn", f"{code(two[0])} 90000", "BK")
    assert (told.count, len(told.unknown)) == (0, 1)
    for what in (lambda: cod.owed(village.actor("producer")), lambda: cod.settle(village.actor("auditor"), two, 1, "")):
        with pytest.raises(Forbidden):
            what()


def test_a_seller_settles_on_her_page(app: Flask, village: Village, two: tuple[str, str]) -> None:
    seller = browser(app)
    village.sign_in(seller, "seller")
    page = seller.get("/seller/cod").text
    assert "240.000" in page
    form = {"parcel": list(two), "total": "240.001", "reference": "BK 7"}
    refused = seller.post("/seller/cod", data=form)
    assert (refused.status_code, "lệch 1 đ" in refused.text, refused.text.count(" checked")) == (422, True, 2)
    pasted = seller.post(
        "/seller/cod/statement", data={"statement": f"{code(two[0])}; 1", "statement_reference": "BK 7"}
    )
    assert (pasted.status_code, "chưa ghi nhận" in pasted.text) == (200, True)
    assert seller.post("/seller/cod", data={**form, "total": "240.000"}).status_code == 303
    assert "Không còn tiền nào ở bên giao hàng" in seller.get("/seller/cod").text


@pytest.fixture
def office(app: Flask, village: Village) -> FlaskClient:
    client = browser(app)
    village.sign_in(client, "office")
    return client


FEES = {
    "ward": "Bình Lư", "province": "Lai Châu", "commune": "0", "near": "20.000", "far": "35.000",
    "carrier_near": "18.000", "carrier_far": "30.000", "carrier_more": "5.000",
}  # fmt: skip


def test_buyers_pay_by_the_offices_table(office: FlaskClient, village: Village, fake: GhnFake) -> None:
    packs = village.product("packs", 500)
    assert [(one.key, one.fee) for one in quotes([InCart(packs.id, 1)], "Hà Nội")] == [("hand", 0)]
    assert office.post("/coop/delivery", data=FEES).status_code == 303
    assert 'value="35.000"' in office.get("/coop/delivery").text
    db.session.rollback()

    def offered(province: str, ward: str = "", units: int = 3) -> list[tuple[str, int]]:
        return [(one.key, one.fee) for one in quotes([InCart(packs.id, units)], province, ward)]

    assert offered("Hà Nội") == [("hand", 35_000), ("ghn", 35_000)]
    assert offered("Hà Nội", units=2) == [("ghn", 30_000), ("hand", 35_000)]
    assert offered("Lai Châu", "Xã Bình Lư") == [("hand", 0), ("ghn", 23_000)]
    assert offered("Lai Châu") == [("hand", 20_000), ("ghn", 23_000)]
    assert office.post("/coop/delivery", data={**FEES, "far": ""}).status_code == 303
    db.session.rollback()
    assert offered("Hà Nội", units=99) == [("ghn", 30_000 + 97 * 5_000)]
    assert quotes([InCart("nothing", 1)], "Hà Nội") == []


def test_without_an_account_the_carrier_is_not_offered(office: FlaskClient, village: Village) -> None:
    office.post("/coop/delivery", data=FEES)
    db.session.rollback()
    assert [one.key for one in quotes([InCart(village.product("packs", 500).id, 1)], "Hà Nội")] == ["hand"]


def test_a_table_with_nonsense_in_it_is_not_kept(office: FlaskClient, village: Village) -> None:
    for wrong in (
        {"near": ""}, {"near": "-1"}, {"near": "1.000.001"}, {"far": "x"}, {"carrier_far": ""}, {"ward": "\u202e"},
    ):  # fmt: skip
        assert office.post("/coop/delivery", data={**FEES, **wrong}).status_code == 422, wrong
    db.session.rollback()
    assert fees_of(db.session(), village.member("office").cooperative_id).near == 0


def test_only_the_office_sets_fees_and_only_its_own(app: Flask, village: Village) -> None:
    for name, status in (("seller", 403), ("producer", 403), ("office-other", 303)):
        client = browser(app)
        village.sign_in(client, name)
        assert client.post("/coop/delivery", data=FEES).status_code == status
    db.session.rollback()
    assert fees_of(db.session(), village.member("office").cooperative_id).near == 0


def test_slips_of_several_orders_name_each_lot_with_a_code_and_what_is_collected(
    office: FlaskClient, village: Village, fake: GhnFake
) -> None:
    shelve(village, 2, lot="SOM", days=5)
    shelve(village, 9, lot="MUON", days=50)
    first, second = ready(village, 3), ready(village, 1)
    page = office.get("/seller/slips", query_string={"order": [first, second, first]})
    assert page.status_code == 200
    assert page.text.count('<article class="slip') == 2
    for words in ("SOM", "MUON", "0912 345 678", "Phường Thử, Hà Nội", "210.000", "90.000", "<svg"):
        assert words in page.text, words
    # After a part has left, the slip is of the rest; after all has, of each parcel.
    sent(village, first, 1)
    assert office.get(f"/seller/orders/{first}/slip").text.count("120.000") == 1
    last = sent(village, first)
    page = office.get(f"/seller/orders/{first}/slip")
    assert (page.text.count('<article class="slip'), code(last) in page.text) == (2, True)
    assert office.get("/seller/slips").status_code == 422
    assert office.get("/seller/slips", query_string={"order": [first] + [second] * 60}).status_code == 200
