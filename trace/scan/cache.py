"""Rendered answers kept in this process, each shown again only after one cheap query found its version unchanged.

Bounded in number and bytes. Several processes need not talk to each other: every one of them asks the database.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

Key = tuple[str | bool, ...]
Version = tuple[object, ...]

MAX_PAGES = 2000
MAX_BYTES = 48 * 1024 * 1024
MAX_AGE = 300.0
"""Seconds after which a page is proven anew, though no version moved: raw SQL moves none."""

_VERSION = text(
    """
    SELECT own.hold, own.hold_reason, own.void,
           (SELECT number FROM village_revision WHERE id = 1),
           (SELECT sum((SELECT max(link.seq) FROM ledger_link AS link WHERE link.batch = one.epc))
            FROM batch AS one WHERE one.epc IN :epcs)
    FROM batch AS own WHERE own.gtin = :gtin AND own.lot = :lot
    """
).bindparams(bindparam("epcs", expanding=True))


@dataclass(frozen=True)
class Kept:
    """One rendered answer, plain and gzipped, and what it depends on."""

    version: Version
    epcs: tuple[str, ...]
    """The lot and its ancestors: an entry about any of them changes the version."""
    rendered_at: float
    """Monotonic seconds."""
    etag: str
    mimetype: str
    body: bytes
    zipped: bytes

    @property
    def size(self) -> int:
        """Bytes held."""
        return len(self.body) + len(self.zipped)


def version(connection: Connection, gtin: str, lot: str, epcs: tuple[str, ...]) -> Version:
    """What the answer about a lot depends on, in one query: its holds, the chains behind it, the village's rows."""
    row = connection.execute(_VERSION, {"gtin": gtin, "lot": lot, "epcs": epcs}).one_or_none()
    return tuple(row) if row is not None else ()


class Pages:
    """The least recently asked for goes first."""

    def __init__(self, max_pages: int = MAX_PAGES, max_bytes: int = MAX_BYTES) -> None:
        self._max_pages, self._max_bytes = max_pages, max_bytes
        self._pages: OrderedDict[Key, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Key) -> Kept | None:
        """What is kept, or None. The caller still compares its version."""
        with self._lock:
            found = self._pages.get(key)
            if found is not None:
                self._pages.move_to_end(key)
            return found

    def put(self, key: Key, page: Kept) -> None:
        """Keep a page, dropping others where there is no room; one larger than all the room is not kept."""
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
        if gone is not None:
            self._bytes -= gone.size
