"""Products' pages as everybody sees them who is not known here: kept whole, for the front door to give again.

A link to a product is opened by thousands who were never here. Their pages are the same but for the language, so the
whole of one is kept (`kept.py` keeps its parts for the others), with all that it depends on: the lots, the village's
own rows, and recalls under way.
"""

import datetime as dt
import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from flask import Response, current_app, render_template, request
from sqlalchemy import Connection, Engine, func, select

from shop.catalogue import kept
from shop.catalogue.kept import Version
from trace.recalls.models import Recall, RecallLot
from trace.recalls.reading import going_on
from village import clock
from village.db import commits_here, db
from village.i18n import COOKIE, current_language
from village.web.front import KEPT, whole

PAGES = "soi.products.guests"
MOST = 1000
"""Pages kept, one for each language; with its gzipped form one takes some 25 kB."""
MAX_AGE = 15.0
"""Seconds after which a page is made anew in any case."""
GRACE = 0.2
"""Seconds for which other processes' writes may go unseen, as on scan pages. What is ordered is counted anew."""

Key = tuple[str, str]
"""A product's slug and a language."""
Whole = tuple[Version, Version, int]
"""The version of the page's own parts, the recalls under way, how many lots they are about."""

_GOING = select(Recall.id, Recall.reason).where(going_on()).order_by(Recall.id)
_LOTS = select(func.count()).select_from(RecallLot).join(Recall, Recall.id == RecallLot.recall_id).where(going_on())


@dataclass(frozen=True)
class Page:
    """A whole page, plain and gzipped."""

    key: Key
    version: Whole
    made_at: float
    """Monotonic seconds."""
    day: dt.date
    etag: str
    body: bytes
    zipped: bytes


class Pages:
    """The least recently asked for goes first. Safe for several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Page] = OrderedDict()
        self._checked: dict[Key, tuple[Whole | None, float, int]] = {}
        self._lock = threading.Lock()

    def fresh(self, key: Key) -> Page | None:
        """What is kept, not old, and of this very day."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or time.monotonic() - found.made_at > MAX_AGE or found.day != clock.today():
                return None
            self._kept.move_to_end(key)
            return found

    def true(self, engine: Engine, page: Page) -> bool:
        """True when nothing that the page depends on has changed, looked up at most every `GRACE` seconds."""
        now, commits = time.monotonic(), commits_here()
        version, until, then = self._checked.get(page.key, (None, 0.0, -1))
        if version == page.version and now < until and commits == then:
            return True
        # Said beforehand, so that a crowd that asks at once sends one of it to the database.
        self._checked[page.key] = (page.version, now + GRACE, commits)
        with engine.connect() as connection:
            if version_of(connection, page.key[0]) == page.version:
                return True
        self._checked.pop(page.key, None)
        return False

    def put(self, page: Page, commits: int) -> None:
        """Keep a page that was found true just now, when this process had committed so often."""
        with self._lock:
            self._kept[page.key] = page
            self._checked[page.key] = (page.version, time.monotonic() + GRACE, commits)
            self._kept.move_to_end(page.key)
            if len(self._kept) > MOST:
                self._checked.pop(self._kept.popitem(last=False)[0], None)


def version_of(connection: Connection, slug: str) -> Whole:
    """All that a guest's page depends on."""
    going = connection.execute(_GOING).all()
    recalled = connection.scalar(_LOTS) if going else 0
    return kept.version_of(connection, slug), tuple(map(tuple, going)), recalled or 0


def answer(slug: str) -> Response:
    """A product's page; NotFound for what is not sold."""
    commits, version = commits_here(), version_of(db.session.connection(), slug)
    body = render_template("catalogue/product.html", kept=kept.of_product(slug, version[0]))
    if request.query_string or not set(request.cookies) <= {COOKIE}:
        return Response(body)
    plain = body.encode()
    page = Page(
        (slug, current_language()), version, time.monotonic(), clock.today(),
        hashlib.sha256(plain).hexdigest()[:32], plain, gzip.compress(plain, 6, mtime=0),
    )  # fmt: skip
    if kept.still(lambda: version_of(db.session.connection(), slug) == version):
        pages: Pages = current_app.extensions[PAGES]
        pages.put(page, commits)
        request.environ[KEPT] = page
    response = whole(page, "text/html; charset=utf-8")
    response.vary.update(("Accept-Encoding", "Cookie"))
    return response
