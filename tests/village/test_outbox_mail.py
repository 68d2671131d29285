"""Mail: over TLS or not at all, readable in Vietnamese, the same mail however often it is tried."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import update

from tests.support.outbox import due_again, message, outcomes, sent_off
from tests.support.post import MailServer, certificate, mail_server
from tests.support.serving import environment
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.outbox import mail
from village.outbox.letters import Letter
from village.outbox.mail import Smtp, compose
from village.outbox.models import Channel, Message, MessageState, Outcome
from village.outbox.providers import Held, Later
from village.outbox.sending import send_all
from village.settings import ROOT, SettingsError, from_env

FROM = "Miến dong Bình Lư <tin@soi.example.vn>"
TO = "ban@example.vn"


def with_server(app: Flask, url: str) -> None:
    """Let the village use it."""
    app.extensions["soi"] = replace(app.extensions["soi"], mail_url=url, mail_from=FROM)


def mails(*keys: str) -> list[Letter]:
    """Letters to one person each."""
    return [
        Letter("mail", f"ban{key}@example.vn", f"Gói miến của bác, lần {key}", f"Chào bác.\n.\nLần {key}.", key)
        for key in keys
    ]


def says(**answers: str) -> Callable[[str, str], str | None]:
    """A server that answers these commands so; a list of answers, apart by `|`, is used up one by one."""
    left = {verb: answer.split("|") for verb, answer in answers.items()}

    def answer(verb: str, _line: str) -> str | None:
        found = left.get(verb.replace(".", "END"), [])
        return (found.pop(0) or None) if found else None

    return answer


def test_several_mails_go_over_one_connection_and_read_as_they_were_written(app: Flask, village: Village) -> None:
    ids = sent_off(village, *mails("1", "2", "3"))
    with mail_server(MailServer()) as server:
        with_server(app, server.url(who="thong:mat@"))
        assert send_all(lambda: None)["sent"] == 3
    assert server.connections == 1 and server.to == ["ban1@example.vn", "ban2@example.vn", "ban3@example.vn"]
    first = server.mails[0]
    assert first["Subject"] == "Gói miến của bác, lần 1" and b"=?utf-8?" in server.raw[0]
    assert first["From"] == FROM and first["To"] == "ban1@example.vn"
    assert first["Message-ID"] == f"<{ids[0]}@soi.example.vn>" and first["Auto-Submitted"] == "auto-generated"
    assert first.get_content().splitlines() == ["Chào bác.", ".", "Lần 1."]
    assert all(line.isascii() and len(line) <= 998 for line in server.raw[0].split(b"\r\n"))
    assert message(ids[0]).proofs[0].answer == "250 2.0.0 <…> queued as 4711"


def test_a_mail_tried_again_is_the_same_to_the_byte(app: Flask, village: Village) -> None:
    (one,) = sent_off(village, *mails("1"))
    with mail_server(MailServer(says(END="hang up"))) as server:
        with_server(app, server.url())
        send_all(lambda: None)
        assert message(one).state is MessageState.WAITING
        due_again()
        send_all(lambda: None)
    assert server.raw[0] == server.raw[1] and outcomes(one) == [Outcome.LATER, Outcome.ACCEPTED]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_mail_goes_over_tls_to_whom_a_known_authority_vouches_for(
    app: Flask, village: Village, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    tls, vouched = certificate(tmp_path)
    (one,) = sent_off(village, *mails("1"))
    with mail_server(MailServer(tls=tls, at_once=scheme == "smtps")) as server:
        with_server(app, server.url(scheme, "thong:mat@"))
        send_all(lambda: None)
        assert message(one).proofs[0].answer == "SSLCertVerificationError" and server.raw == []
        monkeypatch.setenv("SSL_CERT_FILE", str(vouched))
        due_again()
        send_all(lambda: None)
    assert message(one).state is MessageState.SENT and server.encrypted == 1


def test_no_password_and_no_mail_goes_to_a_server_elsewhere_without_tls(
    app: Flask, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(mail, "LOCAL", frozenset())
    (one,) = sent_off(village, *mails("1"))
    with mail_server(MailServer(lambda verb, line: heard.append(line))) as server:
        with_server(app, server.url(who="thong:mat@"))
        send_all(lambda: None)
    assert server.raw == [] and message(one).proofs[0].answer == "SMTPNotSupportedError"
    assert not any(line.startswith(("AUTH", "MAIL")) for line in heard)


@pytest.mark.parametrize(
    ("moods", "outcome", "answer"),
    [
        ({"RCPT": "550 5.1.1 no such user ban1@example.vn"}, Outcome.REFUSED, "550 5.1.1 no such user …"),
        ({"RCPT": "450 greylisted"}, Outcome.LATER, "450 greylisted"),
        ({"RCPT": "421 going down"}, Outcome.LATER, "421 going down"),
        ({"END": "554 looks like spam"}, Outcome.REFUSED, "554 looks like spam"),
        ({"END": "452 mailbox full"}, Outcome.LATER, "452 mailbox full"),
        ({"DATA": "554 no"}, Outcome.REFUSED, "554 no"),
        ({"MAIL": "550 we do not know you"}, Outcome.LATER, "550 we do not know you"),
        ({"AUTH": "535 who are you, thong?"}, Outcome.LATER, "SMTPAuthenticationError 535"),
        ({"": "554 go away"}, Outcome.LATER, "SMTPConnectError 554"),
        ({"": "what do you want"}, Outcome.LATER, "SMTPConnectError -1"),
        ({"EHLO": "hang up"}, Outcome.LATER, "SMTPServerDisconnected"),
        ({"MAIL": "hang up"}, Outcome.LATER, "the connection was closed"),
        ({"END": "hang up"}, Outcome.LATER, "the connection was closed before it answered"),
        ({"MAIL": "2" * 9000}, Outcome.LATER, None),
    ],
)
def test_what_a_server_answers_decides_whether_to_try_again(
    app: Flask, village: Village, moods: dict[str, str], outcome: Outcome, answer: str | None
) -> None:
    (one,) = sent_off(village, *mails("1"))
    left = {verb: [text] for verb, text in moods.items()}
    with mail_server(MailServer(lambda verb, line: left.get(verb.replace(".", "END"), [""]).pop() or None
                                if left.get(verb.replace(".", "END")) else None)) as server:  # fmt: skip
        with_server(app, server.url(who="thong:mat@"))
        send_all(lambda: None)
        assert outcomes(one) == [outcome]
        assert answer is None or message(one).proofs[0].answer == answer
        if outcome is Outcome.LATER:
            due_again()
            send_all(lambda: None)
            assert message(one).state is MessageState.SENT


def test_a_refused_reader_does_not_keep_the_next_one_from_her_mail(app: Flask, village: Village) -> None:
    bad, good = sent_off(village, *mails("1", "2"))
    with mail_server(MailServer(says(RCPT="550 no such user"))) as server:
        with_server(app, server.url())
        assert send_all(lambda: None) == {"sent": 1, "later": 0, "failed": 1}
    assert server.connections == 1 and server.to == ["ban2@example.vn"]
    assert (message(bad).state, message(good).state) == (MessageState.FAILED, MessageState.SENT)


def test_a_connection_that_was_closed_between_two_mails_is_opened_again(app: Flask, village: Village) -> None:
    sent_off(village, *mails("1", "2"))
    with mail_server(MailServer(says(MAIL="|hang up"))) as server:
        with_server(app, server.url())
        assert send_all(lambda: None) == {"sent": 2, "later": 0, "failed": 0}
    assert server.connections == 2


def test_a_server_that_is_silent_is_not_waited_for(
    app: Flask, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "SILENCE", 0.3)
    (one,) = sent_off(village, *mails("1"))
    with mail_server(MailServer()) as server:
        server.hold.clear()
        with_server(app, server.url())
        send_all(lambda: None)
    assert message(one).proofs[0].answer == "the connection was closed before it answered"


def test_the_office_of_no_server_at_all_hears_of_it(app: Flask, village: Village) -> None:
    sent_off(village, *mails("1", "2"))
    with_server(app, "smtp://localhost:9")
    assert send_all(lambda: None) == {"sent": 0, "later": 1, "failed": 0}


@hypothesis(deadline=None)
@given(subject=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z", "M")), min_size=1, max_size=200))
def test_every_subject_survives_the_headers_and_none_makes_a_second_one(subject: str) -> None:
    held = Held("0190-1", Channel.MAIL, TO, subject, "x", 1, clock.now(), "h")
    raw = compose(held, FROM)
    server = MailServer(raw=[raw])
    (read,) = server.mails
    assert sorted(read.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
         "Content-Transfer-Encoding"]
    )  # fmt: skip
    assert "".join(str(read["Subject"]).split()) == "".join(subject.split())


def test_a_line_break_never_gets_into_a_header() -> None:
    held = Held("0190-1", Channel.MAIL, TO, "Chào\r\nBcc: x@example.vn", "x", 1, clock.now(), "h")
    with pytest.raises(ValueError):
        compose(held, FROM)


def test_a_connection_that_cannot_be_made_says_nothing_of_the_password() -> None:
    provider = Smtp("smtp://thong:mat-khau@localhost:9", FROM)
    with pytest.raises(Later) as later:
        provider.deliver(Held("0190-1", Channel.MAIL, TO, "x", "x", 1, clock.now(), "h"))
    assert later.value.answer == "ConnectionRefusedError" and later.value.everybody


@pytest.mark.processes
def test_a_sender_killed_before_it_noted_so_sends_again_under_the_same_message_id(app: Flask, village: Village) -> None:
    (one,) = sent_off(village, *mails("1"))
    db.session.remove()
    with mail_server(MailServer()) as server:
        server.hold.clear()
        settings = app.extensions["soi"]
        killed = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", "jobs", "work", "--once"], cwd=ROOT,
            env=environment(settings, 8000, SOI_ENV="test", MAIL_URL=server.url(), MAIL_FROM=FROM),
        )  # fmt: skip
        try:
            assert server.arrived.wait(30)
        finally:
            os.kill(killed.pid, signal.SIGKILL)
            killed.wait()
        server.hold.set()
        with_server(app, server.url())
        assert message(one).holder is not None and send_all(lambda: None)["sent"] == 0
        with write() as session:
            session.execute(update(Message).values(held_until=clock.now()))
        assert send_all(lambda: None)["sent"] == 1
    assert [one["Message-ID"] for one in server.mails] == [f"<{one}@soi.example.vn>"] * 2
    assert outcomes(one) == [Outcome.ACCEPTED] and message(one).tries == 2


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"MAIL_URL": "mail.example.vn"}, "MAIL_URL"),
        ({"MAIL_URL": "http://mail.example.vn"}, "MAIL_URL"),
        ({"MAIL_URL": "smtp://thong@mail.example.vn"}, "MAIL_URL"),
        ({"MAIL_URL": "smtp://a b:c@mail.example.vn"}, "MAIL_URL"),
        ({"MAIL_URL": "smtp://mail.example.vn:99999"}, "MAIL_URL"),
        ({"MAIL_URL": "smtp://mail.example.vn/x"}, "MAIL_URL"),
        ({"MAIL_URL": "smtp://mail.example.vn"}, "MAIL_FROM"),
        ({"MAIL_URL": "smtp://mail.example.vn", "MAIL_FROM": "Soi"}, "MAIL_FROM"),
        ({"MAIL_FROM": "Soi <tin@soi.example.vn>\nBcc: x@example.vn"}, "MAIL_FROM"),
        ({"MAIL_FROM": "tin@localhost"}, "MAIL_FROM"),
        ({"SMS_URL": "http://gateway.example.vn", "SMS_TOKEN": "x"}, "SMS_URL"),
        ({"SMS_URL": "https://gateway.example.vn"}, "SMS_TOKEN"),
        ({"SMS_TOKEN": "x"}, "SMS_URL"),
        ({"SMS_URL": "https://gateway.example.vn", "SMS_TOKEN": "x\r\ny"}, "SMS_TOKEN"),
    ],
)
def test_a_setting_for_messages_that_makes_no_sense_stops_the_start(
    tmp_path: Path, environ: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError) as told:
        from_env({"INSTANCE": str(tmp_path), **environ})
    assert said in str(told.value) and "thong" not in str(told.value) and "\n" not in str(told.value)


def test_the_settings_of_a_real_village_are_taken(tmp_path: Path) -> None:
    found = from_env(
        {"INSTANCE": str(tmp_path), "MAIL_URL": "smtps://thong%40x:m%3At@mail.example.vn", "MAIL_FROM": FROM,
         "SMS_URL": "https://gateway.example.vn/v1?x=1", "SMS_TOKEN": "bi-mat"}
    )  # fmt: skip
    assert found.mail_from == FROM and found.sms_token == "bi-mat"
