"""How the demo's seller keeps the shelf: a price that moved, photos, a combo."""

import datetime as dt
from contextlib import suppress
from functools import partial

from sqlalchemy import select

from shop.catalogue import making
from shop.catalogue import pictures as photos
from shop.catalogue.making import Wish
from shop.catalogue.models import ProductPicture
from shop.demo.pictures import photo
from shop.demo.places import PREFIX
from shop.demo.season import Happens, actor
from trace.gs1.gtin import with_check_digit
from village.db import db
from village.errors import BadInput, Conflict
from village.people.access import Actor
from village.products import services
from village.products.models import Product
from village.products.schemas import TEXT_KEYS, Words

PRICES = (("che-200", 25, 120_000, 128_000), ("che-200", 12, 128_000, 120_000))
"""Slug, days before today, old price and new."""
PHOTOS = (
    ("mien-500", "packs", "Túi miến xếp trên bàn, vẽ thử", "Bags of noodles on a table, a stand-in drawing"),
    ("mien-500", "racks", "Giàn phơi miến giữa núi, vẽ thử", "Drying racks in the hills, a stand-in drawing"),
    ("mien-1000", "racks", "Giàn phơi miến giữa núi, vẽ thử", "Drying racks in the hills, a stand-in drawing"),
)
COMBO = "bo-qua-binh-lu"
PARTS = (("mien-500", 2), ("che-200", 1))


def timeline(today: dt.datetime) -> list[Happens]:
    """What the seller did with the shelf, each with its moment."""
    seller = actor("seller")
    ids = {one.slug: one.id for one in db.session.scalars(select(Product))}
    moved = [
        (today - dt.timedelta(days=day), partial(_reprice, seller, ids[slug], old, new))
        for slug, day, old, new in PRICES
    ]
    shown = [
        (today - dt.timedelta(days=20, minutes=-number), partial(_show, seller, ids[slug], scene, slug, (vi, en)))
        for number, (slug, scene, vi, en) in enumerate(PHOTOS)
    ]
    return [*moved, *shown, (today - dt.timedelta(days=10), partial(_combine, seller, ids))]


def _reprice(who: Actor, product_id: str, old: int, new: int) -> None:
    # Told on after it was cut off: the price may have moved already.
    with suppress(Conflict):
        services.change_price(who, product_id, new, old, sure=False)


def _show(who: Actor, product_id: str, scene: str, slug: str, words: tuple[str, str]) -> None:
    photos.add(who, product_id, photo(scene, f"{slug}-{scene}"))
    newest = select(ProductPicture.id).where(ProductPicture.product_id == product_id)
    found = db.session.scalars(newest.order_by(ProductPicture.position.desc())).first()
    assert found is not None  # it was just put there
    photos.tell(who, product_id, found, *words)


def _combine(who: Actor, ids: dict[str, str]) -> None:
    parts = tuple(sorted((ids[slug], units) for slug, units in PARTS))
    story = (
        "Hai gói miến và một gói chè của cùng một vùng, buộc lạt, gửi làm quà.",
        "Two packs of noodles and one of tea from the same hills, tied up as a present.",
    )
    texts = dict.fromkeys(TEXT_KEYS, "") | dict(zip(("story_vi", "story_en"), story, strict=True))
    words = Words("Bộ quà Bình Lư", "Bình Lư gift bundle", "", texts)
    with suppress(BadInput):  # told on after it was cut off: its number is taken, by itself
        making.add_combo(who, Wish(with_check_digit(f"0{PREFIX}00150"), COMBO, words, 219_000, parts))
