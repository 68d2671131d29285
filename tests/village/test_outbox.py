"""The outbox: what was put is told once, or stands where the office sees it; never lost, never sent by two."""

import datetime as dt
import threading
from dataclasses import replace
from io import StringIO

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from tests.support.outbox import ABOUT, PHONE, due_again, letter, message, outcomes, sent_off, until, with_gateway
from tests.support.post import Gateway, sms_gateway
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.errors import BadInput
from village.jobs import running, services
from village.jobs.models import Job
from village.jobs.worker import work_off
from village.outbox import erasing, sending, sms
from village.outbox.addresses import clean_mail
from village.outbox.letters import BODY_MAX
from village.outbox.models import Channel, Message, MessageState, Outcome
from village.outbox.providers import without_address
from village.outbox.sending import FIRST_WAIT, LEASE, MOST_TRIES, claim, see_to_it, send_all, wait_after
from village.outbox.services import bodies, outbox_count, put, put_all


def test_what_was_put_with_its_reason_goes_out_and_leaves_a_proof(app: Flask, village: Village) -> None:
    with sms_gateway(Gateway()) as gateway:
        with_gateway(app, gateway)
        coop = village.member("office").cooperative_id
        with write() as session:
            one = put(
                session, cooperative_id=coop, channel="sms", to="0912 345 678", subject="", body="Chào bác",
                about=ABOUT, key="k",
            )  # fmt: skip
        assert work_off() == 1
    assert gateway.sent == {one: (PHONE, "Chào bác")} and gateway.authorized == {"Bearer bi-mat"}
    (found,) = bodies(db.session(), *ABOUT)
    assert (found.id, found.state, found.tries) == (one, MessageState.SENT, 1)
    (proof,) = found.proofs
    assert (proof.outcome, proof.member_id) == (Outcome.ACCEPTED, None)
    assert proof.answer == '202 {"status": "queued", "to": "…"}'


def test_what_was_undone_is_never_told(app: Flask, village: Village) -> None:
    coop = village.member("office").cooperative_id
    with pytest.raises(RuntimeError), write() as session:
        put_all(session, coop, ABOUT, [letter()])
        raise RuntimeError
    assert work_off() == 0 and bodies(db.session(), *ABOUT) == []


def test_the_same_key_is_one_message_however_often_it_is_put(app: Flask, village: Village) -> None:
    (one,) = sent_off(village)
    again = sent_off(village, letter(key="other", to="+84912345679"), letter(body="Lời khác"), letter())
    assert again[1] == again[2] == one and again[0] != one
    work_off()
    assert sent_off(village) == [one] and outcomes(one) == [Outcome.CONSOLE]
    assert message(one).body == "Gói của bác bị thu hồi." and len(bodies(db.session(), *ABOUT)) == 2


def test_many_puts_ask_for_one_job(app: Flask, village: Village) -> None:
    ids = sent_off(village, *(letter(key=str(number)) for number in range(1200)))
    sent_off(village, letter(key="later"))
    assert len(set(ids)) == 1200 and len(list(db.session.scalars(select(Job.id)))) == 1


def test_an_address_that_is_none_fails_where_the_office_sees_it_and_stops_nobody_else(
    app: Flask, village: Village
) -> None:
    bad, good = sent_off(village, letter(to="091\r\n2", key="bad"), letter(key="good"))
    work_off()
    assert message(bad).state is MessageState.FAILED and message(bad).to == "091\ufffd\ufffd2"
    assert message(bad).proofs[0].answer == "no such address"
    assert message(good).state is MessageState.SENT
    assert outbox_count(db.session(), village.member("office").cooperative_id) == 1
    assert outbox_count(db.session(), village.member("office-other").cooperative_id) == 0


