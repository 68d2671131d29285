"""What sellers see of their own products."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.catalogue import combos
from shop.catalogue.models import ComboPart, ProductPicture
from shop.catalogue.pictures import Shot, rows_of, shots_of
from village.db import db
from village.people.access import Actor
from village.products import services
from village.products.models import Product, ProductPrice


@dataclass(frozen=True)
class Own:
    """One of the cooperative's products in its sellers' list."""

    product: Product
    available: int
    shot: Shot | None

    @property
    def sold(self) -> bool:
        """True while buyers find it."""
        return self.product.active and self.product.price is not None


@dataclass(frozen=True)
class Work:
    """One product, with all that may be changed about it."""

    product: Product
    available: int
    prices: Sequence[ProductPrice]
    pictures: Sequence[tuple[ProductPicture, Shot | None]]
    """Each as it is kept and as it is shown; None when its file is lost."""
    parts: Sequence[tuple[Product, int]]
    mark: str
    """Of its words as they stand."""

    @property
    def sold(self) -> bool:
        """True while buyers find it."""
        return self.product.active and self.product.price is not None


def own_products(who: Actor) -> list[Own]:
    """What the cooperative sells or could sell: all that has a net weight, what is on the shelf first."""
    products = [one for one in services.products_of(who.cooperative_id) if one.net_grams is not None]
    left = combos.available(db.session(), [one.id for one in products])
    shots = shots_of(db.session(), [one.id for one in products])
    return [Own(one, left[one.id], next(iter(shots.get(one.id, ())), None)) for one in products]


def work_on(who: Actor, product_id: str) -> Work:
    """One of them; NotFound for another cooperative's."""
    product = services.product_of(who, product_id)
    session = db.session()
    shots = {shot.id: shot for shot in shots_of(session, [product.id]).get(product.id, ())}
    return Work(
        product=product,
        available=combos.available(session, [product.id])[product.id],
        prices=services.prices_of(product),
        pictures=[(row, shots.get(row.id)) for row in rows_of(product.id)],
        parts=_parts(session, product),
        mark=services.words_mark(product),
    )


def _parts(session: Session, product: Product) -> list[tuple[Product, int]]:
    rows = session.execute(
        select(Product, ComboPart.units)
        .join(ComboPart, ComboPart.part_id == Product.id)
        .where(ComboPart.product_id == product.id)
        .order_by(Product.name_vi, Product.id)
    )
    return [(part, units) for part, units in rows]
