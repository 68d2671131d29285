"""Whoever changes the stored ledger is found out, whatever they change; and the database itself refuses first."""

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from tests.support.audit import careless, keep_all, take_guards_away
from tests.support.village import Village
from trace.ledger import rotation
from trace.ledger.erasure import erase
from trace.ledger.models import (
    APPEND_ONLY,
    Anchor,
    Commitment,
    Cosignature,
    Erasure,
    KeptCheckpoint,
    LedgerEntry,
    LedgerKey,
    LedgerState,
)
from trace.ledger.verify import verify
from village.db import db, write
from village.settings import Settings

APPEND_ONLY_NAMES = [model.__tablename__ for model in APPEND_ONLY]
KEPT_NAMES = [model.__tablename__ for model in (KeptCheckpoint, Cosignature, Anchor, Erasure, LedgerKey)]
TABLES = [*APPEND_ONLY_NAMES, Commitment.__tablename__, LedgerState.__tablename__, *KEPT_NAMES]
UNPROVEN = {
    ("ledger_state", "halted"), ("ledger_checkpoint", "kept_at"), ("ledger_anchor", "authority"),
    ("ledger_anchor", "token"), ("ledger_erasure", "erased_at"),
}  # fmt: skip
"""Columns that nothing on the log speaks of; and a stamp, whose own signature `openssl ts` checks."""
KEYS = {
    "ledger_entry": ("index",),
    "ledger_link": ("batch", "seq"),
    "ledger_node": ("level", "position"),
    "ledger_commitment": ("entry_index", "name"),
    "ledger_state": ("id",),
    "ledger_checkpoint": ("size",),
    "ledger_cosignature": ("size", "key_id", "name"),
    "ledger_anchor": ("size", "authority"),
    "ledger_erasure": ("entry_index", "name"),
    "ledger_key": ("key",),
}


@pytest.fixture
def raw(app: Flask, settings: Settings, village: Village) -> Iterator[Engine]:
    """A small log, and the database as a program sees it that is not ours."""
    village.packs(20)
    db.session.remove()
    engine = create_engine(settings.database_url)
    yield engine
    engine.dispose()


def _changed(value: Any, chance: random.Random) -> Any:
    """`value` with one byte of it changed."""
    match value:
        case bytes() if value:
            at = chance.randrange(len(value))
            return value[:at] + bytes([value[at] ^ 1 << chance.randrange(8)]) + value[at + 1 :]
        case str() if value:
            at = chance.randrange(len(value))
            return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
        case int():
            return value + 1000
        case dt.datetime():
            return value + dt.timedelta(milliseconds=1)
        case _:
            return b"x" if value == b"" else "x"


def _put(connection: Connection, table: str, row: dict[str, Any], column: str, value: Any, key: dict[str, Any]) -> None:
    where = " AND ".join(f'"{name}" = :key_{name}' for name in KEYS[table])
    connection.execute(
        text(f'UPDATE {table} SET "{column}" = :value WHERE {where}'),
        {"value": value, **{f"key_{name}": key.get(name, row[name]) for name in KEYS[table]}},
    )


def _entry_at_fault(table: str, row: dict[str, Any], column: str, value: Any) -> int | None:
    """The entry that a change of `row` must be found at; None for the log as a whole."""
    if (table, column) == ("ledger_commitment", "entry_index"):
        return int(value)  # values may be erased, so the entry that it was of misses nothing
    match table:
        case "ledger_entry":
            return int(row["index"])
        case "ledger_node":
            return int((row["position"] + 1) * 2 ** row["level"] - 1)
        case "ledger_state" | "ledger_checkpoint" | "ledger_cosignature" | "ledger_anchor" | "ledger_key":
            return None
        case "ledger_erasure":
            # Either the entry that was erased from, or the one that says so, is no longer what it was.
            return None
        case _:
            return int(row["entry_index"])


