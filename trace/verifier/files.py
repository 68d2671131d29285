"""The browser verifier's files: its modules and words, under addresses that change with their content.

Modules import one another by relative address, so all of them stand in one folder that carries the version.
"""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from flask import g, render_template

from village.i18n import LANGUAGES
from village.settings import ROOT
from village.web.assets import asset
from village.web.frame import GUESTS

ENTRIES = ("verify.js", "scan-proof.js")
"""The modules that pages load; what they import follows."""
PICTURES = ("soi", "proof", "cut-strand", "help", *(picture for _, _, picture in GUESTS))
SCRIPTS = ROOT / "static" / "js"

_IMPORT = re.compile(r'^import [^;]*?from "(\.[^"]+)";$', re.MULTILINE)


@dataclass(frozen=True)
class File:
    """What is served under one name, plain and gzipped."""

    body: bytes
    zipped: bytes
    mimetype: str


@cache
def files() -> dict[str, File]:
    """Everything by name: the modules, and the words of each language (`words.vi.html`). Needs an app's context."""
    scripts = {name: _file((SCRIPTS / name).read_bytes(), "text/javascript") for name in modules(ENTRIES)}
    return scripts | {f"words.{language}.html": _words(language) for language in LANGUAGES}


@cache
def version() -> str:
    """Changes with any of the files, the page and its style sheet."""
    digest = hashlib.sha256()
    page = Path(__file__).parent / "templates" / "verifier" / "verify.html"
    for body in (*(one.body for one in files().values()), page.read_bytes(), (SCRIPTS / "verify-sw.js").read_bytes()):
        digest.update(hashlib.sha256(body).digest())
    digest.update("".join(_static()).encode())
    return digest.hexdigest()[:12]


def address(name: str) -> str:
    """Where a page finds this file."""
    return f"/verify/{version()}/{name}"


def kept_offline() -> list[str]:
    """The addresses that the service worker keeps: what the page needs without a network."""
    needed = {*modules(ENTRIES[:1]), *(name for name in files() if name.startswith("words."))}
    return [*(address(name) for name in sorted(needed)), *_static()]


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


def _static() -> list[str]:
    names = ["soi.css", "favicon.svg", *dict.fromkeys(f"pictures/{name}.svg" for name in PICTURES)]
    return [asset(name) for name in names]


def _words(language: str) -> File:
    before = g.get("language")
    g.language = language
    try:
        return _file(render_template("verifier/words.html").encode(), "text/html")
    finally:
        if before is None:
            g.pop("language")
        else:
            g.language = before


def _file(body: bytes, mimetype: str) -> File:
    return File(body, gzip.compress(body, 9, mtime=0), mimetype)
