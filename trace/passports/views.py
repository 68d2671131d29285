"""`/passports/<gtin>`: a product's passport as page, JSON-LD or PDF, whichever is asked for; and what its versions
said."""

import json
from collections.abc import Callable

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from trace.gs1.digital_link import DigitalLink
from trace.gs1.errors import Gs1Error
from trace.passports import jsonld, services, telling
from trace.passports.printing import passport_pdf
from trace.passports.services import Passport
from trace.scan import words
from village.errors import Malformed, SoiError
from village.i18n import in_language
from village.i18n import lazy_gettext as _l
from village.settings import Settings
from village.web.problems import problem

pages = Blueprint("passports", __name__, template_folder="templates")

PAGE, JSON_LD, PDF = "text/html", "application/ld+json", "application/pdf"
FORMS = (PAGE, JSON_LD, PDF)
ENDINGS = {".jsonld": JSON_LD, ".pdf": PDF}


@pages.get("/passports/<gtin>")
def passport(gtin: str) -> ResponseReturnValue:
    """The passport: by its address' ending, or as the asker's program prefers it."""
    form = next((form for ending, form in ENDINGS.items() if gtin.endswith(ending)), "")
    negotiated = not form
    if form:
        gtin = gtin.rpartition(".")[0]
    else:
        form = request.accept_mimetypes.best_match(FORMS, PAGE)
    try:
        response = _answer(_link(gtin), form)
    except SoiError as error:
        if form == PAGE:
            raise
        response = problem(error.slug, str(error.title), error.status, str(error), {})
    response.vary.update(("Accept", "Cookie") if negotiated else ("Cookie",))
    if form == JSON_LD:
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@pages.get("/passports/<gtin>/versions/<number:number>.json")
def version(gtin: str, number: int) -> ResponseReturnValue:
    """What one version said: the very bytes whose hash it has."""
    body = services.version_body(_link(gtin), number)
    response = Response(body, mimetype="application/json")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.add_etag()
    return response.make_conditional(request)


def _link(gtin: str) -> DigitalLink:
    try:
        return DigitalLink(gtin)
    except Gs1Error as error:
        raise Malformed(
            error.slug, _l("Địa chỉ của hộ chiếu không đúng: cần GTIN 14 số, đúng số kiểm tra.")
        ) from error


def _answer(link: DigitalLink, form: str) -> Response:
    make: dict[str, Callable[[Passport], bytes]] = {PAGE: _page, JSON_LD: _json_ld, PDF: _pdf}
    kept = services.kept(link, form, make[form])
    response = Response(kept.body, content_type=f"{form}; charset=utf-8" if form == PAGE else form)
    response.set_etag(kept.etag, weak=True)
    response.headers["Cache-Control"] = "no-cache"
    base = f"/passports/{link.gtin}"
    for ending, other in ENDINGS.items():
        if other != form:
            response.headers.add("Link", f'<{base}{ending}>; rel="alternate"; type="{other}"')
    response.headers.add("Link", f'<{link.path}>; rel="describes"')
    if form == PDF:
        response.headers["Content-Disposition"] = f'inline; filename="ho-chieu-{link.gtin}.pdf"'
    response.make_conditional(request)
    return response


def _settings() -> Settings:
    found: Settings = current_app.extensions["soi"]
    return found


def _page(found: Passport) -> bytes:
    told = found.told
    items = telling.groups(told)
    return render_template(
        "passports/passport.html",
        passport=found,
        name=in_language(told["texts"]["name"]["vi"], told["texts"]["name"]["en"]),
        story=in_language(told["texts"]["story"]["vi"], told["texts"]["story"]["en"]),
        groups=items,
        missing=telling.missing(items),
        words=words,
        paths={lot.id: DigitalLink(lot.gtin, lot=lot.lot).path for lot in found.lots},
        # The page is the same for everybody and is kept: nothing of this one reader may get onto it.
        nav=[],
        get_flashed_messages=lambda **_: [],
    ).encode()


def _json_ld(found: Passport) -> bytes:
    public_url, version = _settings().public_url, found.version
    address = f"{public_url}/passports/{found.gtin}/versions/{version.number}.json"
    lots = [
        jsonld.Lot(lot.epc, DigitalLink(lot.gtin, lot=lot.lot).under(public_url), lot.lot)
        for lot in found.lots
    ]
    edition = jsonld.Edition(version.number, version.since.isoformat(), version.sha256, address)
    told = jsonld.document(found.told, edition, lots, public_url)
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


def _pdf(found: Passport) -> bytes:
    return passport_pdf(found, _settings().public_url, training=_settings().training)
