"""The scan page and GS1 Digital Link resolver: `/01/<gtin>`, `/01/<gtin>/10/<lot>`, `…/21/<serial>`."""

from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from trace.gs1.digital_link import DigitalLink, parse_path
from trace.gs1.errors import Gs1Error
from trace.scan import front, linkset, services, words
from trace.scan.cache import Kept
from village.errors import Malformed, NotFound, SoiError
from village.i18n import lazy_gettext as _l
from village.web.problems import problem

pages = Blueprint("scan", __name__, template_folder="templates")

FORMS = (services.PAGE, services.EPCIS, services.LINKSET, "application/json")
LINK_TYPES = {
    "linkset": services.LINKSET,
    "all": services.LINKSET,
    "gs1:traceability": services.EPCIS,
    f"{linkset.GS1}traceability": services.EPCIS,
}
REASONS = {
    "not-digits": _l("Mã GTIN chỉ gồm chữ số từ 0 đến 9."),
    "wrong-length": _l("Mã trên địa chỉ thiếu hoặc thừa chữ: GTIN viết đủ 14 số, mã lô từ 1 đến 20 chữ."),
    "wrong-check-digit": _l("Mã GTIN này sai số kiểm tra, chắc có một chữ số bị gõ nhầm."),
    "foreign-character": _l("Mã trên địa chỉ có ký tự không dùng được. Mã lô chỉ gồm chữ không dấu, số và dấu gạch."),
    "not-a-digital-link": _l("Địa chỉ này không phải mã GS1 đúng kiểu /01/GTIN/10/mã-lô."),
    "wrong-key-order": _l("Các phần của mã đứng sai thứ tự: phải là 01, 22, 10 rồi 21, mỗi phần một lần."),
}


@pages.get(front.ROUTE, merge_slashes=False)
def resolve(_rest: str) -> ResponseReturnValue:
    """What a phone opens after it scanned a pack; also what GS1's systems ask."""
    form = _form()
    try:
        response = _resolve(_link(), form)
    except SoiError as error:
        if form == services.PAGE:
            raise
        response = problem(error.slug, str(error.title), error.status, str(error), {})
    response.vary.update(("Accept", "Accept-Encoding", "Cookie"))
    if form != services.PAGE:
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@pages.get("/.well-known/gs1resolver")
def resolver() -> ResponseReturnValue:
    """What this resolver can do, for GS1's systems."""
    response = jsonify(linkset.resolver(current_app.extensions["soi"].public_url))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _resolve(link: DigitalLink, form: str) -> Response:
    if link.variant is not None:
        raise NotFound("no-variant", _l("Bình Lư không dùng mã biến thể (22). Bác bỏ phần ấy đi là xem được."))
    if link.lot is not None:
        try:
            return _sent(services.answer(link, form))
        except NotFound as error:
            if form != services.PAGE:
                raise
            return _unknown(link, error)
    if link.serial is not None:
        raise NotFound("serial-without-lot", _l("Số riêng của gói phải đi cùng mã lô. Bác quét lại cả mã giúp nhé."))
    return _product(link, form)


def _link() -> DigitalLink:
    try:
        return parse_path(_raw_path())
    except Gs1Error as error:
        reason = REASONS.get(error.slug, REASONS["not-a-digital-link"])
        raise Malformed(error.slug, reason, found=dict(error.params)) from error


def _raw_path() -> str:
    """The path as it came over the wire: escapes matter here, and WSGI's own path has lost them."""
    for name in ("RAW_URI", "REQUEST_URI"):
        uri = str(request.environ.get(name) or "")
        if uri:
            return uri.partition("?")[0] if uri.startswith("/") else urlsplit(uri).path
    return quote(request.path, safe="/!$&'()*+,;=:@~")


def _form() -> str:
    asked = request.args.get("linkType")
    if asked is not None:
        return LINK_TYPES.get(asked, services.PAGE)
    accept = request.headers.get("Accept", "")
    if "application/" not in accept or accept.startswith(services.PAGE):
        return services.PAGE  # every browser, without a parser's work
    best = request.accept_mimetypes.best_match(FORMS, services.PAGE)
    return services.LINKSET if best == "application/json" else str(best)


def _sent(kept: Kept) -> Response:
    request.environ[front.KEPT] = kept
    headers = {"ETag": f'W/"{kept.etag}"', "Cache-Control": "no-cache"}
    if request.if_none_match.contains_weak(kept.etag):
        return Response(status=304, headers=headers)
    body = kept.body
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body = kept.zipped
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, content_type=_content_type(kept.mimetype))


def _content_type(mimetype: str) -> str:
    return f"{mimetype}; charset=utf-8" if mimetype == services.PAGE else mimetype


def _product(link: DigitalLink, form: str) -> Response:
    found = services.product(link.gtin)
    if form == services.LINKSET:
        facts = linkset.Facts(link, words.name(found), lot_known=False)
        response = jsonify(linkset.linkset(facts, current_app.extensions["soi"].public_url))
        response.content_type = services.LINKSET
        return response
    if form == services.EPCIS:
        raise NotFound("no-lot-asked", _l("Câu chuyện có ở từng lô. Bác thêm mã lô vào địa chỉ nhé."))
    if found.price is not None and found.active:
        query = request.query_string.decode("latin-1")
        return redirect(f"/products/{found.slug}" + (f"?{query}" if query else ""), 302)  # type: ignore[return-value]
    lots = services.lots_of(found.gtin)
    page = render_template("scan/product.html", product=found, name=words.name(found), lots=lots)
    return Response(page)


def _unknown(link: DigitalLink, error: NotFound) -> Response:
    """A lot that is not ours: say so plainly, and what to do."""
    try:
        product = services.product(link.gtin)
    except NotFound:
        product = None
    name = words.name(product) if product else ""
    page = render_template("scan/unknown.html", link=link, product=product, name=name, words=words, detail=str(error))
    return Response(page, status=404)
