"""Whatever stands in a query string or in an address, no page breaks of it: it is shown, or refused in words."""

import uuid
import zlib
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import browser
from tests.support.soak import times
from tests.support.village import Village

HOSTILE = (
    "99999999999999999999999",
    "0000019999999999999999",
    "-9223372036854775809",
    "1e400",
    "0001-01-01",
    "9999-12-31",
    "\u0000",
    "\ud7ff\u202e" + "e\u0302\u0323" * 40,
    "x" * 4000,
    "' OR 1=1 --",
)
NAMES = (
    "after", "batch", "channel", "consent", "day", "days", "end", "first", "from", "household", "kind", "lang",
    "last", "linkType", "lot", "need", "next", "order", "page", "payment", "process", "product", "q",
    "season", "sheet", "span", "start", "status", "tick", "ticket", "to", "v", "w",
)  # fmt: skip
"""Every name that a view reads."""


SHARE = 3
"""In the suite each address meets every third value, and each value every third address; in `make soak` all do."""


def addresses(app: Flask, value: str, known: dict[str, str]) -> list[str]:
    """All that can be asked for, with `value` in the query and in each part of the address that takes a text."""
    found = []
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith("/static"):
            continue
        path = rule.rule
        for name in rule.arguments:
            converter = type(rule._converters[name]).__name__
            put = known.get(converter, quote(value, safe=""))
            path = path[: path.index("<")] + put + path[path.index(">") + 1 :]
        if times(1) > 1 or (zlib.crc32(rule.rule.encode()) + HOSTILE.index(value)) % SHARE == 0:
            found.append(path)
    return sorted(set(found))


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_no_page_breaks_of_what_stands_in_its_address(
    app: Flask, client: FlaskClient, village: Village, value: str
) -> None:
    village.sign_in(client, "office")
    other = browser(app)
    village.sign_in(other, "producer")
    seller = browser(app)
    village.sign_in(seller, "seller")
    query = "&".join(f"{name}={quote(value, safe='')}" for name in NAMES)
    known = {"UUIDConverter": str(uuid.UUID(int=7)), "IntegerConverter": "7"}
    # 501 says of an address that it is not offered.
    broken = [
        (path, answer.status_code)
        for path in addresses(app, value, known)
        for one in (client, other, seller)
        if (answer := one.get(f"{path}?{query}")).status_code >= 500 and answer.status_code != 501
    ]
    assert broken == []
