"""Two languages, Vietnamese first. The Vietnamese text is the message's own name; English comes from the catalogues.

Each package keeps `locale/en.po`. The catalogues are read as they are at start-up, so there is no compile step.
A page speaks Vietnamese until its reader asks otherwise (`?lang=en`, remembered in a cookie); the JSON addresses
follow `Accept-Language`, since a program has no cookie, and so do GS1's, where a stranger's phone lands.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import cache, lru_cache
from io import BytesIO
from typing import Any

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import LazyProxy, NullTranslations, Translations
from flask import Flask, g, has_request_context, request
from flask.wrappers import Response
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from village.clock import VN
from village.settings import ROOT

LANGUAGES = ("vi", "en")
COOKIE = "soi_lang"
PACKAGES = ("village", "trace", "batches", "shop")
MACHINE_PATHS = ("/api/", "/epcis/", "/hooks/")
GS1_PATHS = ("/01/", "/00/", "/414/")


def current_language() -> str:
    """`vi` or `en`, for this request."""
    if not has_request_context():
        return str(g.get("language", "vi")) if g else "vi"
    if "language" not in g:
        g.language = _asked_language()
    return str(g.language)


def _asked_language() -> str:
    for asked in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if asked in LANGUAGES:
            return asked
    if request.path.startswith((*MACHINE_PATHS, *GS1_PATHS)):
        return lookup(request.headers.get("Accept-Language", "")) or "vi"
    return "vi"


@lru_cache(maxsize=1024)
def lookup(accept_language: str, spoken: tuple[str, ...] = LANGUAGES) -> str:
    """The language of `spoken` that a header Accept-Language likes best, empty where it likes none.

    Source: RFC 4647, section 3.4: `en-GB` is served `en`. A `*` decides nothing.
    """
    for tag, quality in parse_accept_header(accept_language, Accept):
        parts = tag.lower().split("-")
        for length in range(len(parts), 0, -1):
            if quality > 0 and (found := "-".join(parts[:length])) in spoken:
                return found
    return ""


@cache
def translations(language: str) -> NullTranslations:
    """The merged catalogue of all packages for `language`; Vietnamese needs none."""
    merged: NullTranslations = NullTranslations()
    if language == "vi":
        return merged
    for package in PACKAGES:
        path = ROOT / package / "locale" / f"{language}.po"
        if not path.exists():
            continue
        compiled = BytesIO()
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, locale=language))
        compiled.seek(0)
        catalogue = Translations(compiled)
        merged = catalogue.merge(merged) if isinstance(merged, Translations) else catalogue
    return merged


def gettext(message: str, /, **values: object) -> str:
    """`message` in the reader's language, with its `%(name)s` filled in."""
    text = str(translations(current_language()).gettext(message))
    return text % values if values else text


def ngettext(message: str, count: int, /, **values: object) -> str:
    """As `gettext`, in the form that goes with `count`; Vietnamese has one form for any number."""
    text = str(translations(current_language()).ngettext(message, message, count))
    return text % values if values else text


def marked(message: str, /) -> str:
    """`message` itself, known to the catalogues: for a text that is stored, and translated where it is shown."""
    return message


def lazy_gettext(message: str, /) -> LazyProxy:
    """`message`, translated when it is shown: for texts named at import time."""
    return LazyProxy(lambda: str(translations(current_language()).gettext(message)), enable_cache=False)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Within the block everything is in `language`, whatever the reader's: for what is written to somebody else."""
    before = g.get("language")
    g.language = language
    try:
        yield
    finally:
        if before is None:
            g.pop("language", None)
        else:
            g.language = before


def in_language(vi: str, en: str) -> str:
    """The one of two stored texts that the reader reads; falls back to the other where one is empty."""
    return (vi or en) if current_language() == "vi" else (en or vi)


def number(value: int | float | Decimal) -> str:
    """A number as the reader writes it: 1.250.000 in Vietnamese."""
    return _number(value, current_language())


@lru_cache(maxsize=4096)
def _number(value: int | float | Decimal, language: str) -> str:
    """Kept, for a page has dozens and most of them again and again."""
    return str(format_decimal(value, locale=language))


def dong(value: int) -> str:
    """Whole đồng: `1.250.000 đ`."""
    return f"{number(value)}\u00a0đ"


def kilograms(grams: int) -> str:
    """Grams shown as kilograms, exactly: `1.250 kg`, `0,5 kg`."""
    return f"{number(Decimal(grams) / 1000)}\u00a0kg"


def percent(ratio: float | Decimal, digits: int = 1) -> str:
    """A ratio (0.125) as `12,5 %`."""
    return f"{number(round(Decimal(str(ratio)) * 100, digits).normalize() + 0)}\u00a0%"


def date(value: dt.date | dt.datetime) -> str:
    """A day in the village: `20/11/2026`."""
    return str(format_date(_local(value), "dd/MM/yyyy", locale=current_language()))


def moment(value: dt.datetime) -> str:
    """A time in the village: `06:30, 20/11/2026`."""
    return str(format_datetime(_local(value), "HH:mm, dd/MM/yyyy", locale=current_language()))


def clock(value: dt.datetime) -> str:
    """The time of day in the village: `06:30`."""
    return str(format_datetime(_local(value), "HH:mm", locale=current_language()))


def _local(value: Any) -> Any:
    return value.astimezone(VN) if isinstance(value, dt.datetime) else value


def _remember(response: Response) -> Response:
    asked = request.args.get("lang")
    if asked in LANGUAGES and request.method == "GET":
        response.set_cookie(COOKIE, asked, max_age=365 * 86400, samesite="Lax", httponly=True)
    return response


def init_app(app: Flask) -> None:
    """Give the templates `_`, the language and the filters; remember what the reader asked for."""
    app.jinja_env.globals.update(
        _=gettext, _n=ngettext, gettext=gettext, current_language=current_language, in_language=in_language
    )
    app.jinja_env.filters.update(
        number=number, dong=dong, kg=kilograms, percent=percent, date=date, datetime=moment, clock=clock
    )
    app.after_request(_remember)
