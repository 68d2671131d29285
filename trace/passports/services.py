"""Passports as they are asked for: written anew from the village's rows, numbered when they say something new, kept
while nothing has moved."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from trace.gs1.digital_link import DigitalLink
from trace.ledger.models import LedgerState
from trace.lots.models import Batch
from trace.passports import contents
from trace.passports.contents import MOST_PAPERS, Paper, Producer, Report, Said
from trace.passports.models import PassportVersion
from trace.reports.models import LabReport
from trace.scan.cache import Kept, Key, Pages
from trace.scan.knots import picture
from village import clock, i18n
from village.certificates.models import SHOWN_KINDS, Certificate
from village.db import db, read_once, write
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.places.models import Site
from village.products.models import COMBO, Product
from village.revision import VillageRevision

PAGES = "soi.passports.pages"
SHOWN_LOTS = 12
SHOWN_VERSIONS = 10


@dataclass(frozen=True)
class Version:
    """A version, without what it says."""

    number: int
    since: dt.datetime
    sha256: str


@dataclass(frozen=True)
class Passport:
    """A product's passport as it stands. `lots`: the newest, which are no part of the version."""

    told: dict[str, Any]
    version: Version
    earlier: tuple[Version, ...]
    lots: tuple[Batch, ...]

    @property
    def gtin(self) -> str:
        """The product's GTIN, 14 digits."""
        return str(self.told["gtin"])


def passport(link: DigitalLink) -> Passport:
    """The passport of the product that a GTIN names. NotFound where there is none, or it is not sold in packs."""
    product = db.session.scalar(select(Product).where(Product.gtin == link.gtin))
    if product is None:
        raise NotFound("no-product", _l("Không có sản phẩm nào của Bình Lư mang mã %(gtin)s."), gtin=link.gtin)
    if not product.packed:
        raise NotFound("no-passport", _l("Món này không đóng gói bán nên không có hộ chiếu."), gtin=link.gtin)
    body = _body(db.session(), product)
    found = _latest(db.session(), product.id)
    if found is None or found.sha256 != contents.digest(body):
        found = _numbered(product.id)
    return Passport(
        contents.read(found.body), _bare(found), _earlier(product.id, found.number), _lots(product.id)
    )


def version_body(link: DigitalLink, number: int) -> bytes:
    """What an earlier version, or the newest, said, byte for byte; NotFound for a number that there is not."""
    query = (
        select(PassportVersion.body)
        .join(Product, Product.id == PassportVersion.product_id)
        .where(Product.gtin == link.gtin, PassportVersion.number == number)
    )
    body = db.session.scalar(query) if number < 2**31 else None
    if body is None:
        raise NotFound("no-version", _l("Hộ chiếu này không có bản số %(number)s."), number=number)
    return bytes(body)


def note_all() -> None:
    """Number what has changed since anybody asked, such as a certificate that ended: about once an hour."""
    packed = select(Product.gtin).where(Product.net_grams.is_not(None), Product.process != COMBO)
    for gtin in db.session.scalars(packed).all():
        passport(DigitalLink(gtin))


def kept(link: DigitalLink, form: str, make: Callable[[Passport], bytes]) -> Kept:
    """The answer in one form: what is kept, where nothing has moved since; else made anew."""
    pages: Pages = current_app.extensions[PAGES]
    key: Key = (form, link.gtin, i18n.current_language())
    moved = _moved()
    found = pages.get(key)
    if found is not None and found.fresh and found.version == moved:
        return found
    body = make(passport(link))
    found = Kept(key, moved, (), time.monotonic(), clock.today(), contents.digest(body)[:24], form, body, b"")
    pages.put(found)
    return found


def _moved() -> tuple[object, ...]:
    """What a passport depends on: the village's rows, and the ledger, where lots are made, held and recalled."""
    number = select(VillageRevision.number).where(VillageRevision.id == 1).scalar_subquery()
    size = select(LedgerState.size).where(LedgerState.id == 1).scalar_subquery()
    return tuple(read_once(select(number, size), {})[0])


