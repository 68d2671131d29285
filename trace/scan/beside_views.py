"""What stands beside a scan page: its share card, and the script that keeps the page for when there is no network."""

import json

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue

from trace.gs1.digital_link import DigitalLink
from trace.gs1.errors import Gs1Error
from trace.scan import card, cards, family
from village.db import db
from village.errors import Malformed, NotFound, TooMany
from village.i18n import LANGUAGES
from village.i18n import lazy_gettext as _l
from village.web.assets import YEAR
from village.web.modules import SCRIPTS, worker
from village.web.security import POLICY

pages = Blueprint("scan_beside", __name__)


@pages.get("/cards/<language>/<gtin>/<path:name>", merge_slashes=False)
def share_card(language: str, gtin: str, name: str) -> ResponseReturnValue:
    """A lot's picture for messengers, `/cards/<vi|en>/<gtin>/<lot>.png`. `v` is the mark that its page gave: with
    today's it is kept for ever, with another the reader asks again."""
    lot, _dot, ending = name.rpartition(".")
    if language not in LANGUAGES or ending != "png":
        raise NotFound("no-card", _l("Không có hình nào ở địa chỉ này."))
    g.language = language
    try:
        link = DigitalLink(gtin, lot)
    except Gs1Error as error:
        raise Malformed(
            error.slug, _l("Địa chỉ của hình không đúng: cần GTIN 14 số đúng số kiểm tra, rồi đến mã lô.")
        ) from error
    batch = family.find(db.session(), link.gtin, lot)
    if batch is None:
        raise NotFound("no-lot", _l("Không có lô nào mang mã %(lot)s, nên không có hình."), gtin=gtin, lot=lot)
    told = cards.card_of(batch, cards.certificates_about(db.session(), batch))
    mark = cards.digest(told)
    db.session.remove()  # drawing takes a while, and needs no connection
    try:
        response = Response(status=304) if request.if_none_match.contains_weak(mark) else Response(card.png(told))
    except card.Busy as busy:
        raise TooMany("busy", _l("Nhiều người hỏi hình quá, lát nữa thử lại nhé."), retry_after=5) from busy
    response.mimetype = "image/png"
    response.set_etag(mark)
    current = request.args.get("v") == mark
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if current else "public, no-cache"
    return response


@pages.get("/scan/sw.js")
def service_worker() -> ResponseReturnValue:
    """What shows a page of a pack that was seen before, when there is no network."""
    return worker(f"const POLICY = {json.dumps(POLICY)};\n" + (SCRIPTS / "scan-sw.js").read_text(), "/01/")
