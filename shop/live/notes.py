"""What the host of a livestream may tell of what she sells: its story, and the way of the lot that is sent first.

The way of a lot and whether its strand is whole are read as the scan page reads them, proof and all.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask import current_app
from markupsafe import Markup
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from shop.catalogue.combos import parts_of
from shop.catalogue.services import stars_of
from shop.live.models import LiveAside, LiveCode, LiveSession
from shop.stock import aside
from shop.stock.models import StockLot
from shop.stock.services import FIRST_OUT, HAS_LEFT, sellable
from trace.events.models import Event
from trace.gs1.digital_link import DigitalLink
from trace.labels.qr import svg
from trace.scan import words
from trace.scan.family import Family, find, load, snapshot
from trace.scan.story import Maker, tell
from village import clock
from village.i18n import gettext as _
from village.i18n import in_language
from village.products.models import Product

LOTS_MOST = 24
"""Lots whose way is told on one page; each is proved anew."""
STEPS_MOST = 8
MAKING = ("commission", "buy", "transform", "pack")
"""Kinds of events by which something comes into being."""


@dataclass(frozen=True)
class Step:
    """What was done, from day to day and where; done several times, it is told once."""

    name: str
    first: dt.date
    last: dt.date
    places: Sequence[str]


@dataclass(frozen=True)
class LotTold:
    """The lot that is sent first of one product."""

    product: Product
    lot: str
    address: str
    """Where its proof can be looked at."""
    qr: Markup
    whole: bool
    """False when its strand is cut somewhere: then better not shown."""
    steps: Sequence[Step]
    """Oldest first."""
    makers: Sequence[Maker]
    """Those of its makers who told something of themselves."""
    best_before: dt.date | None


@dataclass(frozen=True)
class Told:
    """A code and what can be said of it."""

    code: LiveCode
    left: int
    """Packs that can still be had by it."""
    stars: int
    lots: Sequence[LotTold]
    """One; of a combo one for each of its parts; none when it is sold out."""


def of(session: Session, live: LiveSession) -> list[Told]:
    """What can be said of each code of a livestream, in the order in which they stand."""
    parts = parts_of(session, {code.product_id for code in live.codes})
    within = aside.within_reach(session, live.codes)
    stars = stars_of(code.product_id for code in live.codes)
    made_of = {
        code.id: [one for one, _units in parts.get(code.product_id, ((code.product_id, 1),))] for code in live.codes
    }
    lots = _first_lots(session, live, {one for products in made_of.values() for one in products})
    told = _told(lots[:LOTS_MOST])
    return [
        Told(
            code,
            within[code.id] if code.unit_limit is None else min(within[code.id], code.unit_limit - code.taken),
            stars.get(code.product_id, 0),
            [told[one] for one in made_of[code.id] if one in told],
        )
        for code in live.codes
    ]


def _first_lots(session: Session, live: LiveSession, product_ids: Iterable[str]) -> list[StockLot]:
    """Of each product the lot that the next order of this livestream gets its packs of."""
    kept = (
        select(LiveAside.batch_id)
        .join(LiveCode, LiveCode.id == LiveAside.code_id)
        .where(LiveCode.session_id == live.id, LiveAside.units > 0)
    )
    lots = session.scalars(
        select(StockLot)
        .where(StockLot.product_id.in_(product_ids), sellable(), or_(HAS_LEFT, StockLot.batch_id.in_(kept)))
        .order_by(*FIRST_OUT)
    )
    first: dict[str, StockLot] = {}
    for lot in lots:
        first.setdefault(lot.product_id, lot)
    return list(first.values())


def _told(lots: Sequence[StockLot]) -> dict[str, LotTold]:
    with snapshot() as session:
        found = [(lot.product_id, find(session, lot.gtin, lot.lot)) for lot in lots]
        return {product_id: _lot(load(session, batch)) for product_id, batch in found if batch is not None}


def _lot(family: Family) -> LotTold:
    batch, story = family.batch, tell(family)
    address = DigitalLink(batch.gtin, batch.lot).under(current_app.extensions["soi"].public_url)
    return LotTold(
        product=batch.product, lot=batch.lot, address=address,
        qr=Markup(svg(address, _("Mã quét của lô %(lot)s", lot=batch.lot), 60)), whole=story.verdict.whole,
        steps=_steps(family.events)[-STEPS_MOST:], makers=[maker for maker in story.makers if maker.story],
        best_before=batch.best_before,
    )  # fmt: skip


def _steps(events: Iterable[Event]) -> list[Step]:
    found: dict[str, Step] = {}
    for event in events:
        if event.stands and event.kind in MAKING:
            name, day = in_language(event.name_vi, event.name_en), event.occurred_at.astimezone(clock.VN).date()
            before = found.get(name, Step(name, day, day, ()))
            places = tuple(dict.fromkeys((*before.places, words.hamlet(event.site.hamlet.name))))
            found[name] = Step(name, min(before.first, day), max(before.last, day), places)
    return sorted(found.values(), key=lambda step: (step.last, step.first))