@pytest.mark.parametrize(
    ("wrong", "slug"),
    [
        ({"channel": "pigeon"}, "no-such-channel"),
        ({"subject": "Chào\r\nBcc: x@example.vn"}, "line-break-in-subject"),
        ({"subject": "Chào\u202eẩn"}, "bad-character"),
        ({"subject": "x" * 201}, "too-long"),
        ({"body": ""}, "missing"),
        ({"body": "x" * (BODY_MAX[Channel.SMS] + 1)}, "too-long"),
        ({"channel": "mail", "to": "a@example.vn", "subject": ""}, "missing"),
    ],
)
def test_a_text_that_cannot_be_sent_is_refused_when_it_is_put(
    app: Flask, village: Village, wrong: dict[str, str], slug: str
) -> None:
    with pytest.raises(BadInput) as refused:
        sent_off(village, letter(**wrong))
    assert refused.value.slug == slug


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Ban.Toi+soi@Example.VN ", "Ban.Toi+soi@example.vn"),
        ("a@miến.vn", "a@xn--min-8jz.vn"),
        ("a@example.vn\r\nBcc: b@example.vn", None),
        ("a@example.vn, b@example.vn", None),
        ("Ban <a@example.vn>", None),
        ('"a b"@example.vn', None),
        ("a@[192.0.2.1]", None),
        ("a@192.0.2.1", None),
        ("a@localhost", None),
        ("a..b@example.vn", None),
        ("bạn@example.vn", None),
        ("a@" + "x" * 64 + ".vn", None),
        ("a@" + ".".join(["x" * 60] * 5) + ".vn", None),
        ("a" * 65 + "@example.vn", None),
        ("@example.vn", None),
        ("a@", None),
        ("", None),
        (None, None),
    ],
)
def test_mail_addresses_are_taken_in_one_plain_form(app: Flask, typed: object, kept: str | None) -> None:
    if kept is not None:
        assert clean_mail(typed) == kept
        return
    with pytest.raises(BadInput):
        clean_mail(typed)


@pytest.mark.parametrize("status", [500, 503, 429, 401, 404, 302])
def test_a_gateway_in_trouble_is_asked_again_later_under_the_same_key(
    app: Flask, village: Village, status: int
) -> None:
    one, other = sent_off(village, letter(key="1"), letter(key="2", to="+84912345679"))
    with sms_gateway(Gateway(answers=[(status, 0)])) as gateway:
        with_gateway(app, gateway)
        before = clock.now()
        assert send_all(lambda: None) == {"sent": 0, "later": 1, "failed": 0}
        assert gateway.asked == [one], "others of this channel need not try"
        assert outcomes(one) == [Outcome.LATER] and message(one).state is MessageState.WAITING
        wait = (message(one).next_at - before).total_seconds()
        assert FIRST_WAIT * 0.8 <= wait < FIRST_WAIT * 1.3
        assert before < message(other).next_at < message(one).next_at and message(other).tries == 0
        due_again()
        assert send_all(lambda: None)["sent"] == 2
    assert gateway.asked[1:].count(one) == 1 and len(gateway.sent) == 2
    assert outcomes(one) == [Outcome.LATER, Outcome.ACCEPTED]


def test_a_gateways_own_wish_for_patience_is_kept_up_to_an_hour(app: Flask, village: Village) -> None:
    (one,) = sent_off(village)
    for said, least, most in (("600", 600, 601), ("99999999", 3600, 3601), ("soon", 0, 200)):
        with sms_gateway(Gateway(answers=[(429, 0)], retry_after=said)) as gateway:
            with_gateway(app, gateway)
            due_again()
            before = clock.now()
            send_all(lambda: None)
            assert least <= (message(one).next_at - before).total_seconds() <= most


@pytest.mark.parametrize("status", [400, 422])
def test_what_the_gateway_will_never_take_fails_at_once(app: Flask, village: Village, status: int) -> None:
    (one,) = sent_off(village)
    with sms_gateway(Gateway(answers=[(status, 0)], body=b"no route to +84912345678 or 912345678\r\n\x00!")) as gateway:
        with_gateway(app, gateway)
        send_all(lambda: None)
    assert message(one).state is MessageState.FAILED
    assert message(one).proofs[0].answer == f"{status} no route to … or … !"


def test_one_that_a_gateway_answers_too_late_is_sent_once_all_the_same(
    app: Flask, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sms, "SILENCE", 0.2)
    (one,) = sent_off(village)
    with sms_gateway(Gateway(answers=[(202, 0.6), (409, 0)])) as gateway:
        with_gateway(app, gateway)
        send_all(lambda: None)
        assert outcomes(one) == [Outcome.LATER] and message(one).proofs[0].answer == "ReadTimeout"
        due_again()
        send_all(lambda: None)
    assert gateway.asked == [one, one] and list(gateway.sent) == [one]
    assert outcomes(one) == [Outcome.LATER, Outcome.ACCEPTED]


def test_a_gateway_that_floods_us_is_not_listened_to(app: Flask, village: Village) -> None:
    (one,) = sent_off(village)
    with sms_gateway(Gateway(body=b"x" * 5_000_000)) as gateway:
        with_gateway(app, gateway)
        send_all(lambda: None)
    assert message(one).state is MessageState.SENT and len(message(one).proofs[0].answer) == 300


