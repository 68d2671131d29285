"""The watcher of the kill tests sees what it is there to see."""

from dataclasses import replace

import pytest
from flask import Flask

from tests.support import receipts
from tests.support.watching import Promise, Watcher
from tests.trace.scanning import tamper
from trace.ledger import store
from trace.ledger.note import Signer
from village.db import db, write


@pytest.fixture
def watcher(app: Flask) -> Watcher:
    state = store.ensure_born()
    watcher = Watcher(state.origin, state.vkey)
    db.session.remove()
    return watcher


def _promised(number: int) -> Promise:
    with write(ledger=True) as session:
        (done,) = store.append(session, [store.Draft("event", {"number": number}, ("urn:soi:1",))])
    promise = Promise(done.index, done.leaf_hash, receipts.receipt(done.index).format())
    db.session.remove()
    return promise


def test_what_was_promised_and_is_there_is_held(watcher: Watcher) -> None:
    promises = [_promised(number) for number in range(3)]
    watcher.look()
    for promise in (*promises, _promised(3)):
        watcher.look()
        watcher.hold(promise)


def test_what_was_promised_and_is_lost_or_another_is_seen(watcher: Watcher) -> None:
    promise = _promised(1)
    watcher.look()
    with pytest.raises(AssertionError, match="is lost"):
        watcher.hold(replace(promise, index=promise.index + 1))
    with pytest.raises(AssertionError, match="another entry stands"):
        watcher.hold(replace(promise, leaf=bytes(32)))
    with pytest.raises(AssertionError, match="no known key has signed"):
        stranger = Signer.from_seed(watcher.origin, bytes(32)).verifier.vkey
        other = Watcher(watcher.origin, stranger)
        other.leaves, other.bodies, other.roots = watcher.leaves, watcher.bodies, watcher.roots
        other.hold(promise)
    watcher.roots[-1] = bytes(32)
    with pytest.raises(AssertionError, match="over another log"):
        watcher.hold(promise)


@pytest.mark.parametrize(
    ("statements", "seen"),
    [
        (["UPDATE ledger_state SET size = size - 1"], "more than was signed"),
        (["UPDATE ledger_entry SET leaf_hash = body"], "does not hash"),
        (["DELETE FROM ledger_link", 'DELETE FROM ledger_entry WHERE "index" = 2'], "a gap"),
    ],
)
def test_what_was_changed_in_the_database_is_seen(watcher: Watcher, statements: list[str], seen: str) -> None:
    for number in range(3):
        _promised(number)
    watcher.look()
    for statement in statements:
        tamper(statement)
    with pytest.raises(AssertionError, match=seen):
        watcher.look()


def test_an_entry_that_was_replaced_is_seen_although_its_hash_fits(watcher: Watcher) -> None:
    _promised(1)
    watcher.look()
    watcher.bodies[-1] += b" "
    with pytest.raises(AssertionError, match="was replaced"):
        watcher.look()
