"""What a product's page shows: what moves with the village's own rows, in six statements at most, and the lots."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session, joinedload

from shop.catalogue.combos import Parts
from shop.catalogue.models import ComboPart
from shop.catalogue.pictures import Shot, shots_of
from shop.catalogue.services import Offer, all_in, first, is_sold, offer_of, valid_today
from shop.stock.models import StockLot
from shop.stock.services import FIRST_OUT, FREE, HAS_LEFT, sellable
from trace.gs1.digital_link import DigitalLink
from trace.lots.models import Batch
from village import clock
from village.certificates.models import SHOWN_KINDS, Certificate
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.places.models import Household
from village.products.models import COMBO, Product

LOTS_SHOWN = 24
"""Lots of one product that its page tells of: those that are sent first."""


@dataclass(frozen=True)
class LotOnSale:
    """A lot of a product that can be bought now."""

    product_id: str
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
class PartShown:
    """What lies in a combo: so many packs of a product."""

    product: Product
    units: int
    shot: Shot | None

    @property
    def sold(self) -> bool:
        """True when it can be had by itself as well."""
        return self.product.active and self.product.price is not None


@dataclass(frozen=True)
class ProductPage:
    """What a product's page shows."""

    product: Product
    offer: Offer
    lots: Sequence[LotOnSale]
    """Those that are sent first; of a combo, those of its parts."""
    more_lots: dict[str, int]
    """How many further ones there are, by product."""
    certificates: Sequence[Certificate]
    shots: Sequence[Shot]
    parts: Sequence[PartShown]
    """Empty for what is no combo."""
    sizes: Sequence[Offer]
    """The same thing in packs of all sizes, this one among them, the smallest first; empty when there is one size."""
    combos: Sequence[Product]
    """Combos that it is sold in."""

    @property
    def apart(self) -> int:
        """Đồng for a combo's parts bought one by one; 0 when one of them is not sold so."""
        if not all(part.sold for part in self.parts):
            return 0
        return sum((part.product.price or 0) * part.units for part in self.parts)

    def lots_of(self, product_id: str) -> list[LotOnSale]:
        """The lots of one part."""
        return [lot for lot in self.lots if lot.product_id == product_id]


@dataclass(frozen=True)
class Fixed:
    """All of a product's page but its lots: it changes with `village.revision` and the day."""

    product: Product
    parts: Sequence[tuple[Product, int]]
    certificates: Sequence[Certificate]
    related: Sequence[Product]
    shots: Mapping[str, tuple[Shot, ...]]


def fixed_of(session: Session, slug: str) -> Fixed:
    """What a sold product's page shows whatever is in stock; NotFound for what is not sold."""
    product = product_at(session, slug)
    parts = _parts(session, product)
    certificates = session.scalars(
        select(Certificate)
        .where(
            or_(
                Certificate.product_id == product.id,
                and_(Certificate.product_id.is_(None), Certificate.cooperative_id == product.cooperative_id),
            ),
            Certificate.kind.in_(SHOWN_KINDS),
            *valid_today(),
        )
        .order_by(Certificate.kind, Certificate.expires_on)
    ).all()
    shots = shots_of(session, [product.id, *(part.id for part, _ in parts)])
    return Fixed(product, parts, certificates, _related(session, product), shots)


def with_lots(session: Session, fixed: Fixed) -> ProductPage:
    """The page with the lots as they are now. One statement."""
    product, parts, certificates, related, shots = (
        fixed.product, fixed.parts, fixed.certificates, fixed.related, fixed.shots
    )  # fmt: skip
    lots, sums = _lots(session, [part.id for part, _ in parts] or [product.id])
    stars = max((c.stars or 0 for c in certificates if c.product_id == product.id), default=0)
    ids: Parts = tuple((part.id, units) for part, units in parts)
    sizes = [offer_of(one, 0, 0, 0) for one in related if not one.combo]
    return ProductPage(
        product=product,
        offer=offer_of(
            product, all_in(product.id, ids, {one: sums[one].free for one in sums}),
            all_in(product.id, ids, {one: sums[one].packed for one in sums}), stars, first(shots, product.id), ids,
        ),
        lots=lots,
        more_lots={one: sums[one].lots - LOTS_SHOWN for one in sums if sums[one].lots > LOTS_SHOWN},
        certificates=certificates,
        shots=shots.get(product.id, ()),
        parts=[PartShown(part, units, first(shots, part.id)) for part, units in parts],
        sizes=sorted((*sizes, offer_of(product, 0, 0, 0)), key=lambda one: one.net_grams) if sizes else [],
        combos=[one for one in related if one.combo],
    )  # fmt: skip


