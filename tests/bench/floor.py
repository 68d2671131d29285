"""The floor under an append: the same rows' weight put into a bare SQLite, several writers to a commit.

No ledger, no hashing, no signature, no SQLAlchemy: what is left is the disk, SQLite, and handing the lock on.
"""

import fcntl
import os
import sqlite3
import threading
from pathlib import Path

WEIGHT = 1300
"""Bytes of one entry of `entries.draft`."""


class Floor:
    """Writers of one process; `append` returns when its row is on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._waiting: list[threading.Event] = []
        self._led = False
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY, body BLOB)")

    def append(self) -> None:
        """Put one row down, perhaps with others."""
        mine = threading.Event()
        with self._lock:
            self._waiting.append(mine)
            leads, self._led = not self._led, True
        if leads:
            self._lead()
        mine.wait()

    def _lead(self) -> None:
        while True:
            fd = os.open(f"{self._path}.writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                with self._lock:
                    together, self._waiting = self._waiting, []
                self._connection.execute("BEGIN IMMEDIATE")
                rows = [(os.urandom(WEIGHT),) for _ in together]
                self._connection.executemany("INSERT INTO entry (body) VALUES (?)", rows)
                self._connection.execute("COMMIT")
            finally:
                os.close(fd)
            for one in together:
                one.set()
            with self._lock:
                if not self._waiting:
                    self._led = False
                    return
