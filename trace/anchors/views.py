"""The stamps in public."""

import datetime as dt

from flask import Blueprint, Response, url_for
from flask.typing import ResponseReturnValue

from trace.anchors import services
from village.web.assets import YEAR

pages = Blueprint("anchors", __name__, url_prefix="/ledger/anchors")


@pages.get("")
def listed() -> ResponseReturnValue:
    """All stamps, oldest first, one a line: size, the authority's time, the authority, address of the token."""
    lines = [
        f"{kept.anchor.size} {_utc(kept.anchor.stamped_at)} {kept.anchor.authority} "
        f"{url_for('anchors.token', size=kept.anchor.size, number=kept.number)}\n"
        for kept in services.anchors()
    ]
    return _open(Response("".join(lines), mimetype="text/plain"), "public, max-age=300")


@pages.get("/<number:size>/<number:number>.tsr")
def token(size: int, number: int) -> ResponseReturnValue:
    """A stamp as the authority sent it: a TimeStampResp in DER."""
    response = Response(services.token(size, number), mimetype="application/timestamp-reply")
    response.headers["Content-Disposition"] = f'attachment; filename="{size}-{number}.tsr"'
    return _open(response, f"public, max-age={YEAR}, immutable")


def _utc(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _open(response: Response, caching: str) -> Response:
    """Anybody's verifier, on any site, may read it."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = caching
    return response
