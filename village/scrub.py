"""Wiping what was erased off the disk as well, as far as a program can.

A database that deletes a row mostly marks its place as free; the bytes lie on until something else is written there.
Backups, and the blocks that a drive gave up, are beyond this: see docs/erasure.md.
"""

import logging
import sqlite3

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from village.db import Base, db, writers_turn

REWRITE_MAX = 128 * 2**20
"""Bytes up to which a file or table is written anew at once, in a second or two; a larger one waits for the night."""
PATIENCE = 2000
"""Milliseconds to wait for readers."""

log = logging.getLogger(__name__)


def scrub(*tables: type[Base]) -> bool:
    """Wipe what was deleted from or overwritten in `tables`. To be called outside of a transaction, after it committed.

    False, and a line in the log, when readers stood in the way or it is too large to be done by the way: what was
    erased is then erased for everybody who asks the database, and lies in the file for a while yet.
    """
    engine = db.engine
    try:
        done = _scrub_sqlite() if engine.dialect.name == "sqlite" else _scrub_postgresql(tables)
    except (SQLAlchemyError, sqlite3.Error) as error:
        log.warning("erased values may lie in the database's files yet: %s", error)
        return False
    if not done:
        log.warning("erased values may lie in the database's files yet: see docs/erasure.md")
    return done


def _scrub_sqlite() -> bool:
    """`secure_delete` zeroes what is deleted; copies that page splits left behind go with a VACUUM, the
    write-ahead log's with a checkpoint that empties it."""
    connection = db.engine.raw_connection()
    try:
        driver = connection.driver_connection
        assert driver is not None
        with writers_turn(db.engine):
            (patience,) = driver.execute("PRAGMA busy_timeout").fetchone()
            driver.execute(f"PRAGMA busy_timeout = {PATIENCE}")
            try:
                (pages,) = driver.execute("PRAGMA page_count").fetchone()
                (page_size,) = driver.execute("PRAGMA page_size").fetchone()
                small = pages * page_size <= REWRITE_MAX
                if small:
                    driver.execute("VACUUM")
                busy, _frames, _done = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                driver.execute(f"PRAGMA busy_timeout = {patience}")
    finally:
        connection.close()
    return small and not busy


def _scrub_postgresql(tables: tuple[type[Base], ...]) -> bool:
    """A dead row lies in its page until VACUUM, and its bytes until the page is written over: so small tables are
    written anew."""
    whole = True
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"SET lock_timeout = {PATIENCE}"))
        try:
            for table in tables:
                name = table.__tablename__
                size = connection.execute(text("SELECT pg_total_relation_size(:name)"), {"name": name}).scalar_one()
                small = size <= REWRITE_MAX
                connection.execute(text(f'VACUUM {"(FULL)" if small else ""} "{name}"'))
                whole = whole and small
        finally:
            connection.execute(text("RESET lock_timeout"))
    return whole
