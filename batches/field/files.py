"""The field app's files: its modules under addresses that carry their version, and what its service worker keeps."""

import hashlib
from functools import cache
from pathlib import Path

from batches.field.drawn import pictures, sounds
from village.web.assets import asset
from village.web.modules import SCRIPTS, File, scripts

ENTRIES = ("field/app.js", "field/background.js")
"""The module that the page loads, and the one that the service worker runs."""
PAGES = Path(__file__).parent / "templates" / "field"
ICONS = (
    ("icons/soi-192.png", 192, "any"),
    ("icons/soi-512.png", 512, "any"),
    ("icons/soi-maskable-512.png", 512, "maskable"),
)
"""Name under static/, pixels each way, purpose as the web app manifest names it."""


@cache
def files() -> dict[str, File]:
    """The modules by name."""
    return scripts(tuple(name for name in ENTRIES if (SCRIPTS / name).exists()))


@cache
def version() -> str:
    """Changes with any of the files, the page, its words and its style sheet. Needs an app's context."""
    digest = hashlib.sha256()
    pages = [path.read_bytes() for path in sorted(PAGES.glob("*.html"))]
    for body in (*(one.body for one in files().values()), *pages, (SCRIPTS / "field-sw.js").read_bytes()):
        digest.update(hashlib.sha256(body).digest())
    digest.update("".join(_static()).encode())
    return digest.hexdigest()[:12]


def address(name: str) -> str:
    """Where the page finds this module."""
    return f"/field/{version()}/{name}"


def kept_offline() -> list[str]:
    """The addresses that the service worker keeps beside the page: all that the app needs without a network."""
    return [*(address(name) for name in sorted(files())), *_static(), "/field/manifest.webmanifest"]


def _static() -> list[str]:
    drawn = (f"pictures/{name}.svg" for name in pictures())
    heard = (f"sounds/{name}" for name in sounds())
    return list(dict.fromkeys(asset(name) for name in ("field.css", "favicon.svg", *drawn, *heard)))