def test_a_message_is_given_up_after_so_many_tries_and_the_office_has_it_tried_again(
    app: Flask, client: FlaskClient, village: Village
) -> None:
    (one,) = sent_off(village)
    app.extensions["soi"] = replace(app.extensions["soi"], sms_url="http://127.0.0.1:9/", sms_token="x")
    with write() as session:
        session.execute(update(Message).values(tries=MOST_TRIES - 1))
    send_all(lambda: None)
    assert message(one).state is MessageState.FAILED and message(one).proofs[0].answer == "ConnectionError"
    village.sign_in(client, "office")
    assert client.post(f"/coop/outbox/{one}/again").status_code == 303
    assert (message(one).state, message(one).tries) == (MessageState.WAITING, 0)
    with sms_gateway(Gateway()) as gateway:
        with_gateway(app, gateway)
        assert work_off() == 1
    assert outcomes(one) == [Outcome.REFUSED, Outcome.AGAIN, Outcome.ACCEPTED]
    assert message(one).proofs[1].member_id == village.member("office").id


def test_waits_grow_up_to_four_hours_and_never_all_at_the_same_moment() -> None:
    assert [round(sum(wait_after(n) for _ in range(400)) / 400 / 30) for n in (1, 2, 3, 4)] == pytest.approx(
        [1, 2, 4, 8], rel=0.1
    )
    assert max(wait_after(n) for n in range(1, 60)) <= 4 * 3600 * 1.2 and len({wait_after(3) for _ in range(9)}) > 1


def test_a_message_in_hand_is_nobody_elses_until_its_lease_ends(app: Flask, village: Village) -> None:
    (one,) = sent_off(village)
    held = claim()
    assert held is not None and held.id == one and claim() is None
    with clock.fixed(clock.now() + LEASE + dt.timedelta(seconds=1)):
        taken = claim()
    assert taken is not None and taken.holder != held.holder and taken.tries == 2


def test_a_message_that_kills_whoever_holds_it_is_given_up(app: Flask, village: Village) -> None:
    (one,) = sent_off(village)
    with write() as session:
        session.execute(update(Message).values(tries=MOST_TRIES))
    send_all(lambda: None)
    assert message(one).state is MessageState.FAILED and message(one).proofs[0].answer == "given up"


def test_many_senders_at_once_send_each_message_once(app: Flask, village: Village) -> None:
    ids = sent_off(village, *(letter(key=str(n), to=f"+849123456{n:02}") for n in range(60)))
    failed: list[BaseException] = []

    def send() -> None:
        with app.app_context():
            try:
                send_all(lambda: None)
            except BaseException as error:
                failed.append(error)
            finally:
                db.session.remove()

    with sms_gateway(Gateway()) as gateway:
        with_gateway(app, gateway)
        senders = [threading.Thread(target=send) for _ in range(4)]
        for one in senders:
            one.start()
        for one in senders:
            one.join()
    assert failed == [] and sorted(gateway.asked) == sorted(ids)
    assert all(len(found.proofs) == 1 and found.tries == 1 for found in bodies(db.session(), *ABOUT))


def test_what_becomes_due_is_asked_for_by_the_sweeper(app: Flask, village: Village) -> None:
    (one,) = sent_off(village)
    app.extensions["soi"] = replace(app.extensions["soi"], sms_url="http://127.0.0.1:9/", sms_token="x")
    work_off()
    see_to_it()
    assert message(one).state is MessageState.WAITING and work_off() == 0, "it is not due yet"
    due_again()
    assert work_off() == 1 and len(outcomes(one)) == 2


def test_a_real_village_without_a_gateway_does_not_look_as_if_it_had_told_anybody(app: Flask, village: Village) -> None:
    app.extensions["soi"] = replace(app.extensions["soi"], mode="production")
    sms_id, mail_id = sent_off(village, letter(), letter("mail", "a@example.vn", "m"))
    work_off()
    for one in (sms_id, mail_id):
        assert message(one).state is MessageState.FAILED and message(one).proofs[0].answer == "no provider is set"
    assert not (app.extensions["soi"].instance / "outbox").exists()


def test_on_a_developers_machine_messages_become_files(app: Flask, village: Village) -> None:
    sms_id, mail_id = sent_off(village, letter(), letter("mail", "a@example.vn", "m"))
    work_off()
    folder = app.extensions["soi"].instance / "outbox"
    assert (folder / f"{sms_id}.txt").read_text() == f"{PHONE}\n\nGói của bác bị thu hồi.\n"
    assert b"To: a@example.vn" in (folder / f"{mail_id}.eml").read_bytes()
    assert folder.stat().st_mode & 0o077 == 0 and outcomes(sms_id) == [Outcome.CONSOLE]


