"""A single pack's page: the lot's kept page with one block of its own, and the scan counted beside it."""

import gzip
from dataclasses import replace
from urllib.parse import quote

from flask import Response, current_app, render_template, request

from trace.gs1.digital_link import DigitalLink
from trace.units import words
from trace.units.counting import Counter
from trace.units.provinces import PROVINCES
from trace.units.reader import Reader, is_scan, reader
from trace.units.shown import FIRST, SEEN, State, state
from trace.units.writing import LotDay
from village.people.phones import shown_phone
from village.people.sign_in import COOKIE as SIGNED_IN

MARK = b"\xe2\x90\x9eunit\xe2\x90\x9e"
"""Where the block goes in a kept page (scan/slots/unit.html)."""
COUNTER = "soi.units"
FAST = 4
"""The effort of gzip where a page is packed for one reader only."""


def answer(body: bytes, gtin: str, lot: str, serial: str) -> Response:
    """The kept page of a lot, made this pack's own. No query but one; what is counted is written down later."""
    found = state(gtin, lot, serial)
    if found is not None:
        who = of_request()
        if is_scan(request.method, _header, SIGNED_IN in request.cookies):
            found = _count(found, who)
        body = body.replace(MARK, _block(found, DigitalLink(gtin, lot, serial), who).encode())
    headers = {"Cache-Control": "private, no-cache"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, FAST, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, content_type="text/html; charset=utf-8")


def of_request() -> Reader:
    """What this request says of its reader."""
    return reader(_header, request.remote_addr or "", current_app.extensions["soi"].scan_place_header)


def counter() -> Counter:
    """This process's."""
    found: Counter = current_app.extensions[COUNTER]
    return found


def _header(name: str) -> str:
    return request.headers.get(name, "")


def _count(found: State, who: Reader) -> State:
    """Count the scan; a pack of which this process counted one within the second was scanned before."""
    count = counter()
    if found.unit_id is None:
        count.lot(found.batch_id, LotDay(unknown=1))
        return found
    again = found.word == FIRST and not count.is_new(found.unit_id)
    count.scan(found.unit_id, found.batch_id, who)
    if found.recalled or found.expired:
        count.lot(found.batch_id, LotDay(recalled=int(found.recalled), expired=int(found.expired)))
    if not again:
        return found
    return replace(found, word=SEEN)


def _block(found: State, link: DigitalLink, who: Reader) -> str:
    return render_template(
        "units/block.html",
        pack=found,
        said=words.to_buyer(found.word, shown_phone(found.phone)) if found.doubtful else "",
        serial=words.in_groups(link.serial or ""),
        ask=found.unit_id is not None and not who.place,
        action=f"/units/{link.gtin}/{quote(link.serial or '', safe='')}/place",
        report=link.path.replace("/01/", "/ask/", 1).replace("/10/", "/", 1).replace("/21/", "/", 1),
        provinces=PROVINCES,
    )
