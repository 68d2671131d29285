"""How `/epcis` answers: GS1's headers, JSON-LD or JSON, an ETag, a link to the next page."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, current_app, request

from trace.capture.asked import PAGING, answer_form
from trace.epcis.reading import MAX_EVENTS

MAX_BODY = 2 * 1024 * 1024
"""Bytes of a document that is taken in at once."""


def vocabulary() -> str:
    """What the prefix `soi:` stands for."""
    return f"{current_app.extensions['soi'].public_url}/voc/"


def with_headers(response: Response) -> Response:
    """GS1's headers, on every answer."""
    response.headers.update(
        {
            "GS1-EPCIS-Version": "2.0",
            "GS1-EPCIS-Min": "2.0",
            "GS1-EPCIS-Max": "2.0",
            "GS1-CBV-Version": "2.0",
            "GS1-CBV-Min": "2.0",
            "GS1-CBV-Max": "2.0",
            "GS1-EPC-Format": "Never_Translates",
            "GS1-Extensions": f"soi={vocabulary()}",
            "Vary": "Accept",
        }
    )
    return response


def discovery(allow: Sequence[str]) -> Response:
    """The answer to OPTIONS."""
    response = Response(status=204)
    response.headers["Allow"] = ", ".join(sorted({*allow, "OPTIONS"}))
    response.headers["GS1-EPCIS-Capture-Limit"] = str(MAX_EVENTS)
    response.headers["GS1-EPCIS-Capture-File-Size-Limit"] = str(MAX_BODY)
    response.headers["GS1-Capture-Error-Behaviour"] = "rollback, proceed"
    return response


def told(
    body: Any, further: str | None = None, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer; 304 where the asker has it already. `further` is the token of the next page."""
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    response = Response(data, status, content_type=answer_form(), headers=dict(headers or {}))
    if further is not None:
        response.headers["Link"] = f'<{_next_page(further)}>; rel="next"'
    if status == 200:
        response.set_etag(hashlib.sha256(data + answer_form().encode()).hexdigest()[:32])
        response.headers["Cache-Control"] = "no-cache"
        response.make_conditional(request)
    return response


def _next_page(token: str) -> str:
    asked = [(name, value) for name, values in request.args.lists() if name != PAGING[1] for value in values]
    public_url = current_app.extensions["soi"].public_url
    return f"{public_url}{request.script_root}{_path()}?{urlencode([*asked, (PAGING[1], token)])}"


def _path() -> str:
    """The path as it was sent: a key within it may hold slashes of its own."""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    path: str = raw.partition("?")[0]
    return path if path.startswith("/epcis") else quote(request.path, safe="/:")
