"""The database: SQLite for one village on one box, PostgreSQL past it. Both give the same promises.

A function that takes a `session` works inside its caller's transaction; one that takes none owns its own.
Reading needs no ceremony: `db.session` begins by itself and is dropped with the request.
Writing goes through `write()`, which is the only place that commits.
"""

import datetime as dt
import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    DateTime,
    Dialect,
    Engine,
    Executable,
    FromClause,
    Insert,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    TypeDecorator,
    event,
    func,
    insert,
    make_url,
    select,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

T = TypeVar("T")
Id = Annotated[str, mapped_column(String(36))]
"""A UUID as text, lower case with dashes: the same in both databases and in JSON."""

WRITES = "soi_writes"
HOLDS_LEDGER = "soi_holds_ledger"
CONNECTION = "soi_connection"
LAST_ACTS = "soi_last_acts"
BEFORE_LEDGER = "soi.before_ledger"
"""In the app's extensions: what is called before a transaction waits for the ledger's lock, and may refuse it."""
LATER = "soi_later"
FILE = "soi_file"
"""In the info of one of SQLite's connections: its file's path, and which file that was."""
BUMPED = "soi_village_bumped"
"""Set in a session's info once its transaction changed the village's own rows (see `village.revision`)."""
AT_ONCE = 5_000
"""Values written into one query."""
COPIED = 20
"""So many rows of a table go in by PostgreSQL's COPY."""
LEDGER_LOCK = 0x501_1ED6E5
"""The key of PostgreSQL's advisory lock around everything that appends to the ledger."""


class Base(DeclarativeBase):
    """Base of all tables; names constraints so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


class Bytes(LargeBinary):
    """Bytes as they are. Both drivers take and give them; the library would wrap each value, which costs more than
    to store it."""

    def bind_processor(self, dialect: Dialect) -> None:
        """Nothing to do."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Nothing to do."""


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A moment, aware and in UTC on both sides. SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Refuse a moment without a zone; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Give UTC back."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


Moment = Annotated[dt.datetime, mapped_column(UtcDateTime)]


@contextmanager
def write(*, ledger: bool = False) -> Iterator[Session]:
    """One transaction that writes: all of it commits at the end of the block, or none.

    `ledger=True` when it appends to the ledger: on PostgreSQL that takes the log's advisory lock first, so that no
    two transactions can hold each other's rows and wait for the log. On SQLite every writer takes the one lock.
    What the session had read before is forgotten, so that nothing stale is written back.
    """
    session = db.session()
    if session.info.get(WRITES):
        raise RuntimeError("write() inside write(): pass the session on instead")
    session.close()
    for may_begin in current_app.extensions.get(BEFORE_LEDGER, ()) if ledger else ():
        may_begin()
    session.info[WRITES] = True
    try:
        with writers_turn(session.get_bind()):
            session.info[CONNECTION] = session.connection(execution_options={WRITES: True})
            if ledger and session.get_bind().dialect.name == "postgresql":
                session.execute(select(func.pg_advisory_xact_lock(LEDGER_LOCK)))
            session.info[HOLDS_LEDGER] = ledger
            try:
                yield session
                session.flush()
                insert_now(session)
                for act in session.info.get(LAST_ACTS, {}).values():
                    act(session)
                session.commit()
            except BaseException:
                # Before the next writer's turn: it would find the database locked.
                session.rollback()
                raise
            _committed.add()
    finally:
        session.info.clear()
        session.close()


