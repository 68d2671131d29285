"""What is offered, read in a fixed number of statements however much there is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from shop.catalogue import combos
from shop.catalogue.combos import Parts
from shop.catalogue.pictures import Shot, shots_of
from shop.catalogue.search import Told, rank
from shop.stock.models import StockLot
from shop.stock.services import FREE, HAS_LEFT, available, sellable
from village import clock
from village.certificates.models import Certificate
from village.db import db
from village.i18n import in_language
from village.products.models import Product
from village.products.schemas import TEXT_KEYS
from village.reference import reference


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
    """Name of its drawing."""
    shot: Shot | None
    """Its first photo, which goes before the drawing."""
    maker: str
    available: int
    packed: int
    """Packs of the lots that are on sale, for the bar."""
    stars: int
    """OCOP stars that are valid today; 0 without."""
    cooperative_id: str
    units: int
    """Packs in one of it: 1, or more in a combo."""

    @property
    def per_kilo(self) -> int:
        """Đồng for a kilogram, rounded."""
        return (self.price * 1000 + self.net_grams // 2) // self.net_grams


def offers() -> list[Offer]:
    """All that is sold, what is in stock first, by name."""
    return sorted((offer for offer, _ in _all()), key=_shelf)


def found(query: str) -> list[Offer]:
    """What is sold and fits what somebody looks for, the best first."""
    fitting = [(rank(query, told), offer) for offer, told in _all()]
    ranked = [(fits, offer) for fits, offer in fitting if fits is not None]
    return [offer for fits, offer in sorted(ranked, key=lambda pair: (pair[0], *_shelf(pair[1])))]


def addresses(most: int) -> list[tuple[str, str]]:
    """Slugs and ids of what is sold, at most so many, in the order of the slugs."""
    rows = db.session.execute(select(Product.slug, Product.id).where(*is_sold()).order_by(Product.slug).limit(most))
    return [(slug, product_id) for slug, product_id in rows]


@dataclass(frozen=True)
class Shelf:
    """What a cart is reckoned from."""

    offers: Mapping[str, Offer]
    """By product id, those that are sold today."""
    parts: Mapping[str, Parts]
    """Of the combos among them."""
    free: Mapping[str, int]
    """Packs of each of these products, and of all that the combos are made of."""


def shelf_of(product_ids: Iterable[str]) -> Shelf:
    """Those of these products that are sold today, and what there is of each pack: four statements at most."""
    ids = list(product_ids)
    if not ids:
        return Shelf({}, {}, {})
    sold = reference(db.session()).sold
    products = [sold[one] for one in ids if one in sold]
    parts = combos.parts_of(db.session(), [one.id for one in products if one.combo])
    free = available(db.session(), combos.with_parts(ids, parts))
    shots = shots_of(db.session(), ids)
    offers = {
        one.id: offer_of(
            one, all_in(one.id, parts.get(one.id, ()), free), 0, 0, first(shots, one.id), parts.get(one.id, ())
        )
        for one in products
    }
    return Shelf(offers, parts, free)


def stars_of(product_ids: Iterable[str]) -> dict[str, int]:
    """OCOP stars of those products that have some today."""
    rows = db.session.execute(
        select(Certificate.product_id, func.max(Certificate.stars))
        .where(Certificate.kind == "ocop", Certificate.product_id.in_(list(product_ids)), *valid_today())
        .group_by(Certificate.product_id)
    )
    return {product_id: stars for product_id, stars in rows if product_id and stars}


def _all() -> list[tuple[Offer, Told]]:
    """All that is sold, with the words that it is found by."""
    stock = (
        select(StockLot.product_id, func.sum(FREE).label("free"), func.sum(StockLot.packed).label("packed"))
        .where(sellable(), HAS_LEFT)
        .group_by(StockLot.product_id)
    )
    free: dict[str, int] = {}
    packed: dict[str, int] = {}
    for product_id, left, made in db.session.execute(stock):
        free[product_id], packed[product_id] = int(left), int(made)
    products = db.session.scalars(select(Product).where(*is_sold()).options(joinedload(Product.cooperative))).all()
    parts = combos.parts_of(db.session(), [one.id for one in products if one.combo])
    stars = stars_of(one.id for one in products)
    shots = shots_of(db.session(), [one.id for one in products])
    offers = [
        offer_of(
            one, all_in(one.id, parts.get(one.id, ()), free), all_in(one.id, parts.get(one.id, ()), packed),
            stars.get(one.id, 0), first(shots, one.id), parts.get(one.id, ()),
        )
        for one in products
    ]  # fmt: skip
    names = {one.id: f"{one.name_vi} {one.name_en}" for one in products}
    return [
        (offer, _told(product, [names.get(part_id, "") for part_id, _ in parts.get(product.id, ())]))
        for offer, product in zip(offers, products, strict=True)
    ]


def _told(product: Product, parts: Iterable[str]) -> Told:
    """`parts`: names of what lies in a combo."""
    more = [product.gtin, product.gtin.lstrip("0"), product.brand, product.cooperative.name, *parts]
    return Told(
        f"{product.name_vi} {product.name_en}", " ".join([*more, *(getattr(product, key) for key in TEXT_KEYS)])
    )


def _shelf(offer: Offer) -> tuple[bool, str]:
    return offer.available == 0, offer.name


def is_sold() -> tuple[ColumnElement[bool], ...]:
    """Conditions of a product that the shop offers."""
    return Product.active.is_(True), Product.price.is_not(None)


def all_in(product_id: str, parts: Parts, packs: Mapping[str, int]) -> int:
    """How many of a product these packs are, or how many of a combo they make; it is one when it has parts."""
    return combos.whole(parts, packs) if parts else packs.get(product_id, 0)


def first(shots: Mapping[str, Sequence[Shot]], product_id: str) -> Shot | None:
    """The photo that stands for a product."""
    return next(iter(shots.get(product_id, ())), None)


def offer_of(
    product: Product, free: int, packed: int, stars: int, shot: Shot | None = None, parts: Parts = ()
) -> Offer:
    """A sold product as the shop offers it, with its cooperative at hand."""
    assert product.price is not None and product.net_grams is not None  # a CHECK ties the one to the other
    return Offer(
        id=product.id,
        gtin=product.gtin,
        slug=product.slug,
        name=in_language(product.name_vi, product.name_en),
        price=product.price,
        net_grams=product.net_grams,
        picture=product.picture,
        shot=shot,
        maker=product.cooperative.name,
        available=free,
        packed=packed,
        stars=stars,
        cooperative_id=product.cooperative_id,
        units=sum(units for _, units in parts) or 1,
    )


def valid_today() -> tuple[ColumnElement[bool], ...]:
    """Conditions of a certificate that holds today."""
    today = clock.today()
    return Certificate.issued_on <= today, Certificate.expires_on >= today