def _numbered(product_id: str) -> PassportVersion:
    """The newest version, after making one of what is said now. Those who come at once make one between them."""
    with write() as session:
        product = session.scalars(select(Product).where(Product.id == product_id).with_for_update()).one()
        body = _body(session, product)
        found = _latest(session, product_id)
        if found is None or found.sha256 != contents.digest(body):
            number = found.number + 1 if found else 1
            found = PassportVersion(product_id=product_id, number=number, sha256=contents.digest(body), body=body)
            session.add(found)
        return found


def _latest(session: Session, product_id: str) -> PassportVersion | None:
    query = select(PassportVersion).where(PassportVersion.product_id == product_id)
    return session.scalar(query.order_by(PassportVersion.number.desc()).limit(1))


def _bare(one: PassportVersion) -> Version:
    return Version(one.number, one.since, one.sha256)


def _earlier(product_id: str, number: int) -> tuple[Version, ...]:
    rows = db.session.execute(
        select(PassportVersion.number, PassportVersion.since, PassportVersion.sha256)
        .where(PassportVersion.product_id == product_id, PassportVersion.number < number)
        .order_by(PassportVersion.number.desc())
        .limit(SHOWN_VERSIONS)
    )
    return tuple(Version(*row) for row in rows)


def _lots(product_id: str) -> tuple[Batch, ...]:
    query = (
        select(Batch)
        .where(Batch.product_id == product_id, Batch.void.is_(False))
        .order_by(Batch.made_at.desc(), Batch.id)
        .limit(SHOWN_LOTS)
        .options(joinedload(Batch.site).joinedload(Site.hamlet))
    )
    return tuple(db.session.scalars(query))


def _body(session: Session, product: Product) -> bytes:
    coop = product.cooperative
    return contents.written(
        Said(
            gtin=product.gtin,
            brand=product.brand,
            picture=picture(product.picture),
            net_grams=product.net_grams or 0,
            shelf_days=product.shelf_days,
            producer=Producer(coop.name, coop.address, coop.registration, coop.gln, coop.phone),
            texts={
                key: {language: getattr(product, f"{key}_{language}") for language in i18n.LANGUAGES}
                for key in contents.TEXTS
            },
            certificates=_certificates(session, product),
            reports=_reports(session, product.id),
        )
    )


def _certificates(session: Session, product: Product) -> list[Paper]:
    today = clock.today()
    rows = session.scalars(
        select(Certificate)
        .where(
            Certificate.cooperative_id == product.cooperative_id,
            or_(Certificate.product_id.is_(None), Certificate.product_id == product.id),
            Certificate.kind.in_(SHOWN_KINDS),
            Certificate.issued_on <= today,
            Certificate.expires_on >= today,
        )
        .order_by(Certificate.issued_on.desc(), Certificate.id)
        .limit(MOST_PAPERS)
    )
    return [
        Paper(
            one.kind, one.number, one.issuer, one.stars, one.issued_on.isoformat(), one.expires_on.isoformat(),
            "product" if one.product_id else "cooperative",
        )
        for one in rows
    ]  # fmt: skip


def _reports(session: Session, product_id: str) -> list[Report]:
    today = clock.today()
    rows = session.scalars(
        select(LabReport)
        .where(LabReport.product_id == product_id, or_(LabReport.expires_on.is_(None), LabReport.expires_on >= today))
        .order_by(LabReport.issued_on.desc(), LabReport.id)
        .limit(MOST_PAPERS)
    )
    return [
        Report(
            one.laboratory, one.number, one.issued_on.isoformat(),
            one.expires_on.isoformat() if one.expires_on else None, one.passed, one.parameters,
            one.sha256 if one.public else None,
        )
        for one in rows
    ]  # fmt: skip
