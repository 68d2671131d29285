"""Every text that a person sees is written in Vietnamese and has its English beside it."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from flask import Flask

from village.i18n import PACKAGES, ngettext, speaking
from village.settings import ROOT

KEYWORDS = {"_": None, "_n": None, "ngettext": None, "_l": None, "gettext": None, "lazy_gettext": None, "marked": None}
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


def _said(room: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(text, its English in each of its forms) of everything in a room's catalogue."""
    for message in _catalogue(ROOT / room / "locale" / "en.po"):
        if message.id:
            name, forms = message.id, message.string
            yield name if isinstance(name, str) else name[0], (forms,) if isinstance(forms, str) else tuple(forms or ())


@cache
def _english() -> dict[str, tuple[str, ...]]:
    """All catalogues as one, as the village reads them."""
    return {text: forms for room in PACKAGES for text, forms in _said(room)}


@pytest.mark.parametrize("room", PACKAGES)
def test_every_text_of_a_room_has_its_english(room: str) -> None:
    english = _english()
    missing = [f"{where}: {text}" for text, where in _texts(room) if not all(english.get(text) or [""])]
    assert not missing, "\n" + "\n".join(missing)


@pytest.mark.parametrize("room", PACKAGES)
def test_both_languages_have_places_for_the_same_values(room: str) -> None:
    pairs = [(text, form) for text, forms in _said(room) for form in forms]
    differing = [f"{vi!r} -> {en!r}" for vi, en in pairs if set(PLACE.findall(vi)) != set(PLACE.findall(en))]
    assert not differing, "\n" + "\n".join(differing)


@pytest.mark.parametrize("room", PACKAGES)
def test_no_catalogue_keeps_what_nobody_says_any_more(room: str) -> None:
    said = {text for other in PACKAGES for text, _ in _texts(other)}
    assert [text for text, _forms in _said(room) if text not in said] == []


def test_no_text_is_put_into_english_in_two_ways() -> None:
    seen: dict[tuple[str, int], tuple[str, ...]] = {}
    for room in PACKAGES:
        for text, forms in _said(room):
            assert seen.setdefault((text, len(forms)), forms) == forms, text


def test_one_is_not_counted_as_many_in_english(app: Flask) -> None:
    with speaking("en"):
        assert [ngettext("%(count)s gói", n, count=n) for n in (1, 2, 0)] == ["1 pack", "2 packs", "0 packs"]
    assert [ngettext("%(count)s gói", n, count=n) for n in (1, 2, 0)] == ["1 gói", "2 gói", "0 gói"]
