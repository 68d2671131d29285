"""Photos of products: taken in clean, kept by hash, shown in the width that a screen needs.

They lie in a folder of their own, and everybody may see them: a photo is put here to be seen. A file that no row names
any more goes a day later, so that nobody's upload of the same photo loses it in between.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from batches.evidence.errors import no_room, refused, too_big
from shop.catalogue.models import PICTURES_MAX, ProductPicture
from trace.photos import pixels
from trace.photos.bare import Refused
from trace.photos.store import HASH, Store, days_ago
from village.db import db, in_parts, write
from village.errors import Conflict, NotFound
from village.i18n import in_language
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.products.services import own_product
from village.revision import bump

STORE = "soi.products.pictures"
WIDTHS = (320, 640, 1200)
SPARE = 1 << 30
"""Bytes of room that pictures leave to the ledger."""
STRAY_DAYS = 1


@dataclass(frozen=True)
class Shot:
    """A photo as pages show it."""

    id: str
    sha256: str
    width: int
    height: int
    words: str
    """What is to be seen on it, in the reader's language; empty where nobody has said."""

    def url(self, width: int) -> str:
        """The photo at most `width` wide, one of WIDTHS."""
        return f"/pictures/{self.sha256}?w={width}"

    @property
    def set(self) -> str:
        """The widths that there are of it, as `srcset` takes them."""
        enough = next((at for at, width in enumerate(WIDTHS) if width >= self.width), len(WIDTHS))
        return ", ".join(f"{self.url(width)} {min(width, self.width)}w" for width in WIDTHS[: enough + 1])


def folder(instance: Path) -> Path:
    """Where the instance keeps them."""
    return instance / "pictures"


def store() -> Store:
    """The instance's."""
    found: Store = current_app.extensions[STORE]
    return found


def shots_of(session: Session, product_ids: Iterable[str]) -> dict[str, tuple[Shot, ...]]:
    """The photos of each of these products that has any, the first one first. A file that is lost (a copy of the
    database may have come back without its folder) is left out: the drawing stands in. One statement."""
    found: dict[str, tuple[Shot, ...]] = {}
    for some in in_parts(list(product_ids)):
        rows = session.scalars(
            select(ProductPicture)
            .where(ProductPicture.product_id.in_(some))
            .order_by(ProductPicture.position, ProductPicture.id)
        )
        for row in rows:
            if store().has(row.sha256):
                words = in_language(row.words_vi, row.words_en)
                shot = Shot(row.id, row.sha256, row.width, row.height, words)
                found[row.product_id] = (*found.get(row.product_id, ()), shot)
    return found


def rows_of(product_id: str) -> list[ProductPicture]:
    """A product's photos as its sellers work on them."""
    query = select(ProductPicture).where(ProductPicture.product_id == product_id)
    return list(db.session.scalars(query.order_by(ProductPicture.position, ProductPicture.id)))


def mime_of(sha256: str) -> str:
    """What kind of file a photo is; NotFound for one that no product has."""
    found = db.session.scalar(select(ProductPicture.mime).where(ProductPicture.sha256 == sha256).limit(1))
    if found is None or not store().intact(sha256):
        raise no_picture()
    return found


def add(who: Actor, product_id: str, data: bytes) -> None:
    """Take a photo in for a product of the asker's cooperative, after those that it has. The same photo again changes
    nothing. BadInput with the field `picture` for what is none, Conflict when there are PICTURES_MAX."""
    _allow(who)
    own_product(db.session(), who, product_id)
    db.session.rollback()
    most = current_app.extensions["soi"].max_photo
    if len(data) > most:
        raise too_big(most, "picture")
    if store().room() - len(data) < SPARE:
        raise no_room()
    try:
        picture, _exif = pixels.cleaned(data)
    except Refused as error:
        raise refused(error.slug, "picture") from error
    sha256 = store().put(picture.body)
    # As if it had come just now: it may be an old file that is about to go.
    os.utime(store().path(sha256))
    with write() as session:
        own_product(session, who, product_id, lock=True)
        mine = select(ProductPicture).where(ProductPicture.product_id == product_id)
        if session.scalar(mine.where(ProductPicture.sha256 == sha256)) is None:
            count, last = session.execute(
                select(func.count(), func.max(ProductPicture.position)).where(ProductPicture.product_id == product_id)
            ).one()
            if count >= PICTURES_MAX:
                message = _l("Mỗi món nhiều nhất %(max)s ảnh. Bác bỏ bớt một ảnh rồi thêm nhé.")
                raise Conflict("too-many-pictures", message, field="picture", max=PICTURES_MAX)
            session.add(
                ProductPicture(
                    product_id=product_id, sha256=sha256, mime=picture.mime, width=picture.width,
                    height=picture.height, position=0 if last is None else last + 1,
                )
            )  # fmt: skip
            bump(session)


def tell(who: Actor, product_id: str, picture_id: str, words_vi: str, words_en: str) -> None:
    """Say what is to be seen on a photo, for who cannot see it."""
    with write() as session:
        row = _own(session, who, product_id, picture_id)
        row.words_vi, row.words_en = words_vi, words_en
        bump(session)


def put_first(who: Actor, product_id: str, picture_id: str) -> None:
    """Show this photo before the product's others."""
    with write() as session:
        row = _own(session, who, product_id, picture_id)
        least = session.scalar(select(func.min(ProductPicture.position)).where(ProductPicture.product_id == product_id))
        if least is not None and row.position > least:
            row.position = least - 1
            bump(session)


def remove(who: Actor, product_id: str, picture_id: str) -> None:
    """Take a photo away from a product. Removed before, it is no mistake."""
    try:
        with write() as session:
            session.delete(_own(session, who, product_id, picture_id))
            bump(session)
    except NotFound as error:
        if error.slug != "no-picture":
            raise


def drop_strays() -> None:
    """Remove the files that no row names any more, a day after they came or were asked for anew."""
    paths = list(store().kept_before(days_ago(STRAY_DAYS)))
    named: set[str] = set()
    for some in in_parts([path.name for path in paths]):
        named |= set(db.session.scalars(select(ProductPicture.sha256).where(ProductPicture.sha256.in_(some))))
    for path in paths:
        if path.name not in named:
            if HASH.fullmatch(path.name):
                store().remove(path.name)
            path.unlink(missing_ok=True)


def no_picture() -> NotFound:
    """For a photo that is not there, or not this product's."""
    return NotFound("no-picture", _l("Không có ảnh này ở đây."))


def _own(session: Session, who: Actor, product_id: str, picture_id: str) -> ProductPicture:
    _allow(who)
    own_product(session, who, product_id, lock=True)
    row = session.get(ProductPicture, picture_id)
    if row is None or row.product_id != product_id:
        raise no_picture()
    return row


def _allow(who: Actor) -> None:
    if not who.has(Role.SELLER, Role.OFFICE):
        raise wrong_role()
