"""The stored log as its database gives it: read only, and past every layer of ours that could mend what it reads."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
PATIENCE = 20
"""Seconds that SQLite waits for a writer who holds the whole file."""


class CouldNotCheck(Exception):
    """The stored log could not be read, or not to its end: whether it holds is not known."""


@dataclass(frozen=True)
class Source:
    """Where the log is stored: a SQLite file's path, or a PostgreSQL connection string."""

    dialect: str
    address: str = field(repr=False)

    def open(self) -> "Raw":
        """A connection of one's own. Raises CouldNotCheck."""
        return _open_sqlite(self.address) if self.dialect == SQLITE else _open_postgresql(self.address)


class Raw:
    """A connection that only reads. Every trouble of the database becomes CouldNotCheck."""

    def __init__(self, connection: Any, dialect: str) -> None:
        self._connection = connection
        self.dialect = dialect
        self._troubles: tuple[type[Exception], ...] = (sqlite3.Error, UnicodeError, OverflowError)
        if dialect == SQLITE:
            self.take_any_text(True)
        else:
            import psycopg

            self._troubles = (psycopg.Error,)

    def take_any_text(self, yes: bool) -> None:
        """Whether text that is no UTF-8 is given too, with surrogates; else it is a trouble, which is told sooner."""
        if self.dialect == SQLITE:
            self._connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape") if yes else str

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query. Values stand as `?` in it."""
        try:
            return list(self._asked(sql, values).fetchall())
        except self._troubles as error:
            raise CouldNotCheck(f"the database cannot be read: {error}") from error

    def each(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """The rows of a query one by one."""
        try:
            yield from self._asked(sql, values)
        except self._troubles as error:
            raise CouldNotCheck(f"the database cannot be read: {error}") from error

    def _asked(self, sql: str, values: tuple[object, ...]) -> Any:
        if self.dialect != SQLITE:
            sql = sql.replace("?", "%s")
        return self._connection.execute(sql, values) if values else self._connection.execute(sql)

    def one(self, sql: str, *values: object) -> Any:
        """The one value of a query that gives one row, None where it gives none."""
        rows = self.rows(sql, *values)
        return rows[0][0] if rows else None

    def moment(self, column: str) -> str:
        """The expression that gives a moment as `YYYY-MM-DD HH:MM:SS.ffffff`, in UTC."""
        if self.dialect == SQLITE:
            return column
        return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read within is of one instant."""
        begin = "BEGIN" if self.dialect == SQLITE else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        try:
            self._connection.execute(begin)
        except self._troubles as error:
            raise CouldNotCheck(f"the database cannot be read: {error}") from error
        try:
            yield
        finally:
            # A connection that broke has no transaction left to end.
            if self.dialect != SQLITE or self._connection.in_transaction:
                self._rollback()

    def _rollback(self) -> None:
        try:
            self._connection.execute("ROLLBACK")
        except self._troubles as error:
            raise CouldNotCheck(f"the database cannot be read: {error}") from error

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def _open_sqlite(path: str) -> Raw:
    if not Path(path).is_file():
        raise CouldNotCheck(f"there is no database at {path}")
    # On a disk that is read only SQLite cannot make the file through which readers and writers of a database agree;
    # then nobody writes there either, and what no write-ahead log follows can be read as it lies.
    ways = ["mode=ro", "immutable=1"]
    wal = Path(f"{path}-wal")
    if wal.exists() and wal.stat().st_size:
        ways.pop()
    trouble: Exception | None = None
    for way in ways:
        try:
            connection = sqlite3.connect(
                f"file:{quote(str(Path(path).absolute()))}?{way}", uri=True, isolation_level=None, timeout=PATIENCE
            )
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return Raw(connection, SQLITE)
        except (sqlite3.Error, UnicodeError) as error:
            trouble = error
    raise CouldNotCheck(f"the database at {path} cannot be read: {trouble}")


def _open_postgresql(address: str) -> Raw:
    import psycopg

    try:
        return Raw(psycopg.connect(address, autocommit=True), POSTGRESQL)
    except psycopg.Error as error:
        raise CouldNotCheck(f"the database cannot be reached: {error}") from error