def insert_later(session: Session, table: FromClause, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert these rows past the session, before the transaction of `write()` commits, with all others of their table.

    Whoever needs to read them, or to refer to them, within the transaction first calls `insert_now`.
    """
    if rows:
        session.info[LATER] = Kept(session.info.get(LATER), table, tuple(rows))


class Kept(NamedTuple):
    """Rows that were kept back. Each knows those before it: what a savepoint remembers of the session's info is not
    changed by what comes later, and nothing has to be copied for that."""

    before: "Kept | None"
    table: FromClause
    rows: tuple[Any, ...]


def kept_back(session: Session) -> list[Kept]:
    """What `insert_later` keeps back, in the order in which it came."""
    kept: list[Kept] = []
    last: Kept | None = session.info.get(LATER)
    while last is not None:
        kept.append(last)
        last = last.before
    return kept[::-1]


def insert_now(session: Session) -> None:
    """Insert what `insert_later` kept back: table by table, in the order in which they refer to each other."""
    if LATER not in session.info:
        return
    kept = kept_back(session)
    del session.info[LATER]
    together: dict[FromClause, list[Mapping[str, Any]]] = {}
    for _before, table, rows in kept:
        together.setdefault(table, []).extend(rows)
    for table in _in_order(len(Base.metadata.tables)):
        if found := together.get(table):
            _insert_rows(core(session), table, found)


@cache
def _in_order(_tables: int) -> tuple[Table, ...]:
    """All tables, in the order in which they refer to each other: sorting them costs more than a few inserts."""
    return tuple(Base.metadata.sorted_tables)


def _insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Whole rows go straight to the driver, in the library's own SQL: its work for each row costs more than SQLite's.
    Rows that leave a column to its default go the library's way."""
    if len(rows[0]) < len(table.columns):
        # One row alone goes as one: drivers make much ado about many.
        connection.execute(_insert_into(table), rows[0] if len(rows) == 1 else rows)
        return
    into = _raw_insert(table, connection.dialect.name, connection.dialect)
    if connection.dialect.name == "postgresql" and len(rows) >= COPIED:
        _copy(connection, into, rows)
        return
    values = into.values(rows)
    connection.exec_driver_sql(into.sql, values[0] if len(values) == 1 else values)


def _copy(connection: Connection, into: "_RawInsert", rows: Sequence[Mapping[str, Any]]) -> None:
    """PostgreSQL's COPY: a row costs a third of what it costs as an INSERT of its own."""
    driver: Any = connection.connection.driver_connection
    dialect: Any = connection.dialect
    try:
        with driver.cursor() as cursor, cursor.copy(into.copy) as copy:
            for row in zip(*into.columns(rows), strict=True):
                copy.write_row(row)
    except dialect.dbapi.Error as error:
        # The library's own name for it, as of every other statement.
        raise DBAPIError.instance(
            into.copy, None, error, dialect.dbapi.Error, hide_parameters=True, dialect=dialect
        ) from error


@cache
def _insert_into(table: Table) -> Insert:
    return insert(table)


class _RawInsert:
    """An INSERT as the driver takes it, with what each column's type does to a value on the way in."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        compiled = insert(table).compile(dialect=dialect, column_keys=[column.key for column in table.columns])
        self.sql = str(compiled)
        positions = getattr(compiled, "positiontup", None)
        self._by_name = not positions
        ways = {column.key: column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns}
        self._columns = [(key, ways[key]) for key in positions or ways]
        named = dialect.identifier_preparer
        places = ", ".join(named.format_column(table.columns[key]) for key, _way in self._columns)
        self.copy = f"COPY {named.format_table(table)} ({places}) FROM STDIN"

    def values(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Each row's values: a tuple where the driver counts its places, else by name."""
        columns = self.columns(rows)
        if not self._by_name:
            return list(zip(*columns, strict=True))
        names = [key for key, _way in self._columns]
        return [dict(zip(names, one, strict=True)) for one in zip(*columns, strict=True)]

    def columns(self, rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
        """The rows' values, column by column."""
        return [_column(rows, key, way) for key, way in self._columns]


def _column(rows: Sequence[Mapping[str, Any]], key: str, way: Callable[[Any], Any] | None) -> list[Any]:
    """What all rows have in common, such as the moment at which they came, is converted once."""
    told = [row[key] for row in rows]
    if way is None:
        return told
    first = told[0]
    return [way(first)] * len(told) if all(one is first for one in told) else list(map(way, told))


_raw_inserts: dict[tuple[Table, str], _RawInsert] = {}


def _raw_insert(table: Table, name: str, dialect: Dialect) -> _RawInsert:
    """Made once for a table and a kind of database; dialects of one kind do the same."""
    found = _raw_inserts.get((table, name))
    if found is None:
        found = _raw_inserts[table, name] = _RawInsert(table, dialect)
    return found


def read_once(statement: Executable, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """The rows of one query that needs no transaction around it, which on PostgreSQL would be two more round trips."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        return connection.execute(statement, values).all()


def before_commit(session: Session, name: str, act: Callable[[Session], None]) -> None:
    """Have `act` done once, under its `name`, just before the transaction of `write()` commits."""
    session.info[LAST_ACTS] = {**session.info.get(LAST_ACTS, {}), name: act}


@contextmanager
def part(session: Session) -> Iterator[None]:
    """A part of a transaction that stands or falls alone, with what it noted in the session's info.

    The savepoint is the database's own, past the library, whose bookkeeping costs more than the savepoint; so after a
    part that fell, the session forgets all its objects. Parts do not lie within each other.
    """
    before = dict(session.info)
    connection = core(session)
    connection.exec_driver_sql("SAVEPOINT soi_part")
    try:
        yield
        session.flush()
        connection.exec_driver_sql("RELEASE SAVEPOINT soi_part")
    except BaseException:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT soi_part")
        session.expunge_all()
        session.info.clear()
        session.info.update(before)
        raise


class _Committed:
    """How many transactions this process has committed."""

    def __init__(self) -> None:
        self.number = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        """One more."""
        with self._lock:
            self.number += 1


_committed = _Committed()


def commits_here() -> int:
    """Moves with every transaction that this process commits: what it wrote itself, it never shows as it was before."""
    return _committed.number


def in_parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """`rows` in pieces that one query's IN can take: a database allows some ten thousand parameters."""
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]


def core(session: Session) -> Connection:
    """The connection that `write()` holds, past the session: its bookkeeping for one statement costs more than SQLite
    needs to run it. For statements that touch no object which the session has changed and not yet flushed."""
    held: Connection | None = session.info.get(CONNECTION)
    return held if held is not None else session.connection()


@contextmanager
def writers_turn(engine: Engine | Connection) -> Iterator[None]:
    """Queue SQLite's writers, of all processes, on a blocking file lock: its own busy handler polls and starves."""
    path = engine.engine.url.database if engine.dialect.name == "sqlite" else None
    if not path or path == ":memory:":
        yield
        return
    fd = os.open(f"{path}.writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def init_app(app: Flask, url: str) -> None:
    """Bind the app to the database at `url` and teach SQLite its manners."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(url)
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _sqlite_connected)
            event.listen(db.engine, "checkout", _sqlite_still_there)
            event.listen(db.engine, "begin", _sqlite_begins)


def _engine_options(url: str) -> dict[str, Any]:
    # Parameters stay out of error texts, and so out of the log: they are names, notes and secrets.
    parts = make_url(url)
    if parts.drivername.startswith("sqlite"):
        if parts.database and parts.database != ":memory:":
            Path(parts.database).parent.mkdir(parents=True, exist_ok=True)
        return {"pool_size": 20, "max_overflow": 20, "hide_parameters": True}
    return {"pool_size": 10, "max_overflow": 10, "hide_parameters": True}


def _sqlite_connected(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    try:
        _prepare(connection, record)
    except sqlite3.Error:
        # Nobody else would, and its lock on the file would stand in the next one's way.
        connection.close()
        raise


def _prepare(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    # The driver's own transactions leave SELECTs outside of them, which forks chains; BEGIN is ours to say.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout = 20000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What was erased is overwritten, and does not lie on in a free page.
    connection.execute("PRAGMA secure_delete = ON")
    path: str = connection.execute("PRAGMA database_list").fetchone()[2]
    record.info[FILE] = (path, _identity(path)) if path else None


def _sqlite_still_there(_connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Let go of a connection whose file was put away, as by a backup in its place: what it would write is lost."""
    kept = record.info.get(FILE)
    if kept is not None and _identity(kept[0]) != kept[1]:
        raise DisconnectionError("the database's file is another one now")


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _sqlite_begins(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
