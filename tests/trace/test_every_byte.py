"""A flip of any single byte of a small database, or of the published files, is found or lies outside of the ledger.

"Outside" is shown, not claimed: every row of the ledger is read back by table scan and by every index, and is the same.
"""

import io
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from tests.conftest import settings_for
from tests.support.audit import WITNESS, by_phone, keep_all, known
from tests.support.phone import Phone
from tests.support.soak import times
from trace.ledger import store
from trace.ledger.audit.raw import CouldNotCheck, Raw
from trace.ledger.audit.run import Report, run
from trace.ledger.erasure import erase
from trace.ledger.export import export
from trace.verifier import soi_verify
from village.db import Base, db, write
from wsgi import create_app

pytestmark = pytest.mark.slow_once
SHARDS = 8
PAGE = 512
BESIDE = {"ledger_evidence", "ledger_check", "ledger_witness"}
"""Tables that tell of others or of checks, and that nothing on the log speaks of."""
UNPROVEN = {
    "ledger_state": {"halted"}, "ledger_checkpoint": {"kept_at"}, "ledger_anchor": {"authority", "token"},
    "ledger_erasure": {"erased_at"},
}  # fmt: skip
"""As in test_verify.py."""


@dataclass(frozen=True)
class Small:
    """A log of a few entries of every kind: its database of ledger tables only, and its published files."""

    database: bytes
    folder: Path
    policy: Path


@pytest.fixture(scope="module")
def small(template: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    home = tmp_path_factory.mktemp("small")
    shutil.copytree(template[1], home / "instance", ignore=shutil.ignore_patterns("*-wal", "*-shm", "*.writer"))
    app = create_app(settings_for(f"sqlite:///{home / 'instance' / 'soi.db'}", home / "instance"))
    with app.app_context():
        yield _made(app, home)
        db.session.remove()
        db.engine.dispose()


def _made(app: Flask, home: Path) -> Small:
    with write(ledger=True) as session:
        draft = store.Draft("event", {"a": 1.5}, ("https://id.gs1.org/01/09506000000016/10/L1",), {"member": "An"})
        store.append(session, [draft])
    by_phone(known(Phone()), 1)
    with write(ledger=True) as session:
        store.append(session, [store.Draft("event", {"a": 2}, draft.batches, {"note": "b"})])
        erase(session, [(1, "member")], "member-left")
    keep_all()
    export(home / "log")
    policy = home / "policy"
    policy.write_text(f"log {store.ensure_born().vkey}\nwitness w {WITNESS.verifier.vkey}\nquorum w\n")
    with db.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    db.session.remove()
    return Small(_only_the_ledger(home / "instance" / "soi.db"), home / "log", policy)


def _only_the_ledger(path: Path) -> bytes:
    """The ledger's tables of a database, packed into small pages."""
    target = sqlite3.connect(":memory:", isolation_level=None)
    target.execute(f"PRAGMA page_size = {PAGE}")
    target.execute("ATTACH ? AS whole", (str(path),))
    rows = target.execute(
        "SELECT type, name, sql FROM whole.sqlite_master WHERE tbl_name LIKE 'ledger%' AND sql IS NOT NULL"
    ).fetchall()
    for kind in ("table", "index", "trigger"):
        for _, name, sql in (row for row in rows if row[0] == kind):
            target.execute(sql)
            if kind == "table":
                target.execute(f"INSERT INTO main.{name} SELECT * FROM whole.{name}")
    target.execute("DETACH whole")
    target.execute("VACUUM")
    return bytes(target.serialize())


def opened(data: bytes) -> Raw:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.deserialize(data)
    return Raw(connection, "sqlite")


def dump(raw: Raw) -> list[Any]:
    """Everything that the ledger's tables hold, as every way of reading them gives it."""
    found: list[Any] = []
    for name in sorted(name for name in Base.metadata.tables if name.startswith("ledger_") and name not in BESIDE):
        columns = [column.name for column in Base.metadata.tables[name].columns]
        wanted = ", ".join(f'"{column}"' for column in columns if column not in UNPROVEN.get(name, ()))
        found.append((name, raw.rows(f'SELECT {wanted} FROM "{name}" NOT INDEXED')))
        for index in sorted(row[1] for row in raw.rows(f'PRAGMA index_list("{name}")')):
            keys = ", ".join(f'"{row[2]}"' for row in raw.rows(f'PRAGMA index_info("{index}")'))
            found.append(raw.rows(f'SELECT {keys}, {wanted} FROM "{name}" INDEXED BY "{index}" ORDER BY {keys}'))
    return found


def look(data: bytes) -> Report | None:
    """What the check says; None when it cannot read the database."""
    try:
        raw = opened(data)
        try:
            return run(raw)
        finally:
            raw.close()
    except CouldNotCheck:
        return None


def read_back(data: bytes) -> list[Any] | None:
    try:
        raw = opened(data)
        try:
            return dump(raw)
        finally:
            raw.close()
    except CouldNotCheck:
        return None


def flips(data: bytes, shard: int) -> Iterator[tuple[int, bytes]]:
    """Each byte of the shard's part, changed to another; in the suite every tenth of them."""
    chance = random.Random(shard)
    for at in range(shard, len(data), SHARDS * (10 if times(1) == 1 else 1)):
        for _ in range(times(1)):
            yield at, data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :]


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_flip_of_any_byte_of_the_database_is_found_or_lies_outside_of_the_ledger(small: Small, shard: int) -> None:
    good, kept = look(small.database), read_back(small.database)
    assert good is not None and good.holds and good.notes == () and kept is not None
    outside, found, unreadable, unseen = 0, 0, 0, []
    for at, data in flips(small.database, shard):
        again = read_back(data)
        if again == kept:
            outside += 1
            continue
        report = look(data)
        if report is None:
            unreadable += 1
        elif report.holds:
            unseen.append((at, [(was, now) for was, now in zip(kept, again or [], strict=False) if was != now]))
        else:
            found += 1
    assert unseen == []
    assert found > 40 and unreadable and outside, (found, unreadable, outside)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_flip_of_any_byte_of_the_published_log_is_found(small: Small, shard: int, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    shutil.copytree(small.folder, folder)
    assert published_holds(folder, small.policy)
    paths = [folder / "checkpoint", *(folder / "checkpoints").iterdir(), *(folder / "tile").rglob("*")]
    unseen, tried = [], 0
    for path in (path for path in paths if path.is_file()):
        data = path.read_bytes()
        for at, changed in flips(data, shard):
            path.write_bytes(changed)
            tried += 1
            if published_holds(folder, small.policy):
                unseen.append((path.name, at))
        path.write_bytes(data)
    assert unseen == [] and tried > 10
    assert published_holds(folder, small.policy)


def published_holds(folder: Path, policy: Path) -> bool:
    """What the standalone verifier says of the whole log, and of each kept checkpoint beside it."""
    (kept,) = (folder / "checkpoints").iterdir()
    asked = (
        ["log", folder, "--policy", policy, "--quiet"],
        ["consistency", kept, folder / "checkpoint", "--from", folder, "--policy", policy, "--quiet"],
    )
    with redirect_stdout(io.StringIO()):
        return all(soi_verify.main([str(one) for one in arguments]) == 0 for arguments in asked)
