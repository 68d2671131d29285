"""Whoever reads English finds every text of the village in English."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from flask.testing import FlaskClient

from village.i18n import PACKAGES, translations
from village.settings import ROOT

METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None}
PLACE = re.compile(r"%\(\w+\)s")


def texts(package: str) -> Iterator[tuple[Path, str]]:
    for name, _line, message, _comments, _context in extract_from_dir(
        str(ROOT / package), method_map=METHODS, keywords=KEYWORDS
    ):
        assert isinstance(message, str)
        yield Path(name), message


@pytest.mark.parametrize("package", PACKAGES)
def test_every_text_has_its_english_with_the_same_places_to_fill(package: str) -> None:
    english = translations("en")
    lacking = {
        message for _, message in texts(package) if english.gettext(message) == message and not message.isascii()
    }
    assert lacking == set()
    for _, message in texts(package):
        assert set(PLACE.findall(message)) == set(PLACE.findall(str(english.gettext(message))))


def test_a_reader_who_asks_for_english_keeps_it(client: FlaskClient) -> None:
    assert "Please type them again" not in client.get("/sign-in").text
    assert "Hello, please come in" in client.get("/sign-in?lang=en").text
    answer = client.post("/sign-in", data={"username": "nobody", "password": "x"})
    assert "Please type them again" in answer.text