@pytest.mark.parametrize("table", TABLES)
def test_any_value_changed_in_any_row_is_found_and_named(raw: Engine, table: str) -> None:
    chance = random.Random(table)
    if table in KEPT_NAMES:
        rotation.begin()
        with write(ledger=True) as session:
            erase(session, [(2, "member")], "member-left")
        rotation.finish()
        keep_all()
    assert verify().holds
    with raw.begin() as connection:
        take_guards_away(connection)
        rows = [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]
        columns = [column["name"] for column in inspect(connection).get_columns(table)]
    found = verify().fault
    assert found is not None and "trigger" in found.what
    unseen: list[str] = []
    tried = 0
    for row in rows:
        for column in columns:
            if (table, column) in UNPROVEN:
                continue
            value = _changed(row[column], chance)
            try:
                with raw.begin() as connection:
                    careless(connection)
                    _put(connection, table, row, column, value, {})
            except (IntegrityError, DataError):
                continue  # the database itself refuses such a row
            tried += 1
            fault = verify().fault
            expected = _entry_at_fault(table, row, column, value)
            if fault is None or "trigger" in fault.what or (expected is not None and fault.index != expected):
                unseen.append(f"{table}.{column} {row[column]!r} -> {value!r}: {fault}")
            with raw.begin() as connection:
                careless(connection)
                _put(connection, table, row, column, row[column], {column: value})
    assert unseen == []
    assert tried >= len(rows) * (len(columns) - 2) > 0
    found = verify().fault
    assert found is not None and "trigger" in found.what, "everything was put back"


def test_bytes_all_over_an_entry_count(raw: Engine) -> None:
    with raw.begin() as connection:
        take_guards_away(connection)
        body = bytes(connection.execute(text('SELECT body FROM ledger_entry WHERE "index" = 3')).scalar_one())
    for at in range(0, len(body), 20):
        for other in (body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :], body[:at] + body[at + 1 :]):
            with raw.begin() as connection:
                connection.execute(text('UPDATE ledger_entry SET body = :body WHERE "index" = 3'), {"body": other})
            fault = verify().fault
            assert fault is not None and fault.index == 3, at


def test_an_entry_taken_away_is_missed(raw: Engine) -> None:
    with raw.begin() as connection:
        take_guards_away(connection)
        careless(connection)
        connection.execute(text('DELETE FROM ledger_entry WHERE "index" = 4'))
    fault = verify().fault
    assert fault is not None and fault.index == 4 and "missing" in fault.what


def test_the_newest_entry_taken_away_is_missed(raw: Engine) -> None:
    with raw.begin() as connection:
        take_guards_away(connection)
        careless(connection)
        last = connection.execute(text('SELECT max("index") FROM ledger_entry')).scalar_one()
        connection.execute(text('DELETE FROM ledger_entry WHERE "index" = :last'), {"last": last})
    fault = verify().fault
    assert fault is not None and fault.index == last


def test_the_command_says_which_entry_is_bad_and_fails(app: Flask, raw: Engine) -> None:
    runner = app.test_cli_runner()
    good = runner.invoke(args=["ledger", "verify"])
    assert good.exit_code == 0 and good.output.startswith("The ledger holds: 8 entries")
    with raw.begin() as connection:
        take_guards_away(connection)
        connection.execute(text("UPDATE ledger_entry SET body = :body WHERE \"index\" = 5"), {"body": b"{}"})
    bad = runner.invoke(args=["ledger", "verify"])
    assert bad.exit_code == 1
    assert bad.output.splitlines()[-1].startswith("THE LEDGER DOES NOT HOLD. First fault: entry 5: ")


@pytest.mark.parametrize("table", APPEND_ONLY_NAMES)
def test_the_database_refuses_to_change_the_ledger(raw: Engine, table: str) -> None:
    column = KEYS[table][0]
    wanted = [f'UPDATE {table} SET "{column}" = "{column}"', f"DELETE FROM {table}"]
    if raw.dialect.name == "postgresql":
        wanted.append(f"TRUNCATE {table} CASCADE")
    for statement in wanted:
        with pytest.raises(DBAPIError, match="only added to"), raw.begin() as connection:
            connection.execute(text(statement))
    assert verify().holds


def test_a_guard_taken_away_is_noticed(raw: Engine) -> None:
    with raw.begin() as connection:
        name = LedgerEntry.__tablename__
        on = "" if raw.dialect.name == "sqlite" else f" ON {name}"
        guard = f"{name}_no_update" if raw.dialect.name == "sqlite" else f"{name}_append_only"
        connection.execute(text(f"DROP TRIGGER {guard}{on}"))
    fault = verify().fault
    assert fault is not None and "trigger" in fault.what
