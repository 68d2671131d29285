"""What is offered, read in a fixed number of statements however much there is."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import joinedload

from shop.stock.models import StockLot
from shop.stock.services import FIRST_OUT, FREE, available, sellable
from trace.gs1.digital_link import DigitalLink
from trace.lots.models import Batch
from village import clock
from village.certificates.models import SHOWN_KINDS, Certificate
from village.db import db
from village.errors import NotFound
from village.i18n import in_language
from village.i18n import lazy_gettext as _l
from village.places.models import Household
from village.products.models import Product


@dataclass(frozen=True)
class Offer:
    """A product on the shelf."""

    id: str
    gtin: str
    slug: str
    name: str
    price: int
    net_grams: int
    picture: str
    maker: str
    available: int
    packed: int
    """Packs of the lots that are on sale, for the bar."""
    stars: int
    """OCOP stars that are valid today; 0 without."""
    cooperative_id: str


@dataclass(frozen=True)
class LotOnSale:
    """A lot of a product that can be bought now."""

    lot: str
    free: int
    packed: int
    made_at: dt.datetime
    best_before: dt.date | None
    hamlet: str
    household: str
    """Empty unless the household agreed to be named."""
    household_story: str
    moisture: int | None
    """Hundredths of a per cent."""
    scan_path: str


@dataclass(frozen=True)
class ProductPage:
    """What a product's page shows."""

    product: Product
    offer: Offer
    lots: Sequence[LotOnSale]
    certificates: Sequence[Certificate]


def offers() -> list[Offer]:
    """All that is sold, what is in stock first, by name."""
    stock = (
        select(StockLot.product_id, func.sum(FREE).label("free"), func.sum(StockLot.packed).label("packed"))
        .where(sellable())
        .group_by(StockLot.product_id)
        .subquery()
    )
    rows = db.session.execute(
        select(Product, stock.c.free, stock.c.packed)
        .outerjoin(stock, stock.c.product_id == Product.id)
        .where(Product.active.is_(True), Product.price.is_not(None))
        .options(joinedload(Product.cooperative))
    ).all()
    stars = _stars(product.id for product, _, _ in rows)
    found = [
        _offer(product, int(free or 0), int(packed or 0), stars.get(product.id, 0))
        for product, free, packed in rows
    ]
    return sorted(found, key=lambda offer: (offer.available == 0, offer.name))


def product_page(slug: str) -> ProductPage:
    """A sold product by its address; NotFound for what is not sold."""
    product = db.session.scalar(
        select(Product)
        .where(Product.slug == slug, Product.active.is_(True), Product.price.is_not(None))
        .options(joinedload(Product.cooperative))
    )
    if product is None:
        raise NotFound("no-such-product", _l("Ở đây không bán món này."))
    lots = _lots(product)
    free, packed = sum(lot.free for lot in lots), sum(lot.packed for lot in lots)
    certificates = db.session.scalars(
        select(Certificate)
        .where(
            or_(
                Certificate.product_id == product.id,
                and_(Certificate.product_id.is_(None), Certificate.cooperative_id == product.cooperative_id),
            ),
            Certificate.kind.in_(SHOWN_KINDS),
            *_valid_today(),
        )
        .order_by(Certificate.kind, Certificate.expires_on)
    ).all()
    stars = max((c.stars or 0 for c in certificates if c.product_id == product.id), default=0)
    return ProductPage(product, _offer(product, free, packed, stars), lots, certificates)


def priced(product_ids: Iterable[str]) -> dict[str, Offer]:
    """Those of these products that are sold today, for a cart: two statements."""
    ids = list(product_ids)
    if not ids:
        return {}
    products = db.session.scalars(
        select(Product)
        .where(Product.id.in_(ids), Product.active.is_(True), Product.price.is_not(None))
        .options(joinedload(Product.cooperative))
    ).all()
    free = available(db.session(), ids)
    return {product.id: _offer(product, free[product.id], 0, 0) for product in products}


def _lots(product: Product) -> list[LotOnSale]:
    rows = db.session.execute(
        select(StockLot, Batch)
        .join(Batch, Batch.id == StockLot.batch_id)
        .where(StockLot.product_id == product.id, sellable(), FREE > 0)
        .options(joinedload(Batch.household).joinedload(Household.hamlet))
        .order_by(*FIRST_OUT)
    ).all()
    return [
        LotOnSale(
            lot=row.lot,
            free=row.free,
            packed=row.packed,
            made_at=batch.made_at,
            best_before=row.best_before,
            hamlet=batch.household.hamlet.name,
            household=batch.household.name if batch.household.named else "",
            household_story=batch.household.story if batch.household.named else "",
            moisture=batch.moisture,
            scan_path=DigitalLink(row.gtin, row.lot).path,
        )
        for row, batch in rows
    ]


def _offer(product: Product, free: int, packed: int, stars: int) -> Offer:
    assert product.price is not None and product.net_grams is not None  # a CHECK ties the one to the other
    return Offer(
        id=product.id,
        gtin=product.gtin,
        slug=product.slug,
        name=in_language(product.name_vi, product.name_en),
        price=product.price,
        net_grams=product.net_grams,
        picture=product.picture,
        maker=product.cooperative.name,
        available=free,
        packed=packed,
        stars=stars,
        cooperative_id=product.cooperative_id,
    )


def _stars(product_ids: Iterable[str]) -> dict[str, int]:
    found = db.session.execute(
        select(Certificate.product_id, func.max(Certificate.stars))
        .where(Certificate.kind == "ocop", Certificate.product_id.in_(list(product_ids)), *_valid_today())
        .group_by(Certificate.product_id)
    )
    return {product_id: stars for product_id, stars in found if product_id and stars}


def _valid_today() -> tuple[ColumnElement[bool], ...]:
    today = clock.today()
    return Certificate.issued_on <= today, Certificate.expires_on >= today
