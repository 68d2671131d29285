"""The check of a long log: on all cores, gone on with after a break, and always naming the lowest entry at fault."""

import datetime as dt
import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text

from tests.support.audit import BATCH, audit, by_phone, careless, grow, keep_all, known, take_guards_away
from tests.support.phone import Phone
from trace.ledger import rotation, store
from trace.ledger.audit.chunk import CHUNK
from trace.ledger.audit.raw import CouldNotCheck, Source
from trace.ledger.audit.resume import Progress
from trace.ledger.audit.run import run
from trace.ledger.cli import Pace
from trace.ledger.erasure import erase
from trace.ledger.verify import check, verify
from village import clock
from village.db import db, write
from village.settings import Settings


@pytest.fixture
def engine(app: Flask, settings: Settings) -> Iterator[Engine]:
    """The database as a program sees it that is not ours."""
    engine = create_engine(settings.database_url)
    yield engine
    engine.dispose()


def spoil(engine: Engine, *indexes: int) -> None:
    """Put other bytes in the place of these entries."""
    with engine.begin() as connection:
        take_guards_away(connection)
        for index in indexes:
            connection.execute(
                text('UPDATE ledger_entry SET body = :body WHERE "index" = :index'), {"body": b"{}", "index": index}
            )


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    """Its workers that live."""
    found = []
    for child in process.children():
        with suppress(psutil.Error):
            if any("spawn_main" in part for part in child.cmdline()):
                found.append(child)
    return found


@pytest.mark.processes
def test_on_all_cores_the_lowest_bad_entry_is_named_and_nothing_is_missed(engine: Engine) -> None:
    grow(3 * CHUNK + 100)
    size = store.ensure_born().size
    db.session.remove()
    told: list[tuple[int, int]] = []
    good = audit(engine, jobs=2, tell=lambda done, total: told.append((done, total)))
    alone = audit(engine)
    assert good.holds and (good.entries, good.root) == (alone.entries, alone.root) == (size, alone.root)
    assert told[-1] == (size, size) and len(told) == 4
    spoil(engine, 3 * CHUNK + 5, CHUNK + 9, CHUNK + 8, 2 * CHUNK)
    for jobs in (1, 2):
        bad = audit(engine, jobs=jobs)
        assert bad.fault is not None and (bad.fault.index, bad.entries) == (CHUNK + 8, CHUNK + 8)


@pytest.mark.processes
def test_a_worker_that_is_killed_ends_the_check_without_a_verdict(engine: Engine) -> None:
    grow(6 * CHUNK, batches=1)

    def kill(_done: int, _total: int) -> None:
        for worker in workers_of(psutil.Process()):
            worker.kill()

    with pytest.raises(CouldNotCheck, match="worker"):
        audit(engine, jobs=2, tell=kill)


def test_a_check_that_was_cut_off_goes_on_where_it_was(engine: Engine, tmp_path: Path) -> None:
    grow(2 * CHUNK + 10)
    told: list[int] = []

    def cut(done: int, _total: int) -> None:
        told.append(done)
        raise KeyboardInterrupt

    def progress() -> Progress:
        return Progress(tmp_path, "village.test/ledger")

    with pytest.raises(KeyboardInterrupt):
        audit(engine, tell=cut, kept=progress())
    assert told == [CHUNK]
    # Half a line, as a crash leaves it; and the log has grown since.
    with progress().path.open("a") as file:
        file.write('{"start":1024,')
    grow(CHUNK)
    told.clear()
    report = audit(engine, tell=lambda done, _total: told.append(done), kept=progress(), resume=True)
    assert report.holds and report.entries == store.ensure_born().size
    assert report.root == audit(engine).root
    assert told[0] == 2 * CHUNK
    assert not progress().path.exists(), "nothing is left to go on with"


