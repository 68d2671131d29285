"""Hands that scan: addresses of lots, and a pencil for raw SQL that goes past every guard."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import Connection

from trace.gs1.digital_link import DigitalLink
from trace.ledger.models import APPEND_ONLY
from trace.lots.models import Batch
from village.db import db


def address(batch: Batch) -> str:
    """Where the batch's label leads."""
    return DigitalLink(batch.gtin, lot=batch.lot).path


def tamper(statement: str, **values: Any) -> int:
    """Run raw SQL with the ledger's triggers gone; how many rows it changed."""
    db.session.remove()
    with db.engine.begin() as connection:
        for model in APPEND_ONLY:
            _unguard(connection, model.__tablename__)
        return connection.execute(text(statement), values).rowcount


def _unguard(connection: Connection, table: str) -> None:
    if connection.dialect.name == "sqlite":
        for verb in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{verb}"))
    else:
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that runs meanwhile, but for BEGIN."""
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
