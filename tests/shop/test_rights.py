"""A buyer sees what is kept of her, has it, has it erased; sellers say who they are; nothing is kept for ever."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update

from shop.live.models import Decision, LiveComment, LiveDecision, LiveSession
from shop.orders import services, steps
from shop.orders.models import Order
from shop.payments.bank.models import Transfer
from shop.payments.models import Notice, PaymentPuzzle, Puzzle, WebhookEvent
from shop.rights import forgetting, retention
from shop.rights.seller import imprint
from tests.conftest import browser
from tests.shop.hands import shelve
from tests.shop.settling import left
from tests.shop.working import order, pay, refund
from tests.support.village import Village, gln
from trace.ledger.models import Commitment, Erasure
from village import clock
from village.db import Base, db, write
from village.errors import SoiError
from village.ids import uuid7
from village.outbox.models import Message
from village.places.models import Cooperative

NAME, PHONE, STREET, MAIL = "Trần Thị Riêng", "+84987654321", "Ngõ 7 phố Kín", "rieng@example.vn"
SECRETS = (NAME, PHONE, STREET, MAIL, "gọi trước khi tới", "Phường Giấu")


def bought(village: Village, units: int = 2) -> str:
    """An order of somebody who gave all that can be given; its id."""
    buyer = services.Buyer(NAME, PHONE, STREET, MAIL, "Phường Giấu", "Hà Nội")
    product = village.product("packs", 500)
    placed = services.place(
        None, [(product.gtin, units)], buyer, channel="web", idempotency_key=uuid7(), note="gọi trước khi tới"
    )
    db.session.rollback()
    return db.session.scalars(select(Order.id).where(Order.token == placed.token)).one()


def done(village: Village) -> str:
    """The same, sent on the ledger, arrived and paid."""
    village.packs(units=12)
    order_id, seller = bought(village), village.actor("seller")
    steps.confirm(seller, order_id)
    steps.pick(seller, order_id)
    steps.dispatch(seller, order_id)
    steps.deliver(seller, order_id)
    db.session.rollback()
    return order_id


def everything() -> str:
    """All rows of all tables, but what the ledger published."""
    db.session.rollback()
    found = []
    for table in Base.metadata.sorted_tables:
        if table.name not in ("ledger_entry", "ledger_node"):
            found += [str(tuple(row)) for row in db.session.execute(select(table))]
    return "\n".join(found)


def refused(slug: str, act: Callable[[], Any]) -> None:
    with pytest.raises(SoiError) as caught:
        act()
    assert caught.value.slug == slug
    db.session.rollback()


def test_forgetting_leaves_the_goods_and_the_money_and_nothing_that_tells_whose(village: Village) -> None:
    order_id = done(village)
    before = order(order_id)
    steps_before = [step.what for step in before.steps]
    assert all(secret in everything() for secret in SECRETS)
    assert db.session.scalar(select(func.count()).select_from(Message).where(Message.to == MAIL))
    forgetting.forget(before.token, "0987 654 321", sure=True)
    left_over = everything()
    assert [secret for secret in SECRETS if secret in left_over] == []
    found = order(order_id)
    assert (found.number, found.total, found.paid, found.buyer_province) == (
        before.number, before.total, before.paid, "Hà Nội",
    )  # fmt: skip
    assert found.forgotten_at is not None
    assert [step.what for step in found.steps] == steps_before
    assert db.session.scalars(select(Commitment).where(Commitment.name == "buyer")).all() == []
    assert db.session.scalar(select(func.count()).select_from(Erasure)) == 1


def test_forgetting_twice_writes_nothing_new(village: Village) -> None:
    token = order(done(village)).token
    first = forgetting.forget(token, PHONE, sure=True).forgotten_at
    size = db.session.scalar(text("SELECT count(*) FROM ledger_entry"))
    assert forgetting.forget(token, "", sure=False).forgotten_at == first
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(*) FROM ledger_entry")) == size


def test_only_this_buyer_is_forgotten(village: Village) -> None:
    order_id = done(village)
    other = bought(village, 1)
    seller = village.actor("seller")
    steps.confirm(seller, other)
    steps.pick(seller, other)
    steps.dispatch(seller, other)
    forgetting.forget(order(order_id).token, PHONE, sure=True)
    assert order(other).buyer_name == NAME
    kept = db.session.scalars(select(Commitment.value).where(Commitment.name == "buyer")).all()
    assert [value.partition("\n")[0] for value in kept] == [order(other).number]
    assert db.session.scalars(select(Message.about_id).where(Message.erased_at.is_not(None)).distinct()).all() == [
        order_id
    ]


def test_an_order_that_is_not_finished_is_not_forgotten(village: Village) -> None:
    shelve(village, 10, lot="A")
    order_id = bought(village)
    token = order(order_id).token
    refused("order-open", lambda: forgetting.forget(token, PHONE, sure=True))
    left(order_id)
    pay(order_id, order(order_id).total + 5_000)
    refused("order-open", lambda: forgetting.forget(token, PHONE, sure=True))
    refund(order_id, 5_000)
    with write() as session:
        session.add(PaymentPuzzle(order_id=order_id, kind=Puzzle.OVER, amount=5_000, memo=NAME))
    refused("order-open", lambda: forgetting.forget(token, PHONE, sure=True))
    with write() as session:
        session.execute(update(PaymentPuzzle).values(resolved_at=clock.now()))
    assert forgetting.forget(token, PHONE, sure=True).buyer_name is None
    db.session.rollback()
    assert db.session.scalars(select(PaymentPuzzle.memo)).all() == [""]


def test_money_of_a_cancelled_order_that_was_not_paid_back_keeps_it_from_being_forgotten(village: Village) -> None:
    shelve(village, 10, lot="A")
    order_id = bought(village)
    pay(order_id, 1_000)
    steps.cancel(village.actor("seller"), order_id, "hết hàng")
    refused("order-open", lambda: forgetting.forget(order(order_id).token, PHONE, sure=True))
    refund(order_id, 1_000)
    forgetting.forget(order(order_id).token, PHONE, sure=True)
    assert {step.note for step in order(order_id).steps} == {""}


def test_the_link_alone_neither_shows_nor_erases_what_is_private(village: Village, client: FlaskClient) -> None:
    found = order(done(village))
    page = client.get(f"/orders/{found.token}/data")
    assert page.headers["Cache-Control"] == "no-store"
    assert not any(secret in page.get_data(as_text=True) for secret in SECRETS)
    for phone in ("", "0912345678", "abc"):
        assert client.post(f"/orders/{found.token}/data", data={"phone": phone}).status_code == 422
        answer = client.post(f"/orders/{found.token}/forget", data={"phone": phone, "sure": "1"})
        assert answer.status_code == 422
    assert client.post(f"/orders/{found.token}/forget", data={"phone": PHONE}).status_code == 422
    assert client.get("/orders/nobodys/data").status_code == 404
    assert client.post("/orders/nobodys/forget", data={"phone": PHONE, "sure": "1"}).status_code == 404
    assert order(found.id).buyer_name == NAME


def test_a_telephone_number_is_not_found_by_trying(village: Village, client: FlaskClient) -> None:
    shelve(village, 10, lot="A")
    token = order(bought(village)).token
    answers = [client.post(f"/orders/{token}/data", data={"phone": f"09123456{n:02d}"}) for n in range(21)]
    assert [answer.status_code for answer in answers] == [422] * 20 + [429]


def test_a_stranger_site_cannot_have_an_order_forgotten(app: Flask, village: Village) -> None:
    found = order(done(village))
    foreign = browser(app)
    foreign.environ_base["HTTP_SEC_FETCH_SITE"] = "cross-site"
    assert foreign.post(f"/orders/{found.token}/forget", data={"phone": PHONE, "sure": "1"}).status_code == 403
    assert order(found.id).forgotten_at is None


def test_a_buyer_has_all_of_it_and_then_has_it_erased(village: Village, client: FlaskClient) -> None:
    found = order(done(village))
    answer = client.post(f"/orders/{found.token}/data", data={"phone": "0987 654 321"})
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{found.number}.json"'
    told = json.loads(answer.data)
    assert told["buyer"] == {
        "name": NAME, "phone": PHONE, "email": MAIL, "address": STREET, "ward": "Phường Giấu", "province": "Hà Nội",
        "livestream_author": None,
    }  # fmt: skip
    assert told["order"]["note"] == "gọi trước khi tới"
    assert {one["to"] for one in told["messages"]} == {MAIL}
    assert [one["carrier"] for one in told["parcels"]] == ["hand"]
    assert told["ledger"]["entries"] and told["lines"][0]["lots"]
    page = client.get(f"/orders/{found.token}/forget").get_data(as_text=True)
    assert "Mất hẳn" in page and "Vẫn còn" in page
    gone = client.post(f"/orders/{found.token}/forget", data={"phone": PHONE, "sure": "1"})
    assert gone.status_code == 303
    assert "đã xoá hẳn" in client.get(gone.headers["Location"]).get_data(as_text=True)
    assert client.get(f"/orders/{found.token}").status_code == 200
    after = json.loads(client.post(f"/orders/{found.token}/data").data)
    assert {key: value for key, value in after["buyer"].items() if value} == {"province": "Hà Nội"}
    assert not any(secret in json.dumps(after, ensure_ascii=False) for secret in SECRETS)


def test_what_she_said_in_a_livestream_goes_with_the_order(village: Village) -> None:
    shelve(village, 10, lot="A")
    order_id = bought(village)
    comment_id = said(village, order_id)
    left(order_id)
    forgetting.forget(order(order_id).token, PHONE, sure=True)
    comment = db.session.get_one(LiveComment, comment_id)
    assert (comment.author_id, comment.author_name, comment.text) == ("", "", "")
    decision = comment.decisions[0]
    assert (decision.phone, decision.lines) == (None, [{"code": "MD01", "quantity": 1, "because": ""}])


def said(village: Village, order_id: str | None) -> str:
    seller = village.member("seller")
    now = clock.now()
    with write() as session:
        live = LiveSession(title="Tối", platform="thu", host_id=seller.id, cooperative_id=seller.cooperative_id,
                           status="ended", ended_at=now)  # fmt: skip
        session.add(live)
        session.flush()
        comment = LiveComment(
            session_id=live.id, cooperative_id=live.cooperative_id, platform="thu", comment_id=uuid7(), author_id="u1",
            author_name=NAME, text=f"md01 1 gói {PHONE}", said_at=now, seq=1,
        )  # fmt: skip
        session.add(comment)
        session.flush()
        line = {"code": "MD01", "quantity": 1, "because": "md01 1 gói"}
        session.add(
            LiveDecision(
                comment_id=comment.id, position=0, session_id=live.id, decision=Decision.ORDER, lines=[line],
                waiting=[], suggested=[], phone=PHONE, reason="", order_id=order_id,
            )
        )  # fmt: skip
        return comment.id


def test_who_bought_is_kept_as_long_as_is_told_and_no_longer(village: Village) -> None:
    order_id = done(village)
    soon = order(order_id).updated_at + retention.SOLD_KEPT
    with clock.fixed(soon - dt.timedelta(hours=1)):
        retention.tidy()
    assert order(order_id).buyer_name == NAME
    with clock.fixed(soon + dt.timedelta(hours=1)):
        retention.tidy()
    left_over = everything()
    assert [secret for secret in SECRETS if secret in left_over] == []
    body = db.session.scalars(text('SELECT body FROM ledger_entry ORDER BY "index" DESC LIMIT 1')).one()
    assert b'"time-over"' in bytes(body)


def test_a_cancelled_order_is_forgotten_sooner_and_an_open_one_never(village: Village) -> None:
    shelve(village, 10, lot="A")
    cancelled, waiting, owed = bought(village), bought(village), bought(village)
    pay(owed, 1_000)
    for one in (cancelled, owed):
        steps.cancel(village.actor("seller"), one, "hết hàng")
    with clock.fixed(clock.now() + retention.CANCELLED_KEPT + dt.timedelta(days=1)):
        retention.tidy()
    assert [order(one).buyer_name for one in (cancelled, waiting, owed)] == [None, NAME, NAME]


def test_a_parcel_of_which_nobody_said_that_it_arrived_is_not_kept_for_ever(village: Village) -> None:
    village.packs(units=12)
    order_id, seller = bought(village), village.actor("seller")
    steps.confirm(seller, order_id)
    steps.pick(seller, order_id)
    steps.dispatch(seller, order_id)
    refused("order-open", lambda: forgetting.forget(order(order_id).token, PHONE, sure=True))
    for days, name in ((-1, NAME), (1, None)):
        with clock.fixed(clock.now() + retention.SOLD_KEPT + dt.timedelta(days=days)):
            retention.tidy()
        assert order(order_id).buyer_name == name


def test_what_was_agreed_on_and_then_called_off_is_kept_as_long_as_what_was_sold(village: Village) -> None:
    shelve(village, 10, lot="A")
    confirmed = bought(village)
    steps.confirm(village.actor("seller"), confirmed)
    steps.cancel(village.actor("seller"), confirmed, "hết hàng")
    with clock.fixed(clock.now() + retention.SOLD_KEPT - dt.timedelta(days=1)):
        retention.tidy()
    assert order(confirmed).buyer_name == NAME
    with clock.fixed(clock.now() + retention.SOLD_KEPT + dt.timedelta(days=1)):
        retention.tidy()
    assert order(confirmed).buyer_name is None


def test_what_was_posted_and_said_long_ago_goes_and_what_puzzles_stays(village: Village) -> None:
    comment_id = said(village, None)
    with write() as session:
        for number, state in enumerate((Notice.DONE, Notice.PUZZLING)):
            session.add(
                WebhookEvent(
                    provider="sepay",
                    event_id=str(number),
                    body=NAME.encode(),
                    digest="0" * 64,
                    headers={"x": "y"},
                    state=state,
                )
            )
        session.add(
            Transfer(
                cooperative_id=village.member("office").cooperative_id, source="sepay", key="1", account="1",
                amount=1, memo=NAME, at=clock.now(),
            )
        )  # fmt: skip
    with clock.fixed(clock.now() + retention.POSTED_KEPT - dt.timedelta(days=1)):
        retention.tidy()
    assert kept() == ([NAME.encode()] * 2, [NAME])
    with clock.fixed(clock.now() + retention.POSTED_KEPT + dt.timedelta(days=1)):
        retention.tidy()
    assert kept() == ([None, NAME.encode()], [""])
    assert db.session.get_one(LiveComment, comment_id).author_name == NAME
    db.session.rollback()
    with clock.fixed(clock.now() + retention.TALK_KEPT + dt.timedelta(days=1)):
        retention.tidy()
    assert db.session.get_one(LiveComment, comment_id).author_name == ""


def kept() -> tuple[list[bytes | None], list[str]]:
    db.session.rollback()
    bodies = db.session.scalars(select(WebhookEvent.body).order_by(WebhookEvent.event_id)).all()
    return [bytes(one) if one else None for one in bodies], list(db.session.scalars(select(Transfer.memo)))


def test_a_seller_says_who_it_is_and_where_to_complain(village: Village, client: FlaskClient) -> None:
    bare = client.get(f"/seller-info/{gln(1)}").get_data(as_text=True)
    assert "Hợp tác xã Một" in bare and "6200000001" in bare
    village.sign_in(client, "office")
    typed = {
        "registered_on": "2019-05-20", "registered_by": "Phòng Tài chính huyện Tam Đường", "email": "ban@example.vn",
        "complaints_phone": "0912 345 678", "hours": "7 giờ đến 17 giờ", "representative": "Lò Thị Mẫu",
        "notice_url": "https://online.gov.vn/HomePage/WebsiteDetails/1",
    }  # fmt: skip
    assert client.post("/coop/seller-info", data=typed).status_code == 303
    assert "Lò Thị Mẫu" in client.get("/coop/seller-info").get_data(as_text=True)
    assert "0912 345 678" in client.get("/coop/seller-info").get_data(as_text=True)
    page = browser(client.application).get(f"/seller-info/{gln(1)}").get_data(as_text=True)
    for told in ("20/05/2019", "Phòng Tài chính huyện Tam Đường", "ban@example.vn", "0912 345 678", "7 giờ đến 17 giờ",
                 "Lò Thị Mẫu", 'href="https://online.gov.vn/HomePage/WebsiteDetails/1"'):  # fmt: skip
        assert told in page
    assert "ban@example.vn" not in client.get(f"/seller-info/{gln(2)}").get_data(as_text=True)
    assert client.get("/seller-info/1").status_code == 404


def test_what_a_seller_cannot_mean_is_refused(village: Village, client: FlaskClient) -> None:
    village.sign_in(client, "office")
    for field, value in (
        ("email", "ban"), ("email", "a@b\r\nBcc: c@d.vn"), ("complaints_phone", "113"), ("registered_on", "2999-01-01"),
        ("registered_on", "hôm qua"), ("hours", "x" * 121), ("registered_by", "\u202e"),
        ("notice_url", "https://online.gov.vn.xau.example/"), ("notice_url", "javascript:alert(1)"),
        ("notice_url", "https://online.gov.vn/" + "x" * 200), ("notice_url", "http://online.gov.vn/"),
    ):  # fmt: skip
        assert client.post("/coop/seller-info", data={field: value}).status_code == 422, field
    seller = db.session.scalars(select(Cooperative).where(Cooperative.gln == gln(1))).one()
    assert imprint(seller).complaints_phone == imprint(seller).phone


def test_only_an_office_writes_what_its_cooperative_tells(app: Flask, village: Village) -> None:
    for who in ("seller", "producer", "auditor"):
        client = browser(app)
        village.sign_in(client, who)
        assert client.get("/coop/seller-info").status_code == 403
        assert client.post("/coop/seller-info", data={"email": "ban@example.vn"}).status_code == 403


def test_terms_and_privacy_are_told_in_both_languages(village: Village, client: FlaskClient) -> None:
    for path, vi, en in (
        ("/terms", "Điều khoản mua bán", "Terms of sale"), ("/privacy", "Giữ kín chuyện riêng", "Privacy"),
    ):  # fmt: skip
        assert vi in client.get(f"{path}?lang=vi").get_data(as_text=True)
        assert en in client.get(f"{path}?lang=en").get_data(as_text=True)
    assert "36 months" in client.get("/privacy?lang=en").get_data(as_text=True)
    assert "Hợp tác xã Hai" in client.get("/privacy?lang=vi").get_data(as_text=True)
