"""What lies in a lot, for slips and parcels: a line of a combo is filled from lots of other products than its own."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.stock.models import StockLot
from trace.gs1.digital_link import DigitalLink
from village.i18n import in_language
from village.products.models import Product


@dataclass(frozen=True)
class Goods:
    """The packs of one lot."""

    gtin: str
    lot: str
    name_vi: str
    name_en: str
    grams: int
    """Net weight of one pack."""
    cooperative_id: str

    @property
    def name(self) -> str:
        """What it is called, in the reader's language."""
        return in_language(self.name_vi, self.name_en)

    @property
    def link(self) -> DigitalLink:
        """Its scan page."""
        return DigitalLink(self.gtin, self.lot)


def goods_of(session: Session, batch_ids: Collection[str]) -> dict[str, Goods]:
    """By batch, in one statement."""
    if not batch_ids:
        return {}
    rows = session.execute(
        select(
            StockLot.batch_id, StockLot.gtin, StockLot.lot, Product.name_vi, Product.name_en,
            Product.net_grams, Product.cooperative_id,
        )
        .join(Product, Product.id == StockLot.product_id)
        .where(StockLot.batch_id.in_(batch_ids))
    )  # fmt: skip
    return {
        batch_id: Goods(gtin, lot, name_vi, name_en, grams or 0, cooperative_id)
        for batch_id, gtin, lot, name_vi, name_en, grams, cooperative_id in rows
    }
