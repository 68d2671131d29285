"""Checkout: where it goes, what delivery costs, how it is paid, of whom it is bought; the order's page and receipt."""

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from shop.catalogue.models import ComboPart
from shop.delivery.models import DeliveryFees
from shop.orders import services, shown, steps
from shop.orders.models import OTHER_STEPS, Order, PaymentState, Status
from shop.orders.services import Buyer, Wanted
from shop.payments.bank.models import BankAccount
from tests.conftest import browser
from tests.shop.hands import TYPED, numbers, place, shelve, statements
from tests.shop.test_checkout import checkout, fill, hidden, order, text
from tests.support.village import Village, gtin
from trace.gs1.digital_link import DigitalLink
from village import clock
from village.db import db, write
from village.i18n import speaking
from village.places.models import Cooperative
from village.products.models import COMBO, Product


def fees(village: Village, **table: Any) -> None:
    """The cooperative's table of delivery fees."""
    with write() as session:
        cooperative_id = village.product("packs", 500).cooperative_id
        session.merge(DeliveryFees(cooperative_id=cooperative_id, **{"ward": "", "commune": 0, "near": 0, **table}))


def account(village: Village) -> None:
    """An account to transfer to. Bank and number are invented."""
    with write() as session:
        session.add(BankAccount(cooperative_id=village.product("packs", 500).cooperative_id, bin="970436",
                                account="0123456789", holder="HTX MOT", watcher="none"))  # fmt: skip


def of_another_seller(village: Village) -> Product:
    """The 1 kg packs, sold by the other cooperative from now on."""
    with write() as session:
        other = session.scalars(select(Cooperative).where(Cooperative.name == "Hợp tác xã Hai")).one()
        session.execute(update(Product).where(Product.id == village.product("packs", 1000).id)
                        .values(cooperative_id=other.id))  # fmt: skip
    return village.product("packs", 1000)


def orders() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Order)) or 0


def test_an_old_province_is_understood_and_shown_as_what_it_became(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    fill(client, village.product("packs", 500), 1)
    done = checkout(client, address="Tổ 3, xã Quản Bạ, tỉnh Hà Giang", province="")
    assert done.status_code == 303
    assert (order().buyer_province, order().buyer_ward) == ("Tuyên Quang", "xã Quản Bạ")
    assert "Tổ 3, xã Quản Bạ, Tuyên Quang (Hà Giang cũ)" in text(client.get(done.location))


def test_every_province_can_be_chosen_with_the_names_that_it_had(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    fill(client, village.product("packs", 500), 1)
    page = client.get("/checkout")
    assert page.text.count("<option ") == 35
    assert "Lâm Đồng (cả Đắk Nông, Bình Thuận cũ)" in text(page)
    assert checkout(client, address="Số 1 phố Thử", province="Đắk Nông").status_code == 303
    assert order().buyer_province == "Lâm Đồng"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"address": "Số 1 phố Thử"}, "Bác chọn tỉnh, thành nhé"),
        ({"address": "Hà Nội"}, "số nhà, đường hoặc thôn bản"),
        ({"address": "Số 1, Hà Giang", "province": "Lào Cai"}, "ghi là Hà Giang, còn ô tỉnh bác chọn Lào Cai"),
        ({"province": "Atlantis"}, "không biết tỉnh, thành này"),
        ({"email": "ai đó@"}, "Địa chỉ thư điện tử chưa đúng"),
        ({"ward": "x" * 81}, "Dài quá"),
        ({"payment": "stripe"}, "Bác chọn cách trả tiền"),
    ],
)
def test_what_is_not_right_is_told_beside_its_field(
    client: FlaskClient, village: Village, typed: dict[str, str], told: str
) -> None:
    shelve(village, 5, lot="A")
    fill(client, village.product("packs", 500), 1)
    page = checkout(client, **typed)
    assert page.status_code == 422
    assert told in text(page) and "bác xem dòng đỏ ở dưới" in text(page)
    assert 'value="Nguyễn Thị Thử"' in page.text
    assert orders() == 0


