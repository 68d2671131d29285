"""Rendered answers kept in this process, each shown again only after one cheap query found its version unchanged.

Bounded in number and bytes. Several processes need not talk to each other: every one of them asks the database.
"""

import datetime as dt
import json
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.pool import PoolProxiedConnection

from trace.lots.services import FEW
from village import clock
from village.db import commits_here

Key = tuple[str | bool, ...]
Version = tuple[object, ...]

MAX_PAGES = 2000
MAX_BYTES = 48 * 1024 * 1024
GRACE = 0.2
"""Seconds for which other processes' writes may go unseen: less than it takes to lift a phone."""
MAX_AGE = 15.0
"""Seconds after which a page is proven anew, though no version moved: raw SQL moves none."""

_VERSION = """
SELECT own.hold, own.hold_reason, own.void,
       (SELECT number FROM village_revision WHERE id = 1),
       (SELECT sum((SELECT max(link.seq) FROM ledger_link AS link WHERE link.batch = one.epc))
        FROM batch AS one WHERE one.epc IN ({epcs}))
FROM batch AS own WHERE own.gtin = {mark} AND own.lot = {mark}
"""


@dataclass(frozen=True)
class Kept:
    """One rendered answer, plain and gzipped, and what it depends on."""

    key: Key
    version: Version
    epcs: tuple[str, ...]
    """The lot and its ancestors: an entry about any of them changes the version."""
    rendered_at: float
    """Monotonic seconds."""
    day: dt.date
    etag: str
    mimetype: str
    body: bytes
    zipped: bytes

    @property
    def fresh(self) -> bool:
        """True while it was proven not long ago, and on this very day (best-before dates pass at midnight)."""
        return time.monotonic() - self.rendered_at < MAX_AGE and self.day == clock.today()

    @property
    def size(self) -> int:
        """Bytes held."""
        return len(self.body) + len(self.zipped)


def version(connection: PoolProxiedConnection, dialect: str, gtin: str, lot: str, epcs: tuple[str, ...]) -> Version:
    """What the answer about a lot depends on, in one query: its holds, the chains behind it, the village's rows."""
    # Straight to the driver: on the hottest address there is, SQLAlchemy's part would take longer than the query.
    cursor = connection.cursor()
    try:
        many = list(epcs) if dialect == "postgresql" else json.dumps(epcs)
        asked = epcs if len(epcs) <= FEW else (many,)
        cursor.execute(_query(len(epcs), dialect), (*asked, gtin, lot))
        return tuple(cursor.fetchone() or ())
    finally:
        cursor.close()


def version_now(engine: Engine, kept: Kept) -> Version:
    """The version of what is kept, as of this moment, on a connection of its own."""
    _form, gtin, lot, *_more = kept.key
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    alone = engine.dialect.name == "postgresql"
    try:
        if alone:
            # One query needs no transaction around it, which would be two more round trips.
            driver.autocommit = True
        return version(connection, engine.dialect.name, str(gtin), str(lot), kept.epcs)
    finally:
        if alone:
            driver.autocommit = False
        connection.close()


@lru_cache(maxsize=512)
def _query(epcs: int, dialect: str) -> str:
    mark = "?" if dialect == "sqlite" else "%s"
    if epcs <= FEW:
        return _VERSION.format(epcs=", ".join([mark] * epcs), mark=mark)
    # A village's worth of ancestors goes along as one parameter: a database takes some ten thousand of them.
    many = "SELECT value FROM json_each(?)" if dialect == "sqlite" else "SELECT unnest(%s::text[])"
    return _VERSION.format(epcs=many, mark=mark)


class Pages:
    """The least recently asked for goes first.

    A page that was found true is taken for true for `GRACE` seconds more, unless this process wrote something since.
    """

    def __init__(self, max_pages: int = MAX_PAGES, max_bytes: int = MAX_BYTES) -> None:
        self._max_pages, self._max_bytes = max_pages, max_bytes
        self._pages: OrderedDict[Key, Kept] = OrderedDict()
        self._bytes = 0
        self._checked: dict[Key, tuple[Version, float, int]] = {}
        self._lock = threading.Lock()

    def true(self, engine: Engine, kept: Kept) -> bool:
        """True when what is kept is still so."""
        now, commits = time.monotonic(), commits_here()
        version, until, then = self._checked.get(kept.key, ((), 0.0, -1))
        if version == kept.version and now < until and commits == then:
            return True
        # Said beforehand, so that a crowd that asks at once sends one of it to the database.
        self._checked[kept.key] = (kept.version, now + GRACE, commits)
        if version_now(engine, kept) == kept.version:
            return True
        self._checked.pop(kept.key, None)
        return False

    def fresh(self, key: Key) -> Kept | None:
        """What is kept and was proven not long ago."""
        found = self.get(key)
        return found if found is not None and found.fresh else None

    def get(self, key: Key) -> Kept | None:
        """What is kept, or None. The caller still compares its version."""
        with self._lock:
            found = self._pages.get(key)
            if found is not None:
                self._pages.move_to_end(key)
            return found

    def put(self, page: Kept) -> None:
        """Keep a page, dropping others where there is no room; one larger than all the room is not kept."""
        key = page.key
        with self._lock:
            self._drop(key)
            if page.size > self._max_bytes:
                return
            self._pages[key] = page
            self._bytes += page.size
            while len(self._pages) > self._max_pages or self._bytes > self._max_bytes:
                self._drop(next(iter(self._pages)))

    def __len__(self) -> int:
        return len(self._pages)

    @property
    def held(self) -> int:
        """Bytes held by all pages."""
        return self._bytes

    def _drop(self, key: Key) -> None:
        gone = self._pages.pop(key, None)
        self._checked.pop(key, None)
        if gone is not None:
            self._bytes -= gone.size