def test_erasing_takes_address_and_text_and_leaves_the_proof(app: Flask, village: Village) -> None:
    told, waits = sent_off(village, letter(key="1"), letter("call", PHONE, "2"))
    work_off()
    with write() as session:
        assert erasing.erase(session, *ABOUT) == 2
    with write() as session:
        assert erasing.erase(session, *ABOUT) == 0
    for one in (told, waits):
        assert (message(one).to, message(one).subject, message(one).body) == (None, None, None)
    assert outcomes(told) == [Outcome.CONSOLE, Outcome.ERASED] and message(told).state is MessageState.SENT
    assert message(waits).state is MessageState.CANCELLED
    assert list((app.extensions["soi"].instance / "outbox").iterdir()) == []
    assert outbox_count(db.session(), village.member("office").cooperative_id) == 0


def test_one_erased_while_it_was_on_its_way_still_counts_as_sent(app: Flask, village: Village) -> None:
    (one,) = sent_off(village)

    def send() -> None:
        with app.app_context():
            send_all(lambda: None)
            db.session.remove()

    with sms_gateway(Gateway(answers=[(202, 0.5)])) as gateway:
        with_gateway(app, gateway)
        sender = threading.Thread(target=send)
        sender.start()
        until(lambda: gateway.asked == [one])
        with write() as session:
            erasing.erase_one(session, one)
        sender.join()
    assert message(one).state is MessageState.SENT and message(one).to is None
    assert outcomes(one) == [Outcome.ERASED, Outcome.ACCEPTED]


def test_old_addresses_are_erased_by_themselves(app: Flask, village: Village) -> None:
    old, new, waits = sent_off(village, letter(key="1"), letter(key="2"), letter("call", PHONE, "3"))
    work_off()
    long_ago = clock.now() - erasing.KEPT - dt.timedelta(days=1)
    with write() as session:
        session.execute(update(Message).where(Message.id == old).values(ended_at=long_ago))
    erasing.tidy()
    assert message(old).to is None and message(new).to == message(waits).to == PHONE


def test_a_providers_words_are_kept_without_the_address_it_repeats() -> None:
    said = "550 5.1.1 <Ban@Example.VN>: user ban unknown\r\n in table\x00"
    assert without_address(said, "ban@example.vn") == "550 5.1.1 <…>: user … unknown in table"
    assert without_address("sent to 84912345678 (0912345678)", PHONE) == "sent to … (0…)"
    assert without_address("x" * 999, PHONE) == "x" * 300


def test_no_log_line_holds_an_address_or_a_word_of_the_text(
    app: Flask, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = StringIO()
    every_level = structlog.make_filtering_bound_logger(0)
    plain = [structlog.processors.JSONRenderer(ensure_ascii=False)]
    here = structlog.wrap_logger(structlog.PrintLogger(lines), plain, every_level)
    for module in (sending, running, services):
        monkeypatch.setattr(module, "log", here)
    sent_off(village, letter(to="khong phai so", key="1"), letter(key="2"), letter("mail", "ban@example.vn", "3"))
    with sms_gateway(Gateway(answers=[(500, 0), (422, 0)], body=b"bad +84912345678")) as gateway:
        with_gateway(app, gateway)
        work_off()
        due_again()
        work_off()
    said = lines.getvalue()
    assert "message failed" in said and "message waits" in said and "message sent" in said
    assert not any(word in said for word in ("912345678", "ban@example.vn", "thu hồi", "khong phai so", "bi-mat"))


def test_metrics_tell_how_many_wait_and_for_how_long(app: Flask, client: FlaskClient, village: Village) -> None:
    sent_off(village, letter(to="no", key="1"), letter("call", PHONE, "2"), letter("call", PHONE, "3"))
    with write() as session:
        session.execute(update(Message).values(made_at=clock.now() - dt.timedelta(hours=1)))
    shown = client.get("/metrics").get_data(as_text=True)
    assert 'soi_outbox_messages{channel="sms",state="failed"} 1.0' in shown
    assert 'soi_outbox_messages{channel="call",state="waiting"} 2.0' in shown
    (age,) = (line for line in shown.splitlines() if line.startswith('soi_outbox_oldest_wait_seconds{channel="call"}'))
    assert 3600 <= float(age.split()[1]) < 3700
