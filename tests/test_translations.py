"""Every text that a person sees is written in Vietnamese and has its English beside it."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from village.i18n import PACKAGES
from village.settings import ROOT

KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "marked": None}
METHODS = {".py": "python", ".html": "jinja2.ext:babel_extract", ".txt": "jinja2.ext:babel_extract"}
PLACE = re.compile(r"%\((\w+)\)[sd]")


@cache
def _texts(room: str) -> list[tuple[str, str]]:
    """(text, where it stands) of everything in `room` that goes through gettext. Reading all rooms takes seconds."""
    return list(_extracted(room))


def _extracted(room: str) -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / room).rglob("*")):
        method = METHODS.get(path.suffix)
        if method is None or (path.suffix == ".txt" and "templates" not in path.parts):
            continue
        with path.open("rb") as file:
            for line, message, _comments, _context in extract(method, file, KEYWORDS, options={"encoding": "utf-8"}):
                where = f"{path.relative_to(ROOT)}:{line}"
                for text in message if isinstance(message, tuple) else (message,):
                    if text:
                        yield text, where


@cache
def _catalogue(path: Path) -> Catalog:
    if not path.exists():
        return Catalog(locale="en")
    with path.open("rb") as file:
        return read_po(file, locale="en", abort_invalid=True)


@cache
def _english() -> dict[str, str]:
    """All catalogues as one, as the village reads them."""
    found: dict[str, str] = {}
    for room in PACKAGES:
        for message in _catalogue(ROOT / room / "locale" / "en.po"):
            if message.id and isinstance(message.string, str):
                found[str(message.id)] = message.string
    return found


@pytest.mark.parametrize("room", PACKAGES)
def test_every_text_of_a_room_has_its_english(room: str) -> None:
    english = _english()
    missing = [f"{where}: {text}" for text, where in _texts(room) if not english.get(text)]
    assert not missing, "\n" + "\n".join(missing)


@pytest.mark.parametrize("room", PACKAGES)
def test_both_languages_have_places_for_the_same_values(room: str) -> None:
    catalogue = _catalogue(ROOT / room / "locale" / "en.po")
    pairs = [(str(message.id), str(message.string)) for message in catalogue if message.id and message.string]
    differing = [f"{vi!r} -> {en!r}" for vi, en in pairs if set(PLACE.findall(vi)) != set(PLACE.findall(en))]
    assert not differing, "\n" + "\n".join(differing)


@pytest.mark.parametrize("room", PACKAGES)
def test_no_catalogue_keeps_what_nobody_says_any_more(room: str) -> None:
    said = {text for other in PACKAGES for text, _ in _texts(other)}
    kept = [str(message.id) for message in _catalogue(ROOT / room / "locale" / "en.po") if message.id]
    assert [text for text in kept if text not in said] == []


def test_no_text_is_put_into_english_in_two_ways() -> None:
    seen: dict[str, str] = {}
    for room in PACKAGES:
        for message in _catalogue(ROOT / room / "locale" / "en.po"):
            if message.id:
                assert seen.setdefault(str(message.id), str(message.string)) == str(message.string), message.id