def test_all_that_is_not_right_is_told_at_once(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    fill(client, village.product("packs", 500), 1)
    page = checkout(client, name="", phone="12", address="Số 1")
    assert page.text.count('aria-invalid="true"') == 3


def test_nobody_pays_more_for_delivery_than_the_page_showed(client: FlaskClient, village: Village) -> None:
    fees(village, province="Lai Châu", near=10_000, far=30_000)
    shelve(village, 9, lot="A")
    product = village.product("packs", 500)
    fill(client, product, 1)
    page = client.get("/checkout")
    assert "30.000 đ" in text(page), "while the province is not known the farther one counts"
    near = client.post("/checkout", data={**hidden(page), **TYPED, "address": "Bản Thử, Lai Châu"})
    assert near.status_code == 303
    assert (order().delivery_fee, order().total) == (10_000, 70_000)
    fill(client, product, 1)
    dearer = checkout(client, fee="hand:10000")
    assert dearer.status_code == 409
    assert "Cước giao về Hà Nội là 30.000 đ, cả đơn 90.000 đ" in text(dearer)
    assert orders() == 1
    assert client.post("/checkout", data={**hidden(dearer), **TYPED}).status_code == 303
    assert orders() == 2


@pytest.mark.parametrize("fee", ["", "hand", "hand:-1", "ghn:0", "hand:" + "9" * 40, "hand:٣"])
def test_a_fee_that_the_page_never_showed_counts_for_nothing(client: FlaskClient, village: Village, fee: str) -> None:
    fees(village, province="Lai Châu", far=30_000)
    shelve(village, 5, lot="A")
    fill(client, village.product("packs", 500), 1)
    assert checkout(client, fee=fee).status_code == 409
    assert checkout(client, fee="hand:30000", delivery="").status_code == 409
    assert orders() == 0


def test_where_the_seller_does_not_deliver_the_page_says_so(client: FlaskClient, village: Village) -> None:
    fees(village, province="Lai Châu", near=0, far=None)
    shelve(village, 5, lot="A")
    fill(client, village.product("packs", 500), 1)
    assert "báo cước trước khi nhận đơn" in text(client.get("/checkout"))
    page = checkout(client)
    assert page.status_code == 422
    assert "chưa giao tới Hà Nội" in text(page)
    near = checkout(client, address="Bản Thử, Lai Châu")
    assert near.status_code == 409, "the fee is shown before anything is ordered"
    again = client.post("/checkout", data={**hidden(near), **TYPED, "address": "Bản Thử, Lai Châu"})
    assert again.status_code == 303


def test_a_transfer_is_offered_where_there_is_an_account_and_waits_for_the_money(
    client: FlaskClient, village: Village
) -> None:
    account(village)
    lot = shelve(village, 5, lot="A")
    fill(client, village.product("packs", 500), 1)
    assert "Chuyển khoản, quét mã QR" in text(client.get("/checkout"))
    done = checkout(client, payment="vietqr")
    placed = order()
    assert placed.payment_state is PaymentState.AWAITING
    assert placed.hold_until is not None and placed.hold_until > clock.now() + dt.timedelta(minutes=29)
    told = text(client.get(done.location))
    assert "0123456789" in told and "Chờ tiền về trước" in told
    with write() as session:
        steps.pay_in(session, session.get_one(Order, placed.id), placed.total, clock.now())
    told = text(client.get(done.location))
    assert "Đã nhận đủ tiền" in told and "Chờ tiền" not in told
    assert "Bác đã trả 60.000 đ" in told, "who cancels is told what becomes of the money"
    assert numbers(lot) == (4, 1, 0)


def test_what_two_sellers_sell_is_ordered_from_each_by_itself(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    shelve(village, 5, lot="B", net=1000)
    one, other = village.product("packs", 500), of_another_seller(village)
    fill(client, one, 2)
    fill(client, other, 1)
    told = text(client.get("/cart"))
    assert "Đặt hàng của Hợp tác xã Một" in told and "Đặt hàng của Hợp tác xã Hai" in told
    assert client.get("/checkout").location == "/cart"
    mixed = client.get(f"/checkout?seller={one.cooperative_id}")
    both = {**hidden(mixed), **TYPED, "line": [f"{one.gtin}:1", f"{other.gtin}:1"]}
    assert client.post("/checkout", data=both).status_code == 422
    assert orders() == 0
    page = client.get(f"/checkout?seller={other.cooperative_id}")
    assert "Nơi bán: Hợp tác xã Hai" in text(page) and one.name_vi not in text(page)
    assert client.post("/checkout", data={**hidden(page), **TYPED}).status_code == 303
    assert order().lines[0].product_id == other.id
    assert "120.000 đ" in text(client.get("/cart")), "what the other one sells is still in the cart"
    assert client.get("/checkout?seller=khong-co").location == "/cart"


def test_another_price_than_the_one_that_was_seen_is_told(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    product = village.product("packs", 500)
    fill(client, product, 2)
    assert "Lúc bác chọn" not in text(client.get("/cart"))
    with write() as session:
        session.execute(update(Product).where(Product.id == product.id).values(price=70_000))
    assert "Lúc bác chọn giá 60.000 đ một gói, nay là 70.000 đ" in text(client.get("/cart"))


def test_a_cart_stays_for_a_year(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    answer = client.post("/cart/add", data={"product": village.product("packs", 500).id, "quantity": "1"})
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("soi_cart="))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    kept = client.get_cookie("soi_cart")
    assert kept is not None and kept.expires is not None
    assert kept.expires > clock.now() + dt.timedelta(days=364)


def test_a_full_cart_fits_into_a_cookie(client: FlaskClient, village: Village) -> None:
    with write() as session:
        like = village.product("packs", 500)
        for number in range(900, 931):
            session.add(Product(
                gtin=gtin(number), slug=f"mon-{number}", name_vi=f"Món {number}", name_en=f"Item {number}",
                cooperative_id=like.cooperative_id, process=like.process, material=like.material, net_grams=500,
                price=1_000_000 + number, shelf_days=365, ingredients_vi="x", ingredients_en="x", picture="pack",
            ))  # fmt: skip
    products = db.session.scalars(select(Product).where(Product.slug.like("mon-%"))).all()
    for product in products[:30]:
        fill(client, product, 99)
    assert client.post("/cart/add", data={"product": products[30].id, "quantity": "1"}).status_code == 422
    kept = client.get_cookie("soi_cart")
    assert kept is not None and len(kept.value) < 3_800
    with statements() as seen:
        assert client.get("/cart").status_code == 200
    assert len(seen) <= 6


def test_a_receipt_tells_who_sold_what_for_how_much(client: FlaskClient, app: Flask, village: Village) -> None:
    fees(village, province="Lai Châu", far=30_000)
    shelve(village, 5, lot="MD-1")
    fill(client, village.product("packs", 500), 2)
    done = checkout(client)
    paper = browser(app).get(f"{done.location}/receipt")
    assert paper.status_code == 200
    assert paper.headers["Cache-Control"] == "no-store"
    told = text(paper)
    law = ("Hợp tác xã Một", "6200000001", "Bản Thử, xã Bình Lư", order().number)
    for part in (*law, "2 × 60.000 đ", "2 gói lô MD-1", "30.000 đ", "150.000 đ", "Nguyễn Thị Thử"):
        assert part in told, part
    assert "0912" not in told
    assert client.get(f"/orders/{order().number}/receipt").status_code == 404


def test_a_combos_lots_lead_to_the_pages_of_what_is_in_it(client: FlaskClient, village: Village) -> None:
    shelve(village, 9, lot="PART")
    part = village.product("packs", 500)
    with write() as session:
        combo = Product(
            gtin=gtin(950), slug="combo", name_vi="Gói quà", name_en="Gift", cooperative_id=part.cooperative_id,
            process=COMBO, material=COMBO, net_grams=1000, price=110_000, shelf_days=365,
            ingredients_vi="x", ingredients_en="x", picture="pack",
        )  # fmt: skip
        session.add(combo)
        session.flush()
        session.add(ComboPart(product_id=combo.id, part_id=part.id, units=2))
    page = client.get(f"/orders/{place(combo, 2).token}")
    assert DigitalLink(part.gtin, "PART").path in page.text
    assert "Gói quà" in text(page) and f"{part.name_vi}, 4 gói lô PART" in text(page)


def test_the_buyer_of_a_livestream_order_gives_an_address_in_the_same_way(
    client: FlaskClient, village: Village
) -> None:
    shelve(village, 5, lot="A")
    with write() as session:
        made = services.place_in(session, [Wanted(village.product("packs", 500).id, 1)], Buyer(), channel="live")
        token = made.token
    wrong = client.post(f"/orders/{token}/buyer", data={**TYPED, "address": "Số 1"})
    assert wrong.status_code == 422
    assert "Bác chọn tỉnh, thành nhé" in text(wrong)
    done = client.post(f"/orders/{token}/buyer", data={**TYPED, "address": "Số 1, xã Thử, Hà Giang", "email": "a@b.vn"})
    assert done.status_code == 303
    kept = order()
    assert (kept.buyer_province, kept.buyer_ward, kept.buyer_email) == ("Tuyên Quang", "xã Thử", "a@b.vn")
    assert client.post(f"/orders/{token}/buyer", data=TYPED).status_code == 422


def test_every_step_has_its_words_in_both_languages(app: Flask) -> None:
    for what in (*Status, *OTHER_STEPS):
        words = {}
        for language in ("vi", "en"):
            with speaking(language):
                words[language] = shown.said(str(what))
        assert words["vi"] != words["en"], what
    assert shown.BADGES.keys() == set(Status)


def test_the_timeline_tells_what_happened_in_its_order_and_what_comes(village: Village) -> None:
    village.packs(units=12)
    placed = place(village.product("packs", 500), 2)
    seller = village.actor("seller")
    found = steps.by_token(placed.token)
    assert [state for state, _, _ in shown.timeline(found)] == ["done", "now", "later", "later", "later"]
    steps.confirm(seller, found.id)
    steps.pick(seller, found.id)
    steps.dispatch(seller, found.id)
    db.session.rollback()
    told = shown.timeline(steps.by_token(placed.token))
    assert [words for _, words, _ in told][3:] == ["Đã gửi đi, đã ghi vào sổ chung", "Tới tay người mua"]
    assert all(when for state, _, when in told if state == "done")


def test_a_reason_is_told_as_the_sellers_words(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    placed = place(village.product("packs", 500), 2)
    steps.cancel(village.actor("seller"), steps.by_token(placed.token).id, "Bác gọi lại không lấy nữa")
    assert "Người bán nhắn: Bác gọi lại không lấy nữa" in text(client.get(f"/orders/{placed.token}"))


def test_an_orders_page_is_read_in_few_statements(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    token = place(village.product("packs", 500), 2).token
    with statements() as seen:
        assert client.get(f"/orders/{token}").status_code == 200
    assert len(seen) <= 12, "\n".join(seen)
