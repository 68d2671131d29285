"""Browser modules under addresses that change with their content, plain and gzipped, for pages that work offline.

Modules import one another by relative address, so all of a page's modules stand in one folder that carries its version.
"""

import gzip
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from flask import Response, request

from village.settings import ROOT
from village.web.assets import YEAR

SCRIPTS = ROOT / "static" / "js"
_IMPORT = re.compile(r'^import [^;]*?from "(\.[^"]+)";$', re.MULTILINE)


@dataclass(frozen=True)
class File:
    """What is served under one name, plain and gzipped."""

    body: bytes
    zipped: bytes
    mimetype: str


def file_of(body: bytes, mimetype: str) -> File:
    """A file with its gzipped form, which is the same every time."""
    return File(body, gzip.compress(body, 9, mtime=0), mimetype)


def modules(entries: tuple[str, ...]) -> list[str]:
    """These modules and all that they import, by their path under static/js."""
    found: dict[str, None] = dict.fromkeys(entries)
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        for wanted in _IMPORT.findall((SCRIPTS / name).read_text()):
            other = str(PurePosixPath((SCRIPTS / name).parent.joinpath(wanted).resolve().relative_to(SCRIPTS)))
            if other not in found:
                found[other] = None
                waiting.append(other)
    return list(found)


def scripts(entries: tuple[str, ...]) -> dict[str, File]:
    """These modules and all that they import, as files by name."""
    return {name: file_of((SCRIPTS / name).read_bytes(), "text/javascript") for name in modules(entries)}


def answer(found: File, *, current: bool) -> Response:
    """The file, gzipped for whoever takes it so. `current`: its address has its very version, and is kept for ever."""
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(found.zipped if zipped else found.body, content_type=f"{found.mimetype}; charset=utf-8")
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if current else "no-cache"
    return response


def worker(told: str, scope: str) -> Response:
    """A service worker's script, for the pages under `scope`."""
    response = Response(told, content_type="text/javascript; charset=utf-8")
    response.headers["Service-Worker-Allowed"] = scope
    response.headers["Cache-Control"] = "no-cache"
    return response
