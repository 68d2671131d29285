"""The witness over HTTP (c2sp.org/tlog-witness): a small app of its own, which needs no village."""

import sqlite3
from pathlib import Path

import structlog
from flask import Flask, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from trace.witness.core import MAX_REQUEST, SIZE_TYPE, Refusal, hear
from trace.witness.state import State
from village import i18n
from village.settings import ROOT
from village.web import assets
from village.web.security import POLICY

log = structlog.get_logger()
STATE = "soi.witness"


def create_app(folder: Path) -> Flask:
    """The witness whose state lies in `folder`. Raises WitnessTrouble when it was never begun, or lost its state."""
    templates = Path(__file__).parent / "templates"
    app = Flask("soi-witness", static_folder=str(ROOT / "static"), template_folder=str(templates))
    app.extensions[STATE] = State(folder)
    i18n.init_app(app)
    assets.init_app(app)
    app.add_url_rule("/add-checkpoint", "add_checkpoint", _add_checkpoint, methods=["POST"])
    app.add_url_rule("/<digest>/checkpoint", "checkpoint", _checkpoint)
    app.add_url_rule("/key", "key", _key)
    app.add_url_rule("/healthz", "healthz", _healthz)
    app.add_url_rule("/", "page", _page)
    app.register_error_handler(sqlite3.Error, _no_disk)
    app.after_request(_harden)
    return app


def _add_checkpoint() -> ResponseReturnValue:
    body = _body()
    if body is None:
        return _plain(f"A request has at most {MAX_REQUEST} bytes.\n", 413)
    state = _state()
    heard = hear(body, state.logs())
    answer = heard if isinstance(heard, Refusal) else state.consider(heard)
    if isinstance(answer, str):
        return _plain(answer)
    if answer.evidence:
        log.warning("witness refused", kind=answer.evidence, reason=answer.reason)
    if answer.size is not None:
        return Response(f"{answer.size}\n", answer.status, content_type=SIZE_TYPE)
    return _plain(answer.reason + "\n", answer.status)


def _checkpoint(digest: str) -> ResponseReturnValue:
    """The newest checkpoint that was cosigned of a log, by the SHA-256 (hex) of its origin."""
    head = _state().head_of(digest)
    return _plain(head.note) if head else _plain("No checkpoint of such a log was cosigned here.\n", 404)


def _key() -> ResponseReturnValue:
    return _plain(_state().vkey + "\n")


def _healthz() -> ResponseReturnValue:
    _state().heads()
    return _plain("ok\n")


def _page() -> ResponseReturnValue:
    state = _state()
    heads = {head.origin: head for head in state.heads()}
    logs = [(origin, heads.get(origin)) for origin in sorted(heads.keys() | state.logs().keys())]
    evidence = state.evidence()
    forks = [found for found in evidence if found.kind == "fork"]
    unproven = [found for found in evidence if found.kind != "fork"]
    return render_template("witness/page.html", state=state, logs=logs, forks=forks, unproven=unproven)


def _body() -> bytes | None:
    """The request's body; None when it is too long. Read here, so that one without a length is bounded as well."""
    if request.content_length is not None and request.content_length > MAX_REQUEST:
        return None
    if request.content_length is None and "Transfer-Encoding" not in request.headers:
        return b""
    body: bytes = request.environ["wsgi.input"].read(min(request.content_length or MAX_REQUEST + 1, MAX_REQUEST + 1))
    return body if len(body) <= MAX_REQUEST else None


def _no_disk(error: sqlite3.Error) -> ResponseReturnValue:
    log.error("witness state", error=str(error))
    return _plain("This witness cannot keep its state now, and so cosigns nothing.\n", 503)


def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if request.method in ("GET", "HEAD"):
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _plain(text: str, status: int = 200) -> Response:
    return Response(text, status, mimetype="text/plain")


def _state() -> State:
    state: State = current_app.extensions[STATE]
    return state
