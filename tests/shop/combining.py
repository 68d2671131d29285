"""Hands that sell several products as one."""

from shop.catalogue import making
from shop.catalogue.making import Wish
from tests.support.village import Village, gtin
from village.db import db
from village.products.models import Product
from village.products.schemas import TEXT_KEYS, Words


def combine(village: Village, *parts: tuple[Product, int], price: int = 150_000, number: int = 900) -> Product:
    """A combo of so many packs of each product; `number` makes its GTIN and address."""
    words = Words(f"Bộ thử {number}", f"Test bundle {number}", "", dict.fromkeys(TEXT_KEYS, ""))
    wanted = Wish(gtin(number), f"bo-thu-{number}", words, price, tuple((one.id, units) for one, units in parts))
    combo_id = making.add_combo(village.actor("seller"), wanted)
    return db.session.get_one(Product, combo_id)
