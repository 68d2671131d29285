"""Hands for the outbox: letters put and committed, rows read afresh, time that passes."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace

from flask import Flask
from sqlalchemy import update

from tests.support.post import Gateway
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.outbox.letters import Letter
from village.outbox.models import Message, Outcome
from village.outbox.services import put_all

PHONE = "+84912345678"
ABOUT = ("test", "1")


def letter(channel: str = "sms", to: str = PHONE, key: str = "k", **more: str) -> Letter:
    """One letter."""
    return Letter(channel, to, more.get("subject", "Miến của bác"), more.get("body", "Gói của bác bị thu hồi."), key)


def sent_off(village: Village, *letters: Letter, about: tuple[str, str] = ABOUT) -> list[str]:
    """Letters put and committed; their ids."""
    coop = village.member("office").cooperative_id
    with write() as session:
        return put_all(session, coop, about, letters or [letter()])


def message(message_id: str) -> Message:
    """Its row, read afresh."""
    db.session.rollback()
    return db.session.get_one(Message, message_id, populate_existing=True)


def outcomes(message_id: str) -> list[Outcome]:
    """What came of each try."""
    return [proof.outcome for proof in message(message_id).proofs]


def due_again() -> None:
    """Time passes until everything that waits is due."""
    with write() as session:
        session.execute(update(Message).values(next_at=clock.now() - dt.timedelta(seconds=1)))


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def with_gateway(app: Flask, gateway: Gateway) -> None:
    """Let the village use it."""
    app.extensions["soi"] = replace(app.extensions["soi"], sms_url=gateway.url, sms_token="bi-mat")
