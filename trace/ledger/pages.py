"""The log as people see it: the page about it, and each entry told in plain words."""

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from trace.ledger import store, witnesses
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.encoding import from_decimal, to_base64
from trace.ledger.growth import growth
from trace.ledger.latest import latest
from trace.ledger.lines import line
from trace.ledger.note import parse_note
from trace.ledger.proof import SUFFIX
from trace.ledger.standing import standing
from trace.ledger.views import ledger
from trace.scan import words
from village.db import db
from village.errors import NotFound
from village.i18n import lazy_gettext as _l

LATEST = 7
ERASED_SHOWN = 200
"""Lines that an erasure's page names one by one."""


@ledger.get("")
def page() -> ResponseReturnValue:
    """Size, latest entries, keys, witnesses, growth, and what this log can and cannot prove yet."""
    state = store.ensure_born()
    head = Checkpoint.parse(parse_note(state.checkpoint).text)
    days = growth(db.session())
    try:
        policy = witnesses.policy()
    except witnesses.PolicyTrouble:
        # The log itself is none the worse for it, and its readers should see it.
        policy = None
    return _fresh(
        render_template(
            "ledger/page.html",
            state=state,
            head=head,
            latest=latest(db.session(), state.size, LATEST),
            growth=days,
            added=sum(day.entries for day in days),
            root=to_base64(head.root),
            standing=standing(db.session(), state, policy),
            said=witnesses.said,
        )
    )


@ledger.get("/lines/<number>")
def told(number: str) -> ResponseReturnValue:
    """One entry as people read it."""
    index = from_decimal(number)
    if index is None:
        raise NotFound("no-entry", _l("Sổ chưa có dòng số %(index)s."), index=number[:20])
    entry = store.entry(index)
    return _fresh(
        render_template(
            "ledger/line.html",
            line=line(db.session(), entry),
            last=store.ensure_born().size - 1,
            words=words,
            suffix=SUFFIX,
            erased_shown=ERASED_SHOWN,
        )
    )


def _fresh(page: str) -> Response:
    """To be asked for again each time, and sent again only when something changed: an erasure changes old lines."""
    response = make_response(page)
    response.headers["Cache-Control"] = "no-cache"
    response.vary.update(("Cookie", "Accept-Encoding"))
    response.add_etag(weak=True)
    response.make_conditional(request)
    return response
