"""`/coop/outbox`: the office of the own cooperative rings, ticks off, sends again, erases; nobody else does."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.outbox import PHONE, letter, message, outcomes, sent_off
from tests.support.village import Village
from village.jobs.worker import work_off
from village.outbox.models import MessageState, Outcome
from village.outbox.office import PAGE


def test_a_call_is_ticked_off_by_whoever_rang(app: Flask, client: FlaskClient, village: Village) -> None:
    (one,) = sent_off(village, letter("call", PHONE, body="Bác ơi, gói ấy đừng dùng."))
    village.sign_in(client, "office")
    page = client.get("/coop/outbox").get_data(as_text=True)
    assert f'href="tel:{PHONE}"' in page and "Bác ơi, gói ấy đừng dùng." in page and "0912 345 678" in page
    client.post(f"/coop/outbox/{one}/rang", data={"came": "missed", "tries": "0", "note": "Máy bận"})
    assert message(one).state is MessageState.WAITING
    client.post(f"/coop/outbox/{one}/rang", data={"came": "reached", "tries": "1", "note": ""})
    assert message(one).state is MessageState.SENT and outcomes(one) == [Outcome.MISSED, Outcome.REACHED]
    assert [(proof.member_id, proof.answer) for proof in message(one).proofs] == [
        (village.member("office").id, "Máy bận"), (village.member("office").id, ""),
    ]  # fmt: skip
    page = client.get("/coop/outbox?show=sent").get_data(as_text=True)
    assert "Đã gọi, gặp được" in page and "Văn Phòng" in page and "Máy bận" in page


def test_a_call_that_two_people_tick_off_at_once_is_noted_once(
    app: Flask, client: FlaskClient, village: Village
) -> None:
    (one,) = sent_off(village, letter("call"))
    village.sign_in(client, "office")
    ticked = {"came": "missed", "tries": "0"}
    assert client.post(f"/coop/outbox/{one}/rang", data=ticked).status_code == 303
    assert client.post(f"/coop/outbox/{one}/rang", data=ticked).status_code == 409
    assert outcomes(one) == [Outcome.MISSED]


def test_a_wrong_number_is_not_rung_for_ever(app: Flask, client: FlaskClient, village: Village) -> None:
    (one,) = sent_off(village, letter("call"))
    village.sign_in(client, "office")
    client.post(f"/coop/outbox/{one}/rang", data={"came": "wrong", "tries": "0"})
    assert message(one).state is MessageState.FAILED and outcomes(one) == [Outcome.REFUSED]


def test_all_that_failed_is_sent_again_at_once(app: Flask, client: FlaskClient, village: Village) -> None:
    ids = sent_off(village, letter("mail", "x", "1"), letter("mail", "y", "2"), letter("call", "no", "3"))
    village.sign_in(client, "office")
    assert "Gửi lại tất cả" in client.get("/coop/outbox?show=failed").get_data(as_text=True)
    assert client.post("/coop/outbox/again").status_code == 303
    assert all(message(one).state is MessageState.WAITING for one in ids)
    work_off()
    assert outcomes(ids[0]) == [Outcome.REFUSED, Outcome.AGAIN, Outcome.REFUSED]
    assert message(ids[2]).state is MessageState.WAITING, "a call waits for a person"


def test_the_office_erases_what_its_reader_wants_erased(app: Flask, client: FlaskClient, village: Village) -> None:
    (one,) = sent_off(village)
    work_off()
    village.sign_in(client, "office")
    client.post(f"/coop/outbox/{one}/erase")
    assert message(one).to is None and message(one).body is None
    assert message(one).proofs[-1].member_id == village.member("office").id
    page = client.get("/coop/outbox?show=sent").get_data(as_text=True)
    assert "912 345 678" not in page and "đã xoá" in page and f"/coop/outbox/{one}/erase" not in page


@pytest.mark.parametrize(
    ("who", "status"), [("", 401), ("producer", 403), ("seller", 403), ("auditor", 403), ("office-other", 404)]
)
def test_only_its_own_office_sees_or_touches_a_message(
    app: Flask, client: FlaskClient, village: Village, who: str, status: int
) -> None:
    call, failed = sent_off(village, letter("call", PHONE, "1"), letter("sms", "no", "2"))
    if who:
        village.sign_in(client, who)
    page = client.get("/coop/outbox")
    assert page.status_code == (200 if status == 404 else 302 if status == 401 else 403)
    assert PHONE not in page.get_data(as_text=True) and "thu hồi" not in page.get_data(as_text=True)
    posts: tuple[tuple[str, dict[str, str]], ...] = (
        (f"{call}/rang", {"came": "reached", "tries": "0"}),
        (f"{failed}/again", {}),
        (f"{call}/erase", {}),
    )
    for path, data in posts:
        assert client.post(f"/coop/outbox/{path}", data=data).status_code == status
    client.post("/coop/outbox/again")
    assert (message(call).state, message(failed).state) == (MessageState.WAITING, MessageState.FAILED)
    assert message(call).to == PHONE


def test_what_a_message_says_is_shown_as_text(app: Flask, client: FlaskClient, village: Village) -> None:
    sent_off(village, letter("call", PHONE, subject="<b>x</b>", body="<script>alert(1)</script>"))
    village.sign_in(client, "office")
    page = client.get("/coop/outbox").get_data(as_text=True)
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page and "<b>x" not in page


def test_a_long_list_has_pages_and_an_odd_address_shows_the_first(
    app: Flask, client: FlaskClient, village: Village
) -> None:
    sent_off(village, *(letter("call", PHONE, str(n), body=f"Cuộc {n:03}.") for n in range(PAGE + 2)))
    village.sign_in(client, "office")
    first, second = (client.get(f"/coop/outbox?show=calls&page={n}").get_data(as_text=True) for n in (1, 2))
    assert "Cuộc 000." in first and f"Cuộc {PAGE + 1:03}." not in first and f"Cuộc {PAGE + 1:03}." in second
    odd = client.get("/coop/outbox?show=<x>&page=-1")
    assert odd.status_code == 200 and "Cuộc 000." in odd.get_data(as_text=True)


@pytest.mark.parametrize(
    "data", [{}, {"came": "danced", "tries": "0"}, {"came": "reached"}, {"came": "reached", "tries": "-1"}]
)
def test_a_tick_that_makes_no_sense_is_refused(
    app: Flask, client: FlaskClient, village: Village, data: dict[str, str]
) -> None:
    (one,) = sent_off(village, letter("call"))
    village.sign_in(client, "office")
    assert client.post(f"/coop/outbox/{one}/rang", data=data).status_code == 422
    assert message(one).proofs == []
