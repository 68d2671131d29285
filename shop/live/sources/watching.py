"""One thread for each source that is read, and one for each that writes to viewers, in the jobs' worker: of which there
is one for each instance."""

import threading

import structlog
from flask import Flask, current_app
from sqlalchemy import select

from shop.live.models import LiveSession, LiveSource
from shop.live.sources.facebook.messaging import Teller
from shop.live.sources.facebook.reading import Reader as FacebookReader
from shop.live.sources.services import wanted
from shop.live.sources.tiktok.reading import Reader as TikTokReader
from village.db import db

READERS = "soi.live.readers"
"""In the app's extensions: the threads that read or write, by what they are for and their source's id."""
READERS_MAX = 16
LONGEST = 60.0
"""Seconds until a reader that fell over tries again."""

log = structlog.get_logger("soi.live")
Visitor = FacebookReader | TikTokReader | Teller
"""What is visited again and again, as long as it says when."""


def tend() -> None:
    """See to it that every source that is to be read has its reader. Called every few seconds."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # the app itself outlives this context
    settings = app.extensions["soi"]
    read = {"facebook": settings.facebook_page, "tiktok": settings.tiktok_shop}
    kinds = [kind for kind, set_up in read.items() if set_up]
    if not kinds:
        return
    readers: dict[tuple[str, str], threading.Thread] = app.extensions.setdefault(READERS, {})
    due = db.session.execute(
        select(LiveSource.id, LiveSource.kind, LiveSource.tells)
        .join(LiveSession, LiveSession.id == LiveSource.session_id)
        .where(LiveSource.kind.in_(kinds), wanted())
        .order_by(LiveSource.id.desc())
    ).all()
    db.session.remove()
    for key in [key for key, thread in readers.items() if not thread.is_alive()]:
        del readers[key]
    wished: list[Visitor] = []
    for source_id, kind, tells in due:
        wished.append(FacebookReader(source_id) if kind == "facebook" else TikTokReader(source_id))
        if kind == "facebook" and tells:
            wished.append(Teller(source_id))
    for one in wished:
        key = type(one).__name__, one.source_id
        if key not in readers and len(readers) < READERS_MAX:
            # A daemon: whatever it is at when the worker ends is done again by the next one.
            thread = threading.Thread(target=_read, args=(app, one), name=f"live {one.source_id[-6:]}", daemon=True)
            readers[key] = thread
            thread.start()


def _read(app: Flask, reader: Visitor) -> None:
    rest = threading.Event()
    while True:
        with app.app_context():
            try:
                pause = reader.visit()
            except Exception as error:  # the database may be away for a while
                log.warning("a live source could not be read", source=reader.source_id, why=type(error).__name__)
                pause = min(2.0 ** min(reader.faults, 6), LONGEST)
                reader.faults += 1
            finally:
                db.session.remove()
        if pause is None:
            return
        rest.wait(pause)
