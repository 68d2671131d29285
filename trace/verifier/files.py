"""The browser verifier's files: its modules and words, under addresses that change with their content."""

import hashlib
from functools import cache
from pathlib import Path

from flask import g, render_template

from village.i18n import LANGUAGES
from village.web.assets import asset
from village.web.frame import GUESTS
from village.web.modules import SCRIPTS, File, file_of, modules, scripts

ENTRIES = ("verify.js", "scan-proof.js", "live-order.js")
"""The modules that pages load; what they import follows."""
PICTURES = ("soi", "proof", "cut-strand", "help", *(picture for _, _, picture in GUESTS))


@cache
def files() -> dict[str, File]:
    """Everything by name: the modules, and the words of each language (`words.vi.html`). Needs an app's context."""
    return scripts(ENTRIES) | {f"words.{language}.html": _words(language) for language in LANGUAGES}


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


def _static() -> list[str]:
    names = ["soi.css", "favicon.svg", *dict.fromkeys(f"pictures/{name}.svg" for name in PICTURES)]
    return [asset(name) for name in names]


def _words(language: str) -> File:
    before = g.get("language")
    g.language = language
    try:
        return file_of(render_template("verifier/words.html").encode(), "text/html")
    finally:
        if before is None:
            g.pop("language")
        else:
            g.language = before
