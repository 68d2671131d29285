"""Threads of a process that want to write at the same moment commit together, and each stands or falls alone."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.village import Village
from trace.events.models import Event
from trace.ledger.verify import verify
from village import db as database
from village.db import commits_here, db, write
from village.errors import Conflict
from village.ids import uuid7
from village.places.models import Hamlet
from village.together import together


def at_once(app: Flask, works: list[Callable[[], Any]]) -> list[Any]:
    """Run each in a thread of its own while somebody else holds the lock; what each gave or raised."""
    outcomes: list[Any] = [None] * len(works)

    def run(number: int) -> None:
        with app.app_context():
            try:
                outcomes[number] = works[number]()
            except Exception as error:
                outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    with write(ledger=True):
        for thread in threads:
            thread.start()
        # All of them wait now: one for the lock, the others for that one.
        threads[0].join(0.5)
    for thread in threads:
        thread.join(30)
    return outcomes


def found(name: str) -> Callable[[Session], str]:
    """Work that adds a hamlet."""

    def work(session: Session) -> str:
        session.add(Hamlet(id=uuid7(), name=name))
        session.flush()
        return name

    return work


def hamlets() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(select(Hamlet.name)))


def test_those_who_wait_are_committed_together(app: Flask) -> None:
    before = commits_here()
    names = [f"Bản {n}" for n in range(8)]
    assert at_once(app, [partial(together, found(n)) for n in names]) == names
    assert hamlets() >= set(names)
    # One for the lock's holder, one for the first to come, and one for all who came meanwhile.
    assert commits_here() - before <= 3


def test_one_that_is_refused_takes_nobody_along(app: Flask) -> None:
    def refused(session: Session) -> None:
        found("Bản Bị Bỏ")(session)
        raise Conflict("no", "không")

    works: list[Callable[[], Any]] = [partial(together, found(f"Bản {n}")) for n in range(4)]
    works.insert(2, lambda: together(refused))
    outcomes = at_once(app, works)
    assert isinstance(outcomes[2], Conflict)
    assert hamlets() >= {f"Bản {n}" for n in range(4)}
    assert "Bản Bị Bỏ" not in hamlets()


def test_a_commit_that_fails_for_one_is_tried_for_each_alone(app: Flask) -> None:
    def spoils(session: Session) -> None:
        def fail(_session: Session) -> None:
            raise RuntimeError("at the last moment")

        database.before_commit(session, "spoils", fail)

    works: list[Callable[[], Any]] = [partial(together, found(f"Bản {n}")) for n in range(4)]
    works.append(lambda: together(spoils))
    outcomes = at_once(app, works)
    assert isinstance(outcomes[4], RuntimeError)
    assert outcomes[:4] == [f"Bản {n}" for n in range(4)]
    assert hamlets() >= {f"Bản {n}" for n in range(4)}


def test_what_raised_outside_a_commit_leaves_the_lock_free(app: Flask) -> None:
    def refused(_session: Session) -> None:
        raise Conflict("no", "không")

    for _ in range(3):
        with pytest.raises(Conflict):
            together(refused)
    assert together(found("Bản Sau")) == "Bản Sau"


def test_a_transaction_does_not_wait_for_itself(app: Flask) -> None:
    with write(), pytest.raises(RuntimeError):
        together(found("Bản Kẹt"))


def test_the_same_stage_from_many_phones_at_once_is_written_once(app: Flask, village: Village) -> None:
    from batches.stages.services import record_stage
    from batches.stages.wanted import Make

    who = village.actor("producer")
    wanted = village.wanted("harvest", outputs=(Make(village.product("tuber").id, 100_000),))
    other = village.wanted("harvest", outputs=(Make(village.product("tuber").id, 200_000, lot="ONE-LOT"),))
    rival = village.wanted("harvest", outputs=(Make(village.product("tuber").id, 300_000, lot="ONE-LOT"),))
    body = {"id": wanted.id}
    works: list[Callable[[], Any]] = [lambda: record_stage(who, wanted, body) for _ in range(6)]
    works += [lambda: record_stage(who, other, {"id": other.id}), lambda: record_stage(who, rival, {"id": rival.id})]
    outcomes = at_once(app, works)
    assert all(outcome == outcomes[0] for outcome in outcomes[:6])
    assert {type(outcome) for outcome in outcomes[6:]} == {dict, Conflict}
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Event)) == 2
    assert verify().fault is None
