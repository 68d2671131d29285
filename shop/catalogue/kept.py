"""Products' pages that are kept rendered in this process, each shown again only after two cheap queries found that
nothing on it has changed: the lots that it is sold from, and the village's own rows (`village.revision`). When only
lots have changed, which they do with every order, only they are read again.

What depends on who reads, and the word of a recall, is no part of what is kept. Bounded in number; after MAX_AGE a page
is made anew in any case.
"""

import datetime as dt
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app
from markupsafe import Markup
from sqlalchemy import Connection, bindparam, or_, select
from sqlalchemy.orm import Session

from shop.catalogue import telling
from shop.catalogue.models import ComboPart
from shop.catalogue.page import Fixed, ProductPage, fixed_of, with_lots
from shop.rights.seller import as_dialled
from shop.stock.models import StockLot
from shop.stock.services import HAS_LEFT
from trace.lots.models import Batch
from village import clock
from village.db import db
from village.i18n import current_language
from village.products.models import Product
from village.revision import VillageRevision

PAGES = "soi.products.pages"
MOST = 500
"""Pages kept; one takes some 20 kB."""
MAX_AGE = 15.0
"""Seconds after which a page is made anew though nothing that we look at has changed."""

Version = tuple[object, ...]

_product, _part, _stock, _batch = Product.__table__, ComboPart.__table__.c, StockLot.__table__.c, Batch.__table__
_own = select(_product.c.id).where(_product.c.slug == bindparam("slug"))
_LOTS = (
    select(
        _stock.batch_id, _stock.packed, _stock.reserved, _stock.sold, _stock.lost, _stock.on_hold,
        _stock.best_before, _batch.c.made_at, _batch.c.moisture,
    )
    .join(_batch, _batch.c.id == _stock.batch_id)
    .where(
        or_(
            _stock.product_id.in_(_own),
            _stock.product_id.in_(select(_part.part_id).where(_part.product_id.in_(_own))),
        ),
        HAS_LEFT,
    )
    .order_by(_stock.batch_id)
)  # fmt: skip
_REVISION = select(VillageRevision.number).where(VillageRevision.id == 1)


@dataclass(frozen=True)
class Maker:
    """Whom to call about a product."""

    phone: str


@dataclass(frozen=True)
class Noticed:
    """A product of which a recall may have to tell."""

    id: str
    cooperative: Maker


@dataclass(frozen=True)
class Kept:
    """A product's page, in the parts around the word of a recall."""

    version: Version
    made_at: float
    """Monotonic seconds; of what does not change with the lots."""
    fixed: Fixed
    name: str
    head: Markup
    top: Markup
    rest: Markup
    products: tuple[Noticed, ...]
    """The product, and all that lies in it."""


class Pages:
    """The pages of one app. Safe for several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str], version: Version) -> Kept | None:
        """The page, unless it is old, or more than its lots has changed."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found.version[:2] != version[:2] or time.monotonic() - found.made_at > MAX_AGE:
                return None
            self._kept.move_to_end(key)
            return found

    def put(self, key: tuple[str, str], page: Kept) -> None:
        """Keep a page; the one that was not asked for longest goes."""
        with self._lock:
            self._kept[key] = page
            self._kept.move_to_end(key)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)


def init_app(app: Flask) -> None:
    """Give the app its pages."""
    app.extensions[PAGES] = Pages()


def of_product(slug: str, version: Version) -> Kept:
    """A sold product's page in the reader's language, of this version; NotFound for what is not sold."""
    pages: Pages = current_app.extensions[PAGES]
    key = (slug, current_language())
    kept = pages.get(key, version)
    if kept is not None and kept.version == version:
        return kept
    made_at, fixed = (kept.made_at, kept.fixed) if kept is not None else (time.monotonic(), _fixed(slug))
    made = _render(with_lots(db.session(), fixed), version, fixed, made_at)
    if still(lambda: version_of(db.session.connection(), slug) == version):
        pages.put(key, made)
    return made


def still(look: Callable[[], bool]) -> bool:
    """True when what was read since a version was looked up belongs to it. On PostgreSQL each statement sees its own
    moment, and one has to `look` again."""
    return db.engine.dialect.name == "sqlite" or look()


def _fixed(slug: str) -> Fixed:
    """Read in a session apart, so that what is kept belongs to nobody's transaction."""
    with Session(bind=db.session.connection()) as apart:
        return fixed_of(apart, slug)


def version_of(connection: Connection, slug: str) -> Version:
    """What a product's page depends on, but for who reads and for recalls: today, the village's rows, the lots."""
    today: dt.date = clock.today()
    lots = connection.execute(_LOTS, {"slug": slug}).all()
    return today, connection.scalar(_REVISION), tuple(map(tuple, lots))


def _render(page: ProductPage, version: Version, fixed: Fixed, made_at: float) -> Kept:
    base = current_app.extensions["soi"].public_url
    shown = {
        "page": page,
        "told": telling.description(page),
        "ld": telling.product_ld(page, base),
        "address": f"{base}/products/{page.offer.slug}",
        "image": telling.images(page, base)[0],
        "phone": as_dialled(page.product.cooperative.phone),
    }
    head, top, rest = (
        Markup(current_app.jinja_env.get_template(f"catalogue/product_{part}.html").render(shown))
        for part in ("head", "top", "rest")
    )
    products = [page.product, *(part.product for part in page.parts)]
    noticed = tuple(Noticed(one.id, Maker(one.cooperative.phone)) for one in products)
    return Kept(version, made_at, fixed, page.offer.name, head, top, rest, noticed)
