"""Whether the database itself can be relied on: no batch has two chains, nothing is damaged, and the guards stand."""

import re
from collections.abc import Iterator

from trace.ledger.audit.chunk import Fault
from trace.ledger.audit.raw import SQLITE, Raw
from trace.ledger.models import APPEND_ONLY, KEPT, PG_REFUSE, guards
from village.db import Base

_LEDGER = (
    "ledger_entry", "ledger_link", "ledger_node", "ledger_state", "ledger_key", "ledger_checkpoint",
    "ledger_cosignature", "ledger_anchor", "ledger_erasure", "ledger_commitment",
)  # fmt: skip


def check_structure(raw: Raw) -> tuple[Fault, ...]:
    """Whether a batch's chain forks, whether the database is whole, and whether the guards stand."""
    with raw.snapshot():
        _columns(raw)
        return (*_forks(raw), *_damage(raw), *_guards(raw))


def _forks(raw: Raw) -> Iterator[Fault]:
    twice = raw.rows("SELECT batch, seq FROM ledger_link GROUP BY batch, seq HAVING count(*) > 1")
    for batch, seq in twice:
        rows = raw.rows(
            "SELECT entry_index FROM ledger_link WHERE batch = ? AND seq = ? ORDER BY entry_index", batch, seq
        )
        yield Fault(rows[1][0] if len(rows) > 1 else None, f"a second entry is number {seq} of {batch}")


def _columns(raw: Raw) -> None:
    """Read every column of every table of the ledger once: a table that lost one cannot be read, and is not checked."""
    for name in _LEDGER:
        columns = ", ".join(f'"{column.name}"' for column in Base.metadata.tables[name].columns)
        raw.rows(f"SELECT {columns} FROM {name} LIMIT 1")


def _damage(raw: Raw) -> Iterator[Fault]:
    """SQLite's own look at its tables and their indexes: an index that leads elsewhere hides rows from whoever asks."""
    if raw.dialect != SQLITE:
        return
    for table in _LEDGER:
        said = [row[0] for row in raw.rows(f"PRAGMA integrity_check({table})")]
        made = Base.metadata.tables[table]
        # A whole number that is the key alone is SQLite's row number, and needs no index.
        by_row = [column.type.python_type for column in made.primary_key] == [int]
        if len(raw.rows(f"PRAGMA index_list({table})")) != len(made.indexes) + (not by_row):
            yield Fault(None, f"an index of the table {table} is gone")
        if said != ["ok"]:
            yield Fault(None, f"SQLite finds its table {table} damaged: {'; '.join(map(str, said[:3]))}")


def _guards(raw: Raw) -> Iterator[Fault]:
    """The triggers must be there: whoever took them away meant to change something."""
    there = _sqlite_guards(raw) if raw.dialect == SQLITE else _postgresql_guards(raw)
    for model in (*APPEND_ONLY, *KEPT):
        table = model.__table__
        keys = [column.name for column in table.primary_key]
        for statement in guards(model.__tablename__, raw.dialect, keys):
            if (made := re.match(r"\s*CREATE TRIGGER (\w+)", statement)) and there.get(made[1]) != _plain(statement):
                yield Fault(None, f"the trigger {made[1]} that guards {model.__tablename__} is gone, or was changed")


def _sqlite_guards(raw: Raw) -> dict[str, str]:
    rows = raw.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {name: _plain(sql) for name, sql in rows if isinstance(sql, str)}


def _postgresql_guards(raw: Raw) -> dict[str, str]:
    """Those that are switched on and still call the function that refuses."""
    rows = raw.rows(
        "SELECT t.tgname, pg_get_triggerdef(t.oid), p.prosrc FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = t.tgrelid AND pg_table_is_visible(c.oid) "
        "JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgenabled IN ('O', 'A')"
    )
    refuses = PG_REFUSE.split("$$")[1]
    # PostgreSQL names the schema, and the verbs in an order of its own.
    return {
        name: _plain(statement.replace(" ON public.", " ON ").replace("DELETE OR UPDATE", "UPDATE OR DELETE"))
        for name, statement, source in rows
        if source == refuses
    }


def _plain(statement: str) -> str:
    return " ".join(statement.split())
