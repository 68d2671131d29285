"""Errors as answers: RFC 9457 problem+json for programs, a page for people."""

import http
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge

from village.errors import BadInput, Malformed, SoiError, Unauthenticated
from village.i18n import MACHINE_PATHS
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.settings import MIB
from village.storage import trouble_with_storage

log = structlog.get_logger()
LATE = (TimeoutError, BlockingIOError)
"""What reading from a connection raises that has been silent for too long (see village/web/gunicorn.py)."""
DRAIN = 64 * 1024 * 1024
"""How much of a body that we refuse we still read: closing before would reset its sender's connection unanswered."""


def wants_json() -> bool:
    """True where a program asked."""
    if request.path.startswith(MACHINE_PATHS):
        return True
    best = request.accept_mimetypes.best_match(("text/html", "application/json", "application/problem+json"))
    return request.accept_mimetypes.provided and best in ("application/json", "application/problem+json")


def problem(slug: str, title: str, status: int, detail: str, members: Mapping[str, Any]) -> Response:
    """A problem document. Its `type` is an address under ours that never changes its meaning."""
    settings = current_app.extensions["soi"]
    body = {
        **members,
        "type": f"{settings.public_url}/problems/{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
    }
    # What was sent may hold half a surrogate pair, and is told back here.
    text = current_app.json.dumps(body, separators=(",", ":")).encode("utf-8", "replace")
    return Response(text, status, mimetype="application/problem+json")


def init_app(app: Flask) -> None:
    """Answer every error in the one shape."""
    app.register_error_handler(SoiError, _told)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)
    app.before_request(_measure)
    app.before_request(_read_json)
    app.after_request(_drain)
    app.add_url_rule("/problems/<slug>", "problem", _explain)


def _told(error: SoiError) -> ResponseReturnValue:
    if isinstance(error, Unauthenticated) and not wants_json() and request.method in ("GET", "HEAD"):
        return redirect(url_for("people.sign_in", next=request.full_path.rstrip("?")))
    members = {k: v if isinstance(v, (int, float, bool, list, dict, str)) else str(v) for k, v in error.details.items()}
    if error.field:
        members["field"] = error.field
    response = _answer(error.slug, str(error.title), error.status, str(error), members)
    if error.status == 429:
        response.headers["Retry-After"] = str(error.details["retry_after"])
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="soi"'
    return response


def _size(most: int) -> str:
    return f"{most // MIB} MB" if most >= MIB else f"{most // 1024} kB"


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error.get_response()
    if isinstance(error, ClientDisconnected):
        return _late()
    told = {
        400: _("Yêu cầu không đọc được. Bác xem lại rồi gửi lại nhé."),
        404: _("Không có trang này. Có thể địa chỉ bị gõ thiếu."),
        405: _("Địa chỉ này không làm được việc đó."),
        413: _("Gửi lên nhiều quá, mỗi lần tối đa %(most)s.", most=_size(request.max_content_length or 0)),
        415: _("Cần gửi dữ liệu dạng JSON."),
    }
    slug = http.HTTPStatus(error.code).phrase.lower().replace(" ", "-")
    detail = told.get(error.code) or str(error.description or "")
    members: dict[str, Any] = {}
    data = getattr(error, "data", None) or {}
    if "messages" in data:
        slug, detail = "invalid", _("Dữ liệu gửi lên có chỗ chưa đúng.")
        members["errors"] = data["messages"].get("json", data["messages"])
    response = _answer(slug, http.HTTPStatus(error.code).phrase, error.code, detail, members)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _late() -> ResponseReturnValue:
    detail = _("Gửi lên giữa chừng thì đứt, chưa ghi được gì. Bác gửi lại nhé.")
    return _answer("body-too-slow", _("Mạng chậm quá"), 408, detail)


def _unexpected(error: Exception) -> ResponseReturnValue:
    if isinstance(error, UnicodeError) or (isinstance(error, DBAPIError) and "NUL" in str(error.orig)):
        return _told(BadInput("bad-text", _("Có ký tự không dùng được trong dữ liệu gửi lên.")))
    if isinstance(error, LATE):
        return _late()
    if isinstance(error, (DBAPIError, OSError)) and "actor" not in g:
        # The page around the answer is a guest's: who is signed in cannot be read now.
        g.actor = None
    if (storage := trouble_with_storage(error)) is not None:
        log.error("storage", why=storage.details["why"], exc_info=error)
        return _told(storage)
    if isinstance(error, OperationalError):
        log.error("database", error=type(error.orig).__name__, exc_info=error)
        busy = _("Sổ đang bận, chưa ghi được gì. Bác thử lại sau ít phút nhé.")
        return _answer("unavailable", _("Đang bận"), 503, busy)
    log.error("unexpected", error=type(error).__name__, exc_info=error)
    if current_app.testing:
        raise error
    return _answer(
        "internal", _("Có lỗi ở phía chúng tôi"), 500, _("Việc này chưa làm được và chưa ghi gì. Bác thử lại sau nhé.")
    )


def _answer(slug: str, title: str, status: int, detail: str, members: Mapping[str, Any] | None = None) -> Response:
    members = members or {}
    if wants_json():
        return problem(slug, title, status, detail, members)
    page = render_template("problem.html", title=title, detail=detail, status=status, details=members)
    return Response(page, status=status, mimetype="text/html")


def _explain(slug: str) -> ResponseReturnValue:
    return render_template(
        "problem.html", title=slug, status=404, details={},
        detail=_("Tên của một loại lỗi. Câu trả lời mang nó nói rõ chuyện gì đã xảy ra."),
    ), 200


def _measure() -> None:
    """Give a body sent in chunks its length: without one it could not be refused, and Werkzeug cuts it off silently."""
    if "Transfer-Encoding" not in request.headers:
        return
    limit = request.max_content_length or 0
    try:
        body = request.environ["wsgi.input"].read(limit + 1)
    except LATE:
        raise
    except Exception as error:  # gunicorn's errors of a broken chunk are of several kinds, and none is known here
        raise Malformed("bad-body", _l("Dữ liệu gửi lên bị đứt giữa chừng.")) from error
    if len(body) > limit:
        raise RequestEntityTooLarge
    del request.environ["HTTP_TRANSFER_ENCODING"]
    request.environ.update({"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))})


def _read_json() -> None:
    """Refuse JSON that Python cannot hold: brackets 100,000 deep, a number of 100,000 digits.

    Flask keeps what was read, so that a view does not read it again.
    """
    if request.method in ("GET", "HEAD", "OPTIONS") or not request.is_json:
        return
    try:
        request.get_json()
    except RecursionError as error:
        raise Malformed("bad-json", _l("Dữ liệu gửi lên lồng nhau sâu quá, không đọc được.")) from error


def _drain(response: Response) -> Response:
    gone = response.status_code == http.HTTPStatus.REQUEST_TIMEOUT
    if response.status_code >= 400 and not gone and (request.content_length or "Transfer-Encoding" in request.headers):
        left = DRAIN
        stream = request.environ["wsgi.input"]
        with suppress(Exception):  # as in _measure: what cannot be read has been answered already
            while left > 0 and (chunk := stream.read(min(left, 65536))):
                left -= len(chunk)
    return response