def product_at(session: Session, slug: str) -> Product:
    """A sold product by its address; NotFound for what is not sold."""
    product = session.scalar(
        select(Product).where(Product.slug == slug, *is_sold()).options(joinedload(Product.cooperative))
    )
    if product is None:
        raise NotFound("no-such-product", _l("Ở đây không bán món này."))
    return product


def _parts(session: Session, product: Product) -> list[tuple[Product, int]]:
    if not product.combo:
        return []
    rows = session.execute(
        select(Product, ComboPart.units)
        .join(ComboPart, ComboPart.part_id == Product.id)
        .where(ComboPart.product_id == product.id)
        .options(joinedload(Product.cooperative))
        .order_by(Product.name_vi, Product.id)
    )
    return [(part, units) for part, units in rows]


def _related(session: Session, product: Product) -> Sequence[Product]:
    """Its other sizes, and the combos that it is in."""
    if product.combo:
        return []
    same = and_(
        Product.cooperative_id == product.cooperative_id, Product.process == product.process,
        Product.material == product.material, Product.id != product.id,
    )  # fmt: skip
    holding = and_(
        Product.process == COMBO,
        Product.id.in_(select(ComboPart.product_id).where(ComboPart.part_id == product.id)),
    )
    query = select(Product).where(or_(same, holding), *is_sold()).options(joinedload(Product.cooperative))
    return session.scalars(query.order_by(Product.name_vi, Product.id)).all()


class _Sums(NamedTuple):
    free: int
    packed: int
    lots: int


def _lots_on_sale() -> Select[Any]:
    mine = StockLot.product_id
    there = (
        select(
            StockLot.batch_id,
            func.row_number().over(partition_by=mine, order_by=FIRST_OUT).label("place"),
            func.sum(FREE).over(partition_by=mine).label("free"),
            func.sum(StockLot.packed).over(partition_by=mine).label("packed"),
            func.count().over(partition_by=mine).label("lots"),
        )
        .where(mine.in_(bindparam("ids", expanding=True)), sellable(bindparam("today")), HAS_LEFT)
        .subquery()
    )
    return (
        select(StockLot, Batch, there.c.free, there.c.packed, there.c.lots)
        .join(there, there.c.batch_id == StockLot.batch_id)
        .join(Batch, Batch.id == StockLot.batch_id)
        .where(there.c.place <= LOTS_SHOWN)
        .options(joinedload(Batch.household).joinedload(Household.hamlet))
        .order_by(*FIRST_OUT)
    )


_LOTS_ON_SALE = _lots_on_sale()


def _lots(session: Session, product_ids: Sequence[str]) -> tuple[list[LotOnSale], dict[str, _Sums]]:
    """The lots that each product is sold from, those that go first, and what all of its lots come to."""
    rows = session.execute(_LOTS_ON_SALE, {"ids": product_ids, "today": clock.today()}).all()
    sums = {row.product_id: _Sums(int(free), int(packed), lots) for row, _, free, packed, lots in rows}
    return [_lot(row, batch) for row, batch, *_ in rows], sums


def _lot(row: StockLot, batch: Batch) -> LotOnSale:
    household = batch.household
    return LotOnSale(
        product_id=row.product_id,
        lot=row.lot,
        free=row.free,
        packed=row.packed,
        made_at=batch.made_at,
        best_before=row.best_before,
        hamlet=household.hamlet.name,
        household=household.name if household.named else "",
        household_story=household.story if household.named else "",
        moisture=batch.moisture,
        scan_path=DigitalLink(row.gtin, row.lot).path,
    )
