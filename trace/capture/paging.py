"""What the addresses of `/epcis` share: the blueprint, what each of them has, and pages of events."""

import datetime as dt
from typing import Any

from flask import Response, current_app
from flask.views import MethodView
from flask_smorest import Blueprint

from trace.capture import (
    answers,
    asked,
    described,
    documents,
    errors,
    finding,
)
from trace.epcis.asking import Query
from trace.epcis.faults import Fault
from trace.ledger.canonical import loads
from trace.ledger.errors import MalformedEntry
from village.db import db

epcis = Blueprint("epcis", __name__, url_prefix="/epcis", description="EPCIS 2.0: capture and queries.")
epcis.before_request(asked.check_request)
epcis.after_request(answers.with_headers)

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""When an empty answer was made: the same bytes each time."""


class Resource(MethodView):
    """What every address of EPCIS has: OPTIONS tells what is spoken here."""

    @epcis.doc(**described.DISCOVERY)
    def options(self, **_path: str) -> Response:
        """What is spoken here."""
        return answers.discovery(sorted(self.methods or ()))


def events_answer(told: dict[str, Any], query: Query | None = None, name: str = documents.QUERY) -> Response:
    """A page of what a query asks for, as an EPCISQueryDocument. Raises QueryTooLarge beyond `maxEventCount`."""
    query = query or asked.asked_query(told)
    if query.most is not None:
        _not_too_many(query)
    return page_answer(page_of(told, query, asked.per_page()), told, name)


def page_of(told: dict[str, Any], query: Query, count: int) -> finding.Page:
    """One page of events, from where the asker stands."""
    return finding.find(db.session(), query, answers.vocabulary(), count, asked.position_told(told))


def _not_too_many(query: Query) -> None:
    assert query.most is not None
    found, after = 0, None
    for _page_of_them in range(5):
        page = finding.find(db.session(), query, answers.vocabulary(), finding.MOST_LOOKED_AT, after)
        found, after = found + len(page.events), page.further
        if found > query.most or after is None:
            break
    if found > query.most or after is not None:
        raise errors.too_many(query.most)


def page_answer(page: finding.Page, told: object, name: str = documents.QUERY) -> Response:
    """A page as the answer, with the link to the next."""
    newest = max((one.recorded for one in page.events), default=EPOCH)
    document = documents.query_document(page.events, answers.vocabulary(), newest, name)
    return answers.told(document, asked.position_token(page.further, told) if page.further else None)


def loaded(body: bytes) -> Any:
    """The JSON that was sent; Malformed where it is none."""
    try:
        return loads(body, limit=answers.MAX_BODY)
    except MalformedEntry as error:
        raise errors.invalid([Fault("", "not-json", str(error))]) from error


def base() -> str:
    """Where EPCIS lies, outside."""
    return f"{current_app.extensions['soi'].public_url}/epcis"
