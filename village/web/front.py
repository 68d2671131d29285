"""A front door: an answer that Flask gave a moment ago is given again, if it is still true.

Some pages are read far more often than they change, and by phones that all send the same few headers. So the headers
that the app sent are remembered beside the kept body, and a request of the same form gets both after one look at the
database (`Pages.true`), without a request context, session or routing. Everything else goes to the app.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from flask import Flask, Response, request
from sqlalchemy import Engine

from village.db import db
from village.i18n import COOKIE, LANGUAGES, lookup
from village.ids import uuid7
from village.web.observe import REQUESTS, SECONDS, log

KEPT = "soi.kept"
"""Where a view leaves what it answered with, for the front to remember."""
MAX_FORMS = 10_000

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_LANGUAGE = re.compile(rf"(?:^|;\s*){COOKIE}=([^;]*)")
_OWN = frozenset(("x-request-id", "content-length", "set-cookie"))

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Form = tuple[str, str, str, bool]
"""A request as far as the answer depends on it: address with query, Accept, language, whether gzip is taken."""


class Kept(Protocol):
    """One rendered answer, plain and gzipped."""

    @property
    def key(self) -> tuple[Any, ...]:
        """What it is kept under."""

    @property
    def etag(self) -> str:
        """Changes with the body."""

    @property
    def body(self) -> bytes:
        """As it is."""

    @property
    def zipped(self) -> bytes:
        """The same, gzipped."""


class Pages(Protocol):
    """Where answers are kept."""

    def fresh(self, key: tuple[Any, ...]) -> Kept | None:
        """What is kept under `key` and not too old to be asked about, or None."""

    def true(self, engine: Engine, kept: Any) -> bool:
        """True when what is kept is still so."""


@dataclass(frozen=True)
class Remembered:
    """How an answer was sent."""

    key: tuple[Any, ...]
    headers: tuple[tuple[str, str], ...]
    zipped: bool


class Front:
    """WSGI middleware around the whole app, for the addresses under `prefix`, counted and logged as `route`.

    With `guests_only`, a request with any cookie but that of the language goes to the app: the page may be hers.
    """

    def __init__(
        self, app: Flask, inner: Any, pages: Pages, prefix: str, route: str, *, guests_only: bool = False
    ) -> None:
        self._app, self._inner, self._pages = app, inner, pages
        self._prefix, self._route, self._guests_only = prefix, route, guests_only
        self._forms: OrderedDict[Form, Remembered] = OrderedDict()
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from what is kept, or let the app do it and remember how it did."""
        path = str(environ.get("PATH_INFO", ""))
        if not path.startswith(self._prefix) or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            answer: Iterable[bytes] = self._inner(environ, start_response)
            return answer
        form = _form(environ, self._guests_only)
        remembered = self._forms.get(form) if form else None
        if remembered is not None:
            began = time.perf_counter()
            kept = self._still_true(remembered)
            if kept is not None:
                return self._send(environ, start_response, remembered, kept, began)
        return self._ask(form, environ, start_response)

    def _still_true(self, remembered: Remembered) -> Kept | None:
        kept = self._pages.fresh(remembered.key)
        if kept is None:
            return None
        if self._engine is None:
            with self._app.app_context():
                self._engine = db.engine
        return kept if self._pages.true(self._engine, kept) else None

    def _ask(self, form: Form | None, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        def started(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            kept = environ.get(KEPT)
            names = {name.lower() for name, _ in headers}
            if form and kept is not None and status.startswith("200") and "set-cookie" not in names:
                own = tuple((name, value) for name, value in headers if name.lower() not in _OWN)
                self._remember(form, Remembered(kept.key, own, "content-encoding" in names))
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        answer: Iterable[bytes] = self._inner(environ, started)
        return answer

    def _remember(self, form: Form, remembered: Remembered) -> None:
        with self._lock:
            self._forms[form] = remembered
            while len(self._forms) > MAX_FORMS:
                self._forms.popitem(last=False)

    def _send(
        self, environ: Environ, start_response: StartResponse, remembered: Remembered, kept: Kept, began: float
    ) -> Iterable[bytes]:
        body = kept.zipped if remembered.zipped else kept.body
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid7()
        # The page may have been made anew since its headers were seen.
        headers = [(n, f'W/"{kept.etag}"' if n == "ETag" else v) for n, v in remembered.headers]
        headers.append(("X-Request-ID", request_id))
        status = 200
        if kept.etag in environ.get("HTTP_IF_NONE_MATCH", ""):
            status, body = 304, b""
            headers = [(n, v) for n, v in headers if n not in ("Content-Type", "Content-Encoding")]
        else:
            headers.append(("Content-Length", str(len(body))))
        seconds = time.perf_counter() - began
        method = environ["REQUEST_METHOD"]
        REQUESTS.labels(method, self._route, status).inc()
        SECONDS.labels(self._route).observe(seconds)
        log.info(
            "request",
            request_id=request_id,
            method=method,
            route=self._route,
            status=status,
            ms=round(seconds * 1000, 1),
            member=None,
        )
        start_response("200 OK" if status == 200 else "304 NOT MODIFIED", headers)
        return [body] if method == "GET" else []


def whole(kept: Kept, content_type: str) -> Response:
    """What is kept, as a view of the app answers with it: zipped for who reads that, 304 for who has it."""
    headers = {"ETag": f'W/"{kept.etag}"', "Cache-Control": "no-cache"}
    if request.if_none_match.contains_weak(kept.etag):
        return Response(status=304, headers=headers)
    body = kept.body
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body = kept.zipped
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, content_type=content_type)


def _form(environ: Environ, guests_only: bool) -> Form | None:
    uri = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not uri or len(uri) > 300 or "HTTP_AUTHORIZATION" in environ:
        return None
    accept = environ.get("HTTP_ACCEPT", "")
    if len(accept) > 300:
        return None
    cookies = environ.get("HTTP_COOKIE", "")
    language = ""
    if COOKIE in cookies:
        found = _LANGUAGE.search(cookies)
        # A cookie that Werkzeug may read in another way than we do (blanks, quotes, twice) is left to it.
        if not found or len(found[1]) > 2 or cookies.count(COOKIE) > 1:
            return None
        language = found[1]
    if guests_only and cookies and (not language or ";" in cookies):
        return None
    if language not in LANGUAGES:
        language = lookup(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
    return uri, accept, language, "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
