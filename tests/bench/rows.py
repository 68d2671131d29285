"""The rows that livestreams left behind, as a bare driver would put them in again, call by call."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Table, cast, select
from sqlalchemy.types import Text

from shop.live.models import LiveClaim, LiveComment, LiveDecision, LiveHold, LiveOffer, LiveWait
from shop.orders.models import Allocation, Order, OrderLine, OrderStep
from village.db import db

Insert = tuple[str, Sequence[tuple[Any, ...]]]


@dataclass(frozen=True)
class Call:
    """What one call of so many comments put in."""

    comments: int
    inserts: Sequence[Insert]


def calls_of(sessions: Sequence[str], size: int) -> list[Call]:
    """All rows of these livestreams, as evenly shared out to calls of `size` comments as they were made."""
    tables = {table: _rows(table, which) for table, which in _of(sessions)}
    comments = len(tables[_table(LiveComment)])
    count = max(1, comments // size)
    parts = {
        table: [rows[len(rows) * at // count : len(rows) * (at + 1) // count] for at in range(count)]
        for table, rows in tables.items()
    }
    return [
        Call(size, [(_insert(table), shares[at]) for table, shares in parts.items() if shares[at]])
        for at in range(count)
    ]


def make_tables(instance: Path) -> None:
    """Tables of the same shape with the same indexes, without what they refer to."""
    tables = [table for table, _which in _of(())]
    if db.engine.dialect.name == "sqlite":
        names = ", ".join(f"'{table.name}'" for table in tables)
        with db.engine.connect() as connection:
            made = connection.exec_driver_sql(
                f"SELECT sql FROM sqlite_master WHERE tbl_name IN ({names}) AND sql IS NOT NULL ORDER BY type DESC"
            )
            statements = [row[0] for row in made]
        (instance / "bare.db").unlink(missing_ok=True)
        bare = sqlite3.connect(instance / "bare.db")
        for statement in statements:
            bare.execute(statement)
        bare.close()
        return
    with db.engine.connect() as connection:
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS bare CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA bare")
        for table in tables:
            connection.exec_driver_sql(f"CREATE TABLE bare.{table.name} (LIKE public.{table.name} INCLUDING ALL)")
        connection.commit()


def _of(sessions: Sequence[str]) -> list[tuple[Table, ColumnElement[bool]]]:
    orders = select(Order.id).where(Order.live_session_id.in_(sessions))
    lines = select(OrderLine.id).where(OrderLine.order_id.in_(orders))
    waits = select(LiveWait.id).where(LiveWait.session_id.in_(sessions))
    return [
        (_table(LiveComment), LiveComment.session_id.in_(sessions)),
        (_table(LiveDecision), LiveDecision.session_id.in_(sessions)),
        (_table(LiveWait), LiveWait.session_id.in_(sessions)),
        (_table(LiveOffer), LiveOffer.wait_id.in_(waits)),
        (_table(LiveClaim), LiveClaim.session_id.in_(sessions)),
        (_table(LiveHold), LiveHold.order_id.in_(orders)),
        (_table(Order), Order.live_session_id.in_(sessions)),
        (_table(OrderLine), OrderLine.order_id.in_(orders)),
        (_table(OrderStep), OrderStep.order_id.in_(orders)),
        (_table(Allocation), Allocation.order_line_id.in_(lines)),
    ]


def _rows(table: Table, which: ColumnElement[bool]) -> list[tuple[Any, ...]]:
    """As the driver has them: SQLite's own values, PostgreSQL's as text, which it takes for any type."""
    sqlite = db.engine.dialect.name == "sqlite"
    columns = [column if sqlite else cast(column, Text) for column in table.columns]
    query = select(*columns).where(which)
    compiled = str(query.compile(db.engine, compile_kwargs={"literal_binds": True}))
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(compiled)]


def _insert(table: Table) -> str:
    sqlite = db.engine.dialect.name == "sqlite"
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    places = ", ".join("?" if sqlite else "%s" for _ in table.columns)
    return f"INSERT INTO {'' if sqlite else 'bare.'}{table.name} ({names}) VALUES ({places})"


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table