def test_what_was_done_is_believed_when_going_on_and_not_when_beginning_afresh(engine: Engine, tmp_path: Path) -> None:
    grow(2 * CHUNK)

    def cut(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    progress = Progress(tmp_path, "village.test/ledger")
    with pytest.raises(KeyboardInterrupt):
        audit(engine, tell=cut, kept=progress)
    spoil(engine, 7, CHUNK + 7)
    kept = progress.path.read_text()
    on = audit(engine, kept=Progress(tmp_path, "village.test/ledger"), resume=True)
    assert on.fault is not None and on.fault.index == CHUNK + 7
    progress.path.write_text(kept)
    afresh = audit(engine, kept=Progress(tmp_path, "village.test/ledger"), resume=False)
    assert afresh.fault is not None and afresh.fault.index == 7


@pytest.mark.parametrize("how", ["root", "origin", "size", "chunk", "rubbish", "changed chunk"])
def test_a_progress_file_that_does_not_fit_is_thrown_away_or_found_out(
    engine: Engine, tmp_path: Path, how: str
) -> None:
    grow(CHUNK + 10)

    def cut(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    progress = Progress(tmp_path, "village.test/ledger")
    with pytest.raises(KeyboardInterrupt):
        audit(engine, tell=cut, kept=progress)
    first, line = (json.loads(one) for one in progress.path.read_text().splitlines())
    if how == "changed chunk":
        line["root"] = "00" * 32
    else:
        first[how] = {"root": "00" * 32, "origin": "other.test/ledger", "size": 10**9, "chunk": 1}.get(how)
    written = "rubbish\n" if how == "rubbish" else f"{json.dumps(first)}\n{json.dumps(line)}\n"
    progress.path.write_text(written)
    told: list[int] = []
    again = Progress(tmp_path, "village.test/ledger")
    report = audit(engine, tell=lambda done, _total: told.append(done), kept=again, resume=True)
    if how == "changed chunk":
        assert report.fault is not None and report.fault.index is None
    else:
        assert report.holds and told[0] == CHUNK, "the first chunk was checked again"


def test_a_phones_number_that_stands_twice_is_found_within_a_chunk_and_across(engine: Engine) -> None:
    phone, other = known(Phone()), known(Phone())
    first = [by_phone(phone, 1), by_phone(other, 1), by_phone(phone, 3), by_phone(phone, 2)]
    assert audit(engine).holds
    grow(CHUNK)
    assert by_phone(phone, 5) > CHUNK
    assert audit(engine).holds
    far = by_phone(phone, 3)
    by_phone(phone, 1)
    report = audit(engine)
    assert report.fault is not None and report.fault.index == far and "number 3" in report.fault.what
    near = by_phone(other, 8), by_phone(other, 8)
    assert near[0] > far > first[-1]
    report = audit(engine)
    assert report.fault is not None and report.fault.index == far


def test_a_second_entry_under_the_same_number_of_a_batch_is_a_fork(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("the copy of the table that lets a fork in is made the way of SQLite")
    grow(3, batches=1)
    with engine.begin() as connection:
        # Without its primary key, as only somebody with the file in hand can make it.
        connection.execute(text("ALTER TABLE ledger_link RENAME TO ledger_link_old"))
        connection.execute(text("CREATE TABLE ledger_link AS SELECT * FROM ledger_link_old"))
    with write(ledger=True) as session:
        pen = store.take_up(session)
        leaf = store.entry(1).leaf_hash
        session.info[store.PEN] = replace(pen, heads={f"{BATCH}L0": (0, leaf)})
        (second,) = store.append(session, [store.Draft("event", {"a": 1}, (f"{BATCH}L0",))])
    report = verify()
    assert report.fault is not None and report.fault.index == second.index and "second entry" in report.fault.what


def test_a_time_that_goes_back_is_found(app: Flask) -> None:
    grow(3)
    with clock.fixed(clock.now() - dt.timedelta(days=1)), write(ledger=True) as session:
        # Past the store, which refuses it.
        session.info[store.PEN] = replace(store.take_up(session), moment=None)
        (entry,) = store.append(session, [store.Draft("event", {"a": 1})])
    report = verify()
    assert report.fault is not None and report.fault.index == entry.index and "before" in report.fault.what


@pytest.mark.parametrize("what", ["enrolled", "ended", "bogus"])
def test_the_table_of_keys_must_say_what_the_key_entries_say(engine: Engine, what: str) -> None:
    phone = known(Phone())
    by_phone(phone, 1)
    first = store.ensure_born().size - 2
    with write(ledger=True) as session:
        key = {"role": "device", "status": "lost", "key": phone.key}
        (lost,) = store.append(session, [store.Draft("key", None, extra={"key": key})])
        store.note_key(session, phone.key, "device", ended=lost.index)
    rotation.begin()
    rotation.change_custodian()
    rotation.finish()
    db.session.remove()
    assert verify().holds
    with engine.begin() as connection:
        careless(connection)
        connection.execute(
            text(
                {
                    "enrolled": "DELETE FROM ledger_key WHERE role = 'device'",
                    "ended": "UPDATE ledger_key SET ended_entry = NULL WHERE role = 'device'",
                    "bogus": f"INSERT INTO ledger_key VALUES ('nobody', 'device', {first + 1}, NULL)",
                }[what]
            )
        )
    expected = {"enrolled": first, "ended": lost.index, "bogus": first + 1}[what]
    report = verify()
    assert report.fault is not None and report.fault.index == expected and "table of keys" in report.fault.what


def test_a_signature_of_a_phone_after_its_loss_is_found(engine: Engine) -> None:
    phone = known(Phone())
    with write(ledger=True) as session:
        key = {"role": "device", "status": "lost", "key": phone.key}
        (lost,) = store.append(session, [store.Draft("key", None, extra={"key": key})])
        store.note_key(session, phone.key, "device", ended=lost.index)
    late = by_phone(phone, 1)
    report = verify()
    assert report.fault is not None and report.fault.index == late


def test_a_value_that_is_gone_is_a_note_and_one_that_was_erased_is_not(engine: Engine) -> None:
    grow(5)
    with write(ledger=True) as session:
        erase(session, [(2, "member")], "member-left")
    db.session.remove()
    report = verify()
    assert report.holds and report.notes == ()
    with engine.begin() as connection:
        salt, value = connection.execute(
            text("SELECT salt, value FROM ledger_commitment WHERE entry_index = 3")
        ).one()
        connection.execute(text("DELETE FROM ledger_commitment WHERE entry_index = 3"))
    report = verify()
    assert report.holds and len(report.notes) == 1 and "member of entry 3" in report.notes[0]
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO ledger_commitment (entry_index, name, salt, value) VALUES (2, 'member', :salt, :value)"),
            {"salt": salt, "value": value},
        )
    fault = verify().fault
    assert fault is not None and fault.index == 2


@pytest.mark.parametrize("size", [2**62, 10**6])
def test_a_size_that_is_far_too_large_ends_the_check_at_once(engine: Engine, size: int) -> None:
    if engine.dialect.name != "sqlite" and size > 2**31:
        pytest.skip("PostgreSQL's column does not take it")
    grow(3)
    with engine.begin() as connection:
        there = connection.execute(text("SELECT size FROM ledger_state")).scalar_one()
        connection.execute(text("UPDATE ledger_state SET size = :size"), {"size": size})
    fault = verify().fault
    assert fault is not None and fault.index == there


def test_kept_checkpoints_cosignatures_and_stamps_hold_through_a_rotation(engine: Engine) -> None:
    grow(5)
    keep_all()
    rotation.begin()
    grow(2)
    with write() as session:
        store.keep_checkpoint(session)
    rotation.finish()
    grow(2)
    with write() as session:
        store.keep_checkpoint(session)
    db.session.remove()
    assert verify().holds


def test_a_guard_that_was_switched_off_or_hollowed_out_is_noticed(engine: Engine) -> None:
    grow(1)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER ledger_entry_no_delete"))
            connection.execute(
                text("CREATE TRIGGER ledger_entry_no_delete BEFORE DELETE ON ledger_entry BEGIN SELECT 1; END")
            )
        else:
            connection.execute(text("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_append_only"))
    fault = verify().fault
    assert fault is not None and "trigger" in fault.what


def test_the_command_gives_one_json_object_and_its_exit_status(app: Flask, engine: Engine) -> None:
    grow(3)
    runner = app.test_cli_runner()
    good = runner.invoke(args=["ledger", "verify", "--json", "--jobs", "1", "--afresh"])
    told = json.loads(good.output)
    assert good.exit_code == 0
    assert set(told) == {"entries", "root", "holds", "first_bad", "what", "notes", "seconds"}
    assert (told["holds"], told["first_bad"], told["what"]) == (True, None, None)
    assert told["entries"] == store.ensure_born().size
    db.session.remove()
    spoil(engine, 2)
    bad = runner.invoke(args=["ledger", "verify", "--json"])
    told = json.loads(bad.output)
    assert bad.exit_code == 1 and (told["holds"], told["first_bad"]) == (False, 2) and told["what"]


def test_a_database_that_cannot_be_read_gives_no_verdict_and_exit_status_2(app: Flask, settings: Settings) -> None:
    if settings.database_url.startswith("postgresql"):
        pytest.skip("PostgreSQL's files are not ours to damage")
    grow(20)
    with db.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        page = connection.execute(text("SELECT rootpage FROM sqlite_master WHERE name = 'ledger_node'")).scalar_one()
        each = connection.execute(text("PRAGMA page_size")).scalar_one()
    db.session.remove()
    db.engine.dispose()
    with (settings.instance / "soi.db").open("r+b") as file:
        file.seek((page - 1) * each)
        file.write(os.urandom(each))
    result = app.test_cli_runner().invoke(args=["ledger", "verify", "--json"])
    assert result.exit_code == 2 and "could not be checked" in result.stderr and result.stdout == ""
    with pytest.raises(CouldNotCheck):
        check(jobs=1)


def test_a_database_on_a_disk_that_is_read_only_can_be_checked(app: Flask, settings: Settings, tmp_path: Path) -> None:
    if settings.database_url.startswith("postgresql"):
        pytest.skip("a file's matter")
    grow(3)
    with db.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    db.session.remove()
    db.engine.dispose()
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "soi.db").write_bytes((settings.instance / "soi.db").read_bytes())
    # Nothing can be made beside it: the names that SQLite would use are taken by folders.
    for beside in ("soi.db-shm", "soi.db-journal"):
        (alone / beside).mkdir()
    raw = Source("sqlite", str(alone / "soi.db")).open()
    assert run(raw).holds
    raw.close()


def test_the_pace_counts_what_this_check_did_itself() -> None:
    pace = Pace()
    assert pace.line(2000, 10_000, 1) == "2,000 of 10,000 entries"
    assert pace.line(4000, 10_000, 2) == "4,000 of 10,000 entries, 1,000 a second, 0:06 left"


def test_a_worker_ends_when_its_parent_is_gone(engine: Engine) -> None:
    grow(5 * CHUNK, batches=1)
    pid = os.fork()
    if pid == 0:
        try:
            audit(engine, jobs=2, tell=lambda _done, _total: signal.pause())
        finally:
            os._exit(0)
    parent = psutil.Process(pid)
    workers: list[psutil.Process] = []
    try:
        while len(workers) < 2:
            workers = workers_of(parent)
    finally:
        parent.kill()
        os.waitpid(pid, 0)
    gone, alive = psutil.wait_procs(workers, timeout=20)
    assert len(gone) == 2 and not alive
