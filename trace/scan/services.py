"""Scan pages and their machine forms, rendered once and then kept as long as they are true."""

import datetime as dt
import gzip
import hashlib
import json
import time
from collections.abc import Callable

from flask import current_app, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from trace.epcis.events import document
from trace.gs1.digital_link import DigitalLink
from trace.ledger.canonical import parse
from trace.lots.models import Batch
from trace.scan import asked, cache, cards, family, links, linkset, words
from trace.scan.cache import Kept, Pages
from trace.scan.printed import print_code
from trace.scan.story import tell
from village import clock, i18n
from village.db import db
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.products.models import Product

PAGE, EPCIS, LINKSET = "text/html", linkset.JSON_LD, linkset.LINKSET
CHECKED = "\u241echecked\u241e"
"""Where the time of the check goes: left out of the ETag, so that all processes give the same one."""

Rendered = tuple[str, tuple[str, ...]]


def answer(link: DigitalLink, form: str) -> Kept:
    """The answer about a lot in one form: kept, if a query finds it still true, or made anew. Raises NotFound."""
    assert link.lot is not None
    key: cache.Key = (
        form,
        link.gtin,
        link.lot,
        link.serial is not None,
        i18n.current_language() if form != EPCIS else "",
    )
    pages: Pages = current_app.extensions["soi.scan.pages"]
    kept = pages.get(key)
    if kept is not None and kept.fresh and pages.true(db.engine, kept):
        return kept
    kept = _make(link, form, key)
    pages.put(kept)
    return kept


def _make(link: DigitalLink, form: str, key: cache.Key) -> Kept:
    lot = link.lot or ""
    makers: dict[str, Callable[[Session, Batch, DigitalLink], Rendered]] = {
        PAGE: _page,
        EPCIS: _epcis,
        LINKSET: _linkset,
        asked.LINKSET_LD: _linkset_ld,
        asked.LINKSET_PAGE: _linkset_page,
    }
    with family.snapshot() as session:
        batch = family.find(session, link.gtin, lot)
        if batch is None:
            raise NotFound(
                "no-lot",
                _l("Không có lô nào mang mã %(lot)s. Nếu mã này in trên gói, có thể gói không phải của Bình Lư."),
                gtin=link.gtin,
                lot=lot,
            )
        body, epcs = makers[form](session, batch, link)
        connection = session.connection()
        version = cache.version(connection.connection, connection.dialect.name, link.gtin, lot, epcs)
    etag = hashlib.sha256(body.encode()).hexdigest()[:24]
    data = body.replace(CHECKED, i18n.moment(clock.now())).encode()
    mimetype, zipped = asked.MIMETYPES.get(form, form), gzip.compress(data, 6, mtime=0)
    return Kept(key, version, epcs, time.monotonic(), clock.today(), etag, mimetype, data, zipped)


def _page(session: Session, batch: Batch, link: DigitalLink) -> Rendered:
    found = family.load(session, batch)
    public_url = current_app.extensions["soi"].public_url
    body = render_template(
        "scan/lot.html",
        story=tell(found),
        family=found,
        shared=cards.shared(batch, found.certificates, public_url),
        code=print_code(DigitalLink(batch.gtin, lot=batch.lot).under(public_url)),
        serial=link.serial is not None,
        words=words,
        checked=CHECKED,
        today=clock.today(),
        # The page is the same for everybody and is kept: nothing of this one reader may get onto it.
        nav=[],
        get_flashed_messages=_none,
    )
    return body, found.epcs


def _epcis(session: Session, batch: Batch, _link: DigitalLink) -> Rendered:
    """The very events on the ledger, corrections included, in the log's order."""
    entries, epcs = family.ledger_of(session, batch)
    records = [parse(one.body) for one in entries]
    newest = max((record["recordedAt"] for record in records), default="1970-01-01T00:00:00.000Z")
    public_url = current_app.extensions["soi"].public_url
    told = document(
        [record["event"] for record in records if record["event"] is not None],
        dt.datetime.fromisoformat(newest),
        f"{public_url}/voc/",
    )
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n", epcs


def _linkset(session: Session, batch: Batch, _link: DigitalLink) -> Rendered:
    return as_text(links.of_lot(session, batch), LINKSET), (batch.epc,)


def _linkset_ld(session: Session, batch: Batch, _link: DigitalLink) -> Rendered:
    return as_text(links.of_lot(session, batch), asked.LINKSET_LD), (batch.epc,)


def _linkset_page(session: Session, batch: Batch, _link: DigitalLink) -> Rendered:
    return as_text(links.of_lot(session, batch), asked.LINKSET_PAGE), (batch.epc,)


def as_text(found: linkset.Document, form: str) -> str:
    """A linkset in one of its three forms; the page is nobody's own, since it may be kept."""
    json_ld = linkset.as_json_ld(found)
    if form == asked.LINKSET_PAGE:
        return render_template(
            "scan/links.html",
            found=found, json_ld=json_ld, gs1=linkset.GS1, kinds=links.KINDS, nav=[], get_flashed_messages=_none,
        )  # fmt: skip
    return json.dumps(json_ld if form == asked.LINKSET_LD else found, ensure_ascii=False, indent=1) + "\n"


def _none(**_: object) -> list[str]:
    return []


def product(gtin: str) -> Product:
    """The product that a GTIN names, or NotFound."""
    found = db.session.scalar(select(Product).where(Product.gtin == gtin).options(joinedload(Product.cooperative)))
    if found is None:
        raise NotFound("no-product", _l("Không có sản phẩm nào của Bình Lư mang mã %(gtin)s."), gtin=gtin)
    return found


def lots_of(gtin: str, limit: int = 60) -> list[Batch]:
    """Its lots, newest first."""
    query = select(Batch).where(Batch.gtin == gtin, Batch.void.is_(False)).order_by(Batch.made_at.desc(), Batch.id)
    return list(db.session.scalars(query.limit(limit)))
