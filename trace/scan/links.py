"""What there is to link to, from the database: a lot and its product, a pack, a parcel, a place."""

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.gs1.digital_link import DigitalLink, ParcelLink, PlaceLink
from trace.lots.models import Batch, LogisticUnit
from trace.scan import words
from trace.scan.linkset import JSON_LD, LANGUAGES, PDF, Document, Level, Link, document, of_kind, pages
from village import clock
from village.certificates.models import SHOWN_KINDS, Certificate
from village.i18n import lazy_gettext as _l
from village.i18n import marked, translations
from village.places.models import Cooperative, Site
from village.products.models import Product

KINDS = {
    "pip": _l("Trang"),
    "traceability": _l("Đường đi"),
    "epcis": _l("Các bước theo chuẩn EPCIS"),
    "certificationInfo": _l("Giấy chứng nhận"),
    "instructions": _l("Cách dùng"),
    "consumerHandlingStorageInfo": _l("Cách giữ"),
    "ingredientsInfo": _l("Thành phần"),
    "support": _l("Hỏi hoặc báo"),
    "recallStatus": _l("Thu hồi"),
    "hasRetailers": _l("Nơi bán"),
    "dpp": _l("Hộ chiếu số"),
    "masterData": _l("Dữ liệu của sản phẩm"),
    "logisticsInfo": _l("Trong thùng có gì"),
    "locationInfo": _l("Nơi này ở đâu"),
}
"""The kinds of link that we have, and what a page calls them."""


def of_lot(session: Session, batch: Batch) -> Document:
    """The linkset of a lot: its own links, then its product's."""
    return document([lot_level(session, batch), product_level(batch.product)])


def of_product(product: Product) -> Document:
    """The linkset of a product."""
    return document([product_level(product)])


def of_parcel(unit: LogisticUnit) -> Document:
    """The linkset of a case: what lies in it."""
    address = _ours(ParcelLink(unit.sscc).path)
    titles = _titles(marked("Thùng %(number)s"), number=unit.sscc)
    return document([Level(address, f"SSCC {unit.sscc}", address, pages(address, titles), ("pip", "logisticsInfo"))])


def of_place(place: Site | Cooperative) -> Document:
    """The linkset of a place."""
    address = _ours(PlaceLink(place.gln).path)
    titles = _titles(marked("Địa điểm %(number)s"), number=place.gln)
    return document([Level(address, f"GLN {place.gln}", address, pages(address, titles), ("pip", "locationInfo"))])


def with_pack(found: Document, link: DigitalLink) -> Document:
    """A lot's linkset with the pack's own page before it."""
    address, lot = _ours(link.path), found["linkset"][0]
    titles = _titles(marked("Gói số %(serial)s của lô %(lot)s"), serial=link.serial, lot=link.lot)
    own = Level(address, f"{lot['description']}, {link.serial}", address, pages(address, titles))
    return {"linkset": document([own])["linkset"] + found["linkset"]}


def lot_level(session: Session, batch: Batch) -> Level:
    """A lot's page, its story as EPCIS events, and what the page says of certificates, use and recall."""
    product = batch.product
    address = _ours(DigitalLink(batch.gtin, batch.lot).path)
    names = _names(product)
    page = pages(address, {one: f"{names[one]}, {batch.lot}" for one in LANGUAGES})
    label = pages(address, {one: f"{names[one]}, {batch.lot}" for one in LANGUAGES}, "passport")
    events = Link("", f"{address}?linkType=gs1:epcis", f"EPCIS 2.0: {names['vi']}, {batch.lot}", JSON_LD)
    more = [*of_kind("traceability", (events, *page)), *of_kind("epcis", (events,))]
    if _certified(session, batch):
        titles = _titles(marked("Giấy chứng nhận của %(name)s"), names)
        more += of_kind("certificationInfo", pages(address, titles, "certificates"))
    if product.usage_vi:
        more += of_kind("instructions", label)
    if product.storage_vi:
        more += of_kind("consumerHandlingStorageInfo", label)
    if product.ingredients_vi:
        more += of_kind("ingredientsInfo", label)
    asking = DigitalLink(batch.gtin, batch.lot).path.replace("/01/", "/ask/", 1).replace("/10/", "/", 1)
    more += of_kind("support", pages(_ours(asking), _titles(marked("Hỏi hoặc báo về lô %(lot)s"), lot=batch.lot)))
    if batch.hold == "recalled":
        more += of_kind("recallStatus", pages(address, _titles(marked("Lô %(lot)s bị thu hồi"), lot=batch.lot)))
    return Level(address, f"{words.name(product)}, {batch.lot}", address, page, more=more)


def product_level(product: Product) -> Level:
    """A product's page: in the shop where it is sold, else the list of its lots."""
    address = _ours(DigitalLink(product.gtin).path)
    sold = product.price is not None and product.active
    shown = _ours(f"/products/{product.slug}") if sold else address
    names = _names(product)
    page = pages(shown, names)
    more: list[Link] = []
    if sold:
        more += of_kind("hasRetailers", pages(shown, _titles(marked("Mua %(name)s"), names)))
    if product.packed:
        passport = _ours(f"/passports/{product.gtin}")
        titles = _titles(marked("Hộ chiếu số của %(name)s"), names)
        data = Link("", f"{passport}.jsonld", titles["vi"], JSON_LD)
        more += of_kind("dpp", (*pages(passport, titles), data, Link("", f"{passport}.pdf", titles["vi"], PDF, "vi")))
        more += of_kind("masterData", (data,))
    return Level(address, words.name(product), shown, page, more=more)


def _certified(session: Session, batch: Batch) -> bool:
    today = clock.today()
    mine = select(Certificate.id).where(
        Certificate.cooperative_id == batch.cooperative_id,
        Certificate.product_id.is_(None) | (Certificate.product_id == batch.product_id),
        Certificate.kind.in_(SHOWN_KINDS),
        Certificate.issued_on <= today,
        Certificate.expires_on >= today,
    )
    return session.scalar(mine.limit(1)) is not None


def _names(product: Product) -> dict[str, str]:
    return {"vi": product.name_vi, "en": product.name_en or product.name_vi}


def _titles(message: str, names: dict[str, str] | None = None, **values: object) -> dict[str, str]:
    """A title in each language; `names` fills in `%(name)s` in the same."""
    told = {one: str(translations(one).gettext(message)) for one in LANGUAGES}
    return {one: text % (values | ({"name": names[one]} if names else {})) for one, text in told.items()}


def _ours(path: str) -> str:
    return f"{current_app.extensions['soi'].public_url}{path}"
