"""What a request for EPCIS wants: which version, which form, which page, which events."""

import base64
import binascii
import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from flask import request

from trace.capture import errors
from trace.capture.finding import Position
from trace.epcis.asking import Query, QueryFault
from trace.epcis.query import read_query
from village.errors import Malformed
from village.i18n import lazy_gettext as _l

JSON = "application/json"
JSON_LD = "application/ld+json"
OURS = (2, 0)
"""The version of EPCIS and of CBV that is spoken here."""
PER_PAGE = 30
MOST_PER_PAGE = 100
LONGEST_QUERY = 8000
"""Characters of a query string."""
PAGING = ("perPage", "nextPageToken")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,400}", re.ASCII)
_VERSION = re.compile(r"\d{1,3}(?:\.\d{1,3}){0,2}", re.ASCII)


def check_request() -> None:
    """Refuse what cannot be answered: another version, another form, an endless address."""
    if len(request.query_string) > LONGEST_QUERY:
        raise errors.TooLong(
            "uri-too-long", _l("Địa chỉ dài quá. Bác lưu câu hỏi ở /epcis/queries nhé."),
            exception="epcisException:URITooLongException",
        )  # fmt: skip
    for what in ("EPCIS", "CBV"):
        for which in ("Version", "Min", "Max"):
            told = request.headers.get(f"GS1-{what}-{which}")
            if told is not None and not (_VERSION.fullmatch(told) and _fits(which, _version(told))):
                raise _unlike(f"GS1-{what}-{which}", told)
    form = request.headers.get("GS1-EPC-Format", "No_Preference")
    if form not in ("No_Preference", "Never_Translates"):
        raise _unlike("GS1-EPC-Format", form)
    accepted = request.accept_mimetypes
    if request.method != "OPTIONS" and accepted.provided and not accepted.best_match((JSON, JSON_LD)):
        raise _unlike("Accept", str(accepted)[:100])


def answer_form() -> str:
    """application/json or application/ld+json, whichever the asker likes better."""
    return request.accept_mimetypes.best_match((JSON, JSON_LD)) or JSON


def _fits(which: str, told: tuple[int, ...]) -> bool:
    return told <= OURS if which == "Min" else told >= OURS if which == "Max" else told == OURS


def _version(told: str) -> tuple[int, ...]:
    major, _dot, rest = told.partition(".")
    return int(major), int(rest.partition(".")[0] or 0)


def _unlike(name: str, told: str) -> errors.NotAcceptable:
    return errors.NotAcceptable(
        "epcis-not-acceptable",
        _l("Ở đây chỉ nói EPCIS và CBV 2.0 bằng JSON-LD, mã giữ nguyên cách viết. %(header)s: %(told)s không được."),
        exception="epcisException:ImplementationException",
        header=name,
        told=told[:100],
    )


def body_of_json() -> bytes:
    """The body, which must say that it is JSON."""
    if request.mimetype not in (JSON, JSON_LD):
        raise errors.Unsupported(
            "unsupported-media-type",
            _l("Cần gửi application/json hay application/ld+json."),
            exception="epcisException:ImplementationException",
        )
    return request.get_data()


def parameters() -> dict[str, Any]:
    """The query's own parameters: one that stands twice has the values of both."""
    found: dict[str, Any] = {}
    for name, values in request.args.lists():
        if name not in PAGING and name != "lang":
            found[name] = values[0] if len(values) == 1 else "|".join(values)
    return found


def asked_query(told: Mapping[str, Any], namespaces: Mapping[str, str] | None = None) -> Query:
    """Read a query, or say what is wrong with it."""
    try:
        return read_query(told, {**_extensions(), **(namespaces or {})})
    except QueryFault as fault:
        raise errors.bad_query(fault) from fault


def _extensions() -> dict[str, str]:
    """The asker's own namespaces: `GS1-Extensions: example=http://ns.example.com/epcis/, …`."""
    found = {}
    for one in request.headers.get("GS1-Extensions", "").split(",")[:50]:
        prefix, equals, meaning = one.strip().partition("=")
        if equals and prefix:
            found[prefix] = meaning
    return found


def per_page() -> int:
    """How many are wanted at once."""
    told = request.args.get("perPage", str(PER_PAGE))
    if not told.isascii() or not told.isdigit() or not 1 <= int(told[:6]) <= 10_000:
        raise errors.bad_query(QueryFault("perPage", "a whole number from 1 on belongs here"))
    return min(int(told[:6]), MOST_PER_PAGE)


def token_of(what: object, query: object) -> str:
    """A `nextPageToken`: where to go on, good for this very query only."""
    data = json.dumps([_digest(query), what], separators=(",", ":"), ensure_ascii=True).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token_told(query: object) -> Any:
    """What `token_of` put into the request's token; None without one."""
    told = request.args.get("nextPageToken")
    if told is None:
        return None
    try:
        if not _TOKEN.fullmatch(told):
            raise ValueError
        digest, what = json.loads(base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)))
        if digest != _digest(query):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise _bad_token() from None
    return what


def position_told(query: object) -> Position | None:
    """Where to go on among events."""
    what = token_told(query)
    if what is None:
        return None
    try:
        index, moment, told = what
        if type(index) is not int or type(told) is not int or not 0 <= index < 2**53 or not 0 <= told < 2**31:
            raise ValueError
        at = dt.datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError
        return Position(index, at.astimezone(dt.UTC), told)
    except (ValueError, TypeError, OverflowError):
        raise _bad_token() from None


def position_token(position: Position, query: object) -> str:
    """The token for the page behind a position."""
    return token_of([position.index, position.moment.isoformat(), position.told], query)


def _bad_token() -> Malformed:
    return errors.bad_query(QueryFault("nextPageToken", "not a token that was given for this very query"))


def _digest(query: object) -> str:
    text = json.dumps(query, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
