"""Static files under addresses that change with their content, so that browsers may keep them for ever."""

import hashlib
from functools import cache

from flask import Flask, Response, request, url_for

from village.settings import ROOT

YEAR = 365 * 86400
NO_PICTURE = "pictures/proof.svg"


@cache
def _version(name: str) -> str:
    return hashlib.sha256((ROOT / "static" / name).read_bytes()).hexdigest()[:10]


def asset(name: str) -> str:
    """The address of static file `name`, versioned by its content.

    A picture that nobody drew yet is the strand's: a product's picture is a name that the office types.
    """
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
            response.headers["Cache-Control"] = (
                f"public, max-age={YEAR}, immutable" if known else "public, max-age=300"
            )
        elif "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store" if request.cookies else "no-cache"
        return response
