"""The storefront, a page for each product, its photos; the same for programs, for search engines and messengers."""

from collections.abc import Sequence

from flask import Blueprint, Response, current_app, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_smorest import Blueprint as ApiBlueprint

from shop.catalogue import guests, pictures, services, telling
from shop.catalogue.page import product_at
from shop.catalogue.schemas import ProductsSchema
from shop.catalogue.search import QUERY_MAX
from shop.catalogue.services import Offer
from trace.photos import pixels
from trace.photos.bare import JPEG, WEBP, Refused
from trace.photos.store import HASH
from trace.photos.views import POLICY
from trace.scan import card
from trace.scan.card import Card
from village import i18n
from village.db import db
from village.errors import BadInput, TooMany
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.settings import Settings
from village.web.assets import YEAR, zipped

pages = Blueprint("catalogue", __name__, template_folder="templates")
api = ApiBlueprint(
    "api_products", __name__, url_prefix="/api/products", description="What is sold, and how much is left."
)
HOUR = 3600
PRODUCT = "/products/<slug>"


@pages.get("/")
def storefront() -> ResponseReturnValue:
    """What is in stock by the ledger, or what of it somebody looks for."""
    query = " ".join(request.args.get("q", "").split())[:QUERY_MAX]
    found = services.found(query) if query else services.offers()
    return render_template("catalogue/storefront.html", offers=found, query=query)


@pages.get(PRODUCT)
def product(slug: str) -> ResponseReturnValue:
    """One product: its story, what the law asks, the lots that it is sold from."""
    return guests.answer(slug)


@pages.get("/products/<slug>/card.png")
def product_card(slug: str) -> ResponseReturnValue:
    """What messengers show for a product without photos. It names no price: they keep it for weeks."""
    found = product_at(db.session(), slug)
    told = Card(
        name=found.name,
        lot=i18n.kilograms(found.net_grams or 0),
        lines=(found.cooperative.name,),
        warning="",
        stars=services.stars_of([found.id]).get(found.id, 0),
        foot=_("Soi · quét gói là thấy cả đường đi"),
    )
    try:
        body = card.png(told)
    except card.Busy as error:
        raise TooMany("busy", _l("Đang vẽ nhiều hình quá. Bác thử lại sau một lát nhé."), retry_after=5) from error
    response = Response(body, mimetype="image/png")
    response.headers["Cache-Control"] = f"public, max-age={HOUR}"
    response.vary.add("Cookie")
    return response


@pages.get("/pictures/<sha256>")
def picture(sha256: str) -> ResponseReturnValue:
    """A product's photo, at most `w` wide, one of three widths: as WebP where the browser says that it reads that."""
    width = request.args.get("w", "")
    if width not in map(str, pictures.WIDTHS):
        raise BadInput("no-such-width", _l("Ảnh chỉ có cỡ rộng 320, 640 hoặc 1200 điểm."), field="w")
    if not HASH.fullmatch(sha256):
        raise pictures.no_picture()
    mime = pictures.mime_of(sha256)
    wanted = WEBP if request.accept_mimetypes.provided and "image/webp" in request.headers["Accept"] else JPEG
    suffix = wanted.removeprefix("image/")
    try:
        path = pictures.store().made(
            sha256, int(width), suffix, lambda data: pixels.small(data, mime, int(width), wanted)
        )
    except Refused as error:
        raise pictures.no_picture() from error
    response = send_file(path, wanted, conditional=True, etag=f"{sha256}-{width}-{suffix}")
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Content-Disposition"] = "inline"
    response.vary.add("Accept")
    return response


@pages.get("/sitemap.xml")
def sitemap() -> ResponseReturnValue:
    """What there is to find: the open pages, and all that is sold with its photos."""
    found = services.addresses(telling.ADDRESSES_MAX - len(telling.OPEN_PAGES))
    shots = pictures.shots_of(db.session(), [product_id for _, product_id in found])
    listed: list[tuple[str, Sequence[str]]] = [
        (slug, [shot.url(pictures.WIDTHS[-1]) for shot in shots.get(product_id, ())]) for slug, product_id in found
    ]
    response = Response(telling.sitemap(_settings().public_url, listed), mimetype="application/xml")
    response.headers["Cache-Control"] = f"public, max-age={HOUR}"
    return zipped(response)


@pages.get("/robots.txt")
def robots() -> ResponseReturnValue:
    """Who may walk where."""
    settings = _settings()
    body = telling.robots(settings.public_url, invented=settings.demo or bool(settings.training_of))
    response = Response(body, mimetype="text/plain")
    response.headers["Cache-Control"] = f"public, max-age={HOUR}"
    return response


@api.get("")
@api.response(200, ProductsSchema)
def products() -> dict[str, list[Offer]]:
    """Everything on the shelf with its price in đồng and the packs that are left."""
    return {"products": services.offers()}


def _settings() -> Settings:
    settings: Settings = current_app.extensions["soi"]
    return settings
