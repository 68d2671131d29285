"""Static files under addresses that change with their content, so that browsers may keep them for ever."""

import gzip
import hashlib
from functools import cache, lru_cache

from flask import Flask, Response, has_request_context, request, url_for

from village.settings import ROOT

YEAR = 365 * 86400
ZIPPED = ("text/css", "text/javascript", "image/svg+xml")
"""What gets much shorter on its way to a phone with a poor signal."""
NO_PICTURE = "pictures/proof.svg"


@cache
def _version(name: str) -> str:
    return hashlib.sha256((ROOT / "static" / name).read_bytes()).hexdigest()[:10]


@cache
def _zipped(name: str, version: str) -> bytes:
    return gzip.compress((ROOT / "static" / name).read_bytes(), 9, mtime=0)


def zipped(response: Response, body: bytes | None = None) -> Response:
    """The same answer, gzipped where the browser takes that: as `body` if that is at hand."""
    response.vary.add("Accept-Encoding")
    if "gzip" not in request.headers.get("Accept-Encoding", "") or response.status_code != 200:
        return response
    if body is None:
        body = gzip.compress(response.get_data(), 6, mtime=0)
    response.direct_passthrough = False
    # A file that was to be sent is not needed any more.
    if close := getattr(response.response, "close", None):
        close()
    response.set_data(body)
    response.headers["Content-Encoding"] = "gzip"
    return response


def asset(name: str) -> str:
    """The address of static file `name`, versioned by its content.

    A picture that nobody drew yet is the strand's: a product's picture is a name that the office types.
    """
    return _address(request.script_root if has_request_context() else "", name)


@lru_cache(maxsize=2048)
def _address(_root: str, name: str) -> str:
    """Kept for each place that a proxy may have put us: a page has a dozen."""
    if name.startswith("pictures/") and not (ROOT / "static" / name).is_file():
        name = NO_PICTURE
    return url_for("static", filename=name, v=_version(name))


def init_app(app: Flask) -> None:
    """Give templates `asset()` and cache what is asked for with its version."""
    app.jinja_env.globals["asset"] = asset

    @app.after_request
    def _cache(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code in (200, 304):
            known = request.args.get("v")
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if known else "public, max-age=300"
            name = str((request.view_args or {})["filename"])
            if known == _version(name) and request.method == "GET" and response.mimetype in ZIPPED:
                zipped(response, _zipped(name, known))
        elif "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store" if request.cookies else "no-cache"
        return response
