"""Every address of the shop that something can be posted to or asked for at, by what it wants in its path."""

import re
from collections.abc import Mapping

from flask import Flask

from village.settings import ROOT

SAFE = {"GET", "HEAD", "OPTIONS"}
_FIELD = re.compile(r"""(?:text|texts|get|getlist|ticked|whole_number|choice)\(\s*"([a-z_]{1,30})\"""")


Door = tuple[str, str, frozenset[str]]
"""Endpoint, path, and the names that its path has."""


_PLACE = re.compile(r"<(?:any\(([^,)]*)[^)]*\):|[^:<>]*(?:\([^)]*\))?:)?(\w+)>")
"""A place in an address: of the words that one of a few is chosen from, the first; its name."""


def doors(app: Flask, method: str, ids: Mapping[str, str], room: str = "shop.") -> list[Door]:
    """What takes `method` in a room; a name that `ids` lacks is a word, of several the first."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        module = getattr(view, "view_class", view).__module__
        if method not in (rule.methods or ()) or not module.startswith(room):
            continue
        path = _PLACE.sub(lambda place: place[1] or ids.get(place[2], "confirm"), rule.rule)
        found.append((rule.endpoint, path, frozenset(rule.arguments)))
    return sorted(found)


def unsafe(app: Flask) -> list[tuple[str, str]]:
    """(method, path) of everything in the house that changes something, the providers' own doors left out."""
    found = {
        (method, re.sub(r"<[^>]+>", "7", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - SAFE
        if not rule.rule.startswith("/hooks/")
    }
    return sorted(found)


def fields(room: str = "shop") -> list[str]:
    """The names that the room's views read out of forms."""
    names = (_FIELD.findall(path.read_text("utf-8")) for path in sorted((ROOT / room).rglob("*.py")))
    return sorted({name for some in names for name in some})
