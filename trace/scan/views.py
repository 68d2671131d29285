"""The scan page and GS1 Digital Link resolver: `/01/<gtin>`, `/01/<gtin>/10/<lot>`, `…/21/<serial>`."""

import json
from dataclasses import replace

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from trace.gs1.digital_link import DigitalLink, parse_path
from trace.scan import answers, links, linkset, services, words
from trace.scan.asked import Asked
from trace.scan.cache import Kept
from trace.units import page as packs
from trace.units import services as units
from village.db import db
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.web.front import KEPT, whole

ROUTE = "/01/<path:_rest>"
pages = Blueprint("scan", __name__, template_folder="templates")
answers.init_app(pages)


@pages.route(ROUTE, methods=["GET", "OPTIONS"], provide_automatic_options=False, merge_slashes=False)
def resolve(_rest: str) -> ResponseReturnValue:
    """What a phone opens after it scanned a pack; also what GS1's systems ask."""
    return answers.resolved(parse_path, _answer)


@pages.route("/.well-known/gs1resolver", methods=["GET", "OPTIONS"], provide_automatic_options=False)
def resolver() -> ResponseReturnValue:
    """What this resolver can do, for GS1's systems."""
    if request.method == "OPTIONS":
        return answers.preflight()
    response = jsonify(linkset.resolver(current_app.extensions["soi"].public_url))
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _answer(link: DigitalLink, asked: Asked) -> Response:
    if link.variant is not None:
        raise NotFound("no-variant", _l("Bình Lư không dùng mã biến thể (22). Bác bỏ phần ấy đi là xem được."))
    if link.lot is None:
        return _product(link, asked) if link.serial is None else _pack(link)
    try:
        if asked.one_kind:
            return answers.sent_on(_linkset(link), asked)
        if asked.listing and link.serial is not None:
            return answers.linkset_of(_linkset(link), asked)
        return _sent(services.answer(link, asked.form), link)
    except NotFound as error:
        if not asked.by_person or error.slug != "no-lot":
            raise
        return _unknown(link, error)


def _linkset(link: DigitalLink) -> linkset.Document:
    found: linkset.Document = json.loads(services.answer(replace(link, serial=None), linkset.LINKSET).body)
    unit = units.unit(db.session(), link.gtin, link.serial) if link.serial is not None else None
    return links.with_pack(found, link) if unit is not None and unit.batch.lot == link.lot else found


def _sent(kept: Kept, link: DigitalLink) -> Response:
    if link.serial is not None and kept.mimetype == services.PAGE:
        # One pack's own: neither remembered by the front nor the same for two packs.
        return packs.answer(kept.body, link.gtin, link.lot or "", link.serial)
    request.environ[KEPT] = kept
    return whole(kept, answers.content_type(kept.mimetype))


def _product(link: DigitalLink, asked: Asked) -> Response:
    found = services.product(link.gtin)
    if asked.form == linkset.JSON_LD and asked.default:
        raise NotFound("no-lot-asked", _l("Câu chuyện có ở từng lô. Bác thêm mã lô vào địa chỉ nhé."))
    if not (asked.default and asked.by_person):
        return answers.about(links.of_product(found), asked)
    if found.price is not None and found.active:
        return answers.sent_to(f"/products/{found.slug}")
    lots = services.lots_of(found.gtin)
    return Response(render_template("scan/product.html", product=found, name=words.name(found), lots=lots))


def _pack(link: DigitalLink) -> Response:
    """A serial without its lot: sent on to the address with both, if the number was issued."""
    unit = units.unit(db.session(), link.gtin, link.serial or "")
    if unit is None:
        raise NotFound("serial-without-lot", _l("Số riêng của gói phải đi cùng mã lô. Bác quét lại cả mã giúp nhé."))
    return answers.sent_to(DigitalLink(link.gtin, unit.batch.lot, link.serial).path)


def _unknown(link: DigitalLink, error: NotFound) -> Response:
    """A lot that is not ours: say so plainly, and what to do."""
    try:
        product = services.product(link.gtin)
    except NotFound:
        product = None
    name = words.name(product) if product else ""
    page = render_template("scan/unknown.html", link=link, product=product, name=name, words=words, detail=str(error))
    return Response(page, status=404)
