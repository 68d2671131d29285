"""The log's own keys change for all to see, and nothing is signed where it must not be."""

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.support.village import Village
from trace.ledger import keys, rotation, store
from trace.ledger.canonical import parse
from trace.ledger.checkpoint import open_checkpoint
from trace.ledger.keyring import Keyring
from trace.ledger.models import Evidence, KeptCheckpoint, LedgerEntry, LedgerKey
from trace.ledger.note import Verifier
from trace.ledger.verify import verify
from village import clock
from village.db import db, write
from village.errors import Conflict


def record(event: dict[str, Any], *batches: str) -> int:
    with write(ledger=True) as session:
        (appended,) = store.append(session, [store.Draft("event", event, batches)])
    return appended.index


def ring(*ledger: str) -> Keyring:
    """The keys as a stranger learns them from the log itself; every entry's signature is checked on the way."""
    found = Keyring("village.test/ledger", ledger)
    db.session.rollback()
    for entry in db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.index)):
        told = parse(entry.body)
        if told["type"] == "key":
            found.learn(entry.index, told)
        found.check(entry.index, told)
    return found


def signers(vkeys: list[Verifier]) -> set[str]:
    state = store.ensure_born()
    opened = open_checkpoint(state.checkpoint, state.origin, vkeys)
    return {line.verifier.vkey for line in opened.signatures}


def test_a_new_ledger_key_signs_beside_the_old_one_and_then_alone(app: Flask, village: Village) -> None:
    old = store.ensure_born().vkey
    record({"a": 1})
    new = rotation.begin().vkey
    with pytest.raises(Conflict):
        rotation.begin()
    record({"a": 2})
    assert signers(ring(old).ledger) == {old, new}
    assert rotation.finish() == ["ledger.key"]
    with pytest.raises(Conflict):
        rotation.finish()
    record({"a": 3})
    known = ring(old)
    size = store.ensure_born().size
    assert [key.vkey for key in known.ledger_at(size)] == [new]
    assert signers(known.ledger) == {new}
    rows = {row.key: row for row in db.session.scalars(select(LedgerKey).where(LedgerKey.role == "ledger"))}
    assert rows[old].ended_entry is not None and rows[new].ended_entry is None
    assert verify().holds
    names = sorted(path.name for path in keys.folder().glob("ledger*.key"))
    assert len(names) == 1 and names[0] != "ledger.key"
    assert {path.stat().st_mode & 0o777 for path in keys.folder().iterdir()} == {0o600}


def test_another_process_signs_with_the_new_key_without_being_told(app: Flask, village: Village) -> None:
    from wsgi import create_app

    record({"a": 1})
    with create_app(app.extensions["soi"]).app_context():
        new = rotation.begin().vkey
        rotation.finish()
        db.session.remove()
    record({"a": 2})
    assert store.ensure_born().vkey == new
    assert verify().holds


def test_a_new_custodian_signs_from_its_own_entry_on(app: Flask, village: Village) -> None:
    before = record({"a": 1})
    new = rotation.change_custodian().vkey
    record({"a": 2})
    assert store.ensure_born().custodian_vkey == new
    ring()
    bodies = {e.index: parse(e.body)["custodian"]["key"] for e in db.session.scalars(select(LedgerEntry))}
    assert bodies[before] != bodies[before + 1] == bodies[before + 2] == Verifier.parse(new).key_id.hex()
    assert verify().holds


def test_a_log_without_its_new_key_signs_nothing(app: Flask, village: Village) -> None:
    new = rotation.begin()
    keys.destroy(keys.LEDGER, store.ensure_born().origin, new.vkey)
    app.extensions["soi.keys"].clear()
    with pytest.raises(keys.KeyTrouble):
        record({"a": 1})


def test_a_clock_that_was_put_back_a_day_signs_nothing(app: Flask, village: Village) -> None:
    now = clock.now()
    last = record({"a": 1})
    with clock.fixed(now - dt.timedelta(days=1)), pytest.raises(store.CannotSign) as refused:
        record({"a": 2})
    assert (refused.value.slug, refused.value.status) == ("clock-behind", 503)
    assert store.ensure_born().size == last + 1
    with clock.fixed(now - dt.timedelta(seconds=20)):
        record({"a": 3})
    times = [parse(e.body)["recordedAt"] for e in db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.index))]
    assert times == sorted(times)
    assert verify().holds


def test_a_halted_log_signs_nothing_until_it_is_resumed(app: Flask, village: Village) -> None:
    record({"a": 1})
    store.halt("a witness holds another history")
    store.halt("and another reason, later")
    with pytest.raises(store.CannotSign) as refused:
        record({"a": 2})
    assert (refused.value.slug, refused.value.status) == ("log-halted", 503)
    assert store.resume("it was a drill") == "a witness holds another history"
    assert store.resume("again") is None
    record({"a": 2})
    (kept,) = db.session.scalars(select(Evidence)).all()
    assert kept.kind == "resumed" and "drill" in kept.about and "another history" in kept.about


def test_a_log_shorter_than_it_was_seen_signs_nothing(app: Flask, village: Village) -> None:
    record({"a": 1})
    app.extensions[store.FLOOR] = store.ensure_born().size + 1
    with pytest.raises(store.CannotSign) as refused:
        record({"a": 2})
    assert (refused.value.slug, refused.value.status) == ("log-behind", 503)


def test_a_checkpoint_is_kept_once_for_each_size(app: Flask, village: Village) -> None:
    record({"a": 1})
    for _again in range(2):
        with write() as session:
            kept = store.keep_checkpoint(session)
            assert kept.note == store.ensure_born().checkpoint
    record({"a": 2})
    with write() as session:
        store.keep_checkpoint(session)
    sizes = db.session.scalars(select(KeptCheckpoint.size).order_by(KeptCheckpoint.size)).all()
    assert sizes == [store.ensure_born().size - 1, store.ensure_born().size]
