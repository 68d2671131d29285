"""Appending from several processes: no gap, no fork, every receipt holds."""

import json
import multiprocessing
import os
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from tests.support import receipts
from tests.support.village import Village
from trace.ledger import store
from trace.ledger.models import LedgerEntry, LedgerLink
from trace.ledger.note import Verifier
from trace.ledger.proof import verify_proof
from trace.ledger.verify import verify
from village.db import db, write
from village.settings import Settings

PROCESSES, ENTRIES = 4, 25


def _append(url: str, instance: str, number: int, barrier: object) -> None:
    from tests.conftest import settings_for
    from wsgi import create_app

    app = create_app(settings_for(url, Path(instance)))
    with app.app_context():
        barrier.wait()  # type: ignore[attr-defined]  # a multiprocessing barrier
        for turn in range(ENTRIES):
            with write(ledger=True) as session:
                event = {"soi:writer": number, "soi:turn": turn}
                store.append(session, [store.Draft("event", event, ("https://example.org/all", f"urn:x:{number}"))])
        db.session.remove()
        db.engine.dispose()
    os._exit(0)


def test_four_processes_append_without_a_gap_or_a_fork(settings: Settings) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    arguments = (settings.database_url, str(settings.instance))
    writers = [context.Process(target=_append, args=(*arguments, n, barrier)) for n in range(PROCESSES)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * PROCESSES
    from wsgi import create_app

    with create_app(settings).app_context():
        report = verify()
        assert report.fault is None
        assert report.entries == 1 + PROCESSES * ENTRIES
        chain = db.session.scalars(
            select(LedgerLink.seq).where(LedgerLink.batch == "https://example.org/all").order_by(LedgerLink.seq)
        ).all()
        assert list(chain) == list(range(PROCESSES * ENTRIES))
        key = Verifier.parse(store.ensure_born().vkey)
        for entry in db.session.scalars(select(LedgerEntry)):
            receipt = receipts.receipt(entry.index).format()
            assert verify_proof(entry.body, receipt, settings.ledger_origin, [key]).holds
        db.session.remove()
        db.engine.dispose()


def test_what_is_rolled_back_leaves_nothing(app: Flask, village: Village) -> None:
    try:
        with write(ledger=True) as session:
            store.append(session, [store.Draft("event", {"a": 1}, ("urn:x:1",))])
            raise KeyError("something else went wrong")
    except KeyError:
        pass
    assert store.ensure_born().size == 1
    assert verify().holds


def test_the_database_refuses_to_change_an_entry(app: Flask) -> None:
    for statement in (
        "UPDATE ledger_entry SET body = body",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_link SET seq = seq",
        "DELETE FROM ledger_node",
    ):
        with write(ledger=True) as session:
            store.append(session, [store.Draft("event", {"a": 1}, ("urn:x:1",))])
        try:
            with write() as session:
                session.execute(text(statement))
        except Exception as error:
            assert "only added to" in str(error)
        else:
            raise AssertionError(f"{statement} went through")


REPLACING = (
    "REPLACE INTO ledger_entry SELECT \"index\", leaf_hash, x'7b7d', recorded_at FROM ledger_entry LIMIT 1",
    "INSERT OR REPLACE INTO ledger_link SELECT batch, seq, entry_index, x'00' FROM ledger_link LIMIT 1",
    "REPLACE INTO ledger_node SELECT level, position, x'00' FROM ledger_node LIMIT 1",
    "REPLACE INTO ledger_link (rowid, batch, seq, entry_index, leaf_hash) "
    "SELECT rowid, 'urn:x:another', 0, entry_index, leaf_hash FROM ledger_link LIMIT 1",
)


@pytest.mark.parametrize("statement", REPLACING)
def test_the_database_refuses_to_put_another_entry_in_the_place_of_one(app: Flask, statement: str) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no REPLACE")
    for _ in range(2):
        with write(ledger=True) as session:
            store.append(session, [store.Draft("event", {"a": 1}, ("urn:x:1",))])
    with pytest.raises(IntegrityError, match="only added to"), write() as session:
        session.execute(text(statement))
    assert verify().holds


def test_an_entry_keeps_a_value_only_as_a_salted_commitment(app: Flask) -> None:
    with write(ledger=True) as session:
        (done,) = store.append(session, [store.Draft("event", {"a": 1}, ("urn:x:1",), private={"note": "chị Lan"})])
    body = json.loads(store.entry(done.index).body)
    assert "chị Lan" not in json.dumps(body, ensure_ascii=False)
    with write() as session:
        session.execute(text("DELETE FROM ledger_commitment"))
    assert verify().holds
