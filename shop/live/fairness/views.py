"""Who came first in a livestream: a page for everybody, and the same for programs. No name stands in either."""

from collections.abc import Iterator

import orjson
from flask import Blueprint, Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.live.fairness import told
from shop.live.fairness.page import Asked, clean_mark, order, public
from shop.live.models import LiveDecision, LiveSession
from shop.live.services import normal_code
from trace.ledger import published
from village.db import db
from village.forms import page_number
from village.people import throttle

pages = Blueprint("live_order", __name__, url_prefix="/live", template_folder="../templates")

DOCUMENTS = 120
"""Whole documents for one network address in a quarter of an hour: each has all that was said."""


@pages.get("/<session_id>/order")
def shown(session_id: str) -> ResponseReturnValue:
    """The order of arrival, a page at a time."""
    asked = Asked(
        mark=clean_mark(request.args.get("mark", "")), code=normal_code(request.args.get("code", "")[:20]),
        everything=request.args.get("all") == "1",
    )  # fmt: skip
    found = order(session_id, asked, page_number(request.args.get("page", "")))
    return render_template(
        "live/order.html", order=found, typed=request.args.get("mark", "")[:20],
        rotations=published.rotations(db.session()),
    )  # fmt: skip


@pages.get("/<session_id>/order.json")
def document(session_id: str) -> ResponseReturnValue:
    """All events with their hashes, all decisions, and where the ledger names them (docs/formats.md)."""
    session = db.session()
    live = public(session, session_id)
    etag = _etag(session, live)
    if request.if_none_match.contains_weak(etag):
        response = Response(status=304)
    else:
        throttle.count_act("live-order", request.remote_addr or "", DOCUMENTS)
        session = db.session()
        written = stream_with_context(_written(session, public(session, session_id)))
        response = Response(written, mimetype="application/json")
    response.set_etag(etag, weak=True)
    response.headers["Cache-Control"] = "public, max-age=5"
    # Anybody's program, on any site, may check it.
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _etag(session: Session, live: LiveSession) -> str:
    decided = session.scalar(select(func.count()).where(LiveDecision.session_id == live.id)) or 0
    return f"{live.status}-{live.received}-{decided}-{len(told.anchors(session, live))}"


def _written(session: Session, live: LiveSession) -> Iterator[bytes]:
    """The document in pieces: an evening has tens of thousands of events."""
    yield orjson.dumps(told.head(session, live))[:-1]
    for name, rows in (("events", told.events(session, live)), ("decisions", told.decisions(session, live))):
        yield b',"%s":[' % name.encode()
        first = True
        for row in rows:
            yield (b"" if first else b",\n") + orjson.dumps(row)
            first = False
        yield b"]"
    yield b"}\n"
