"""What is known of photos: which are here, who may see them, how pages show them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import current_app
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from trace.events.models import Event
from trace.lots.services import listed
from trace.photos.models import Photo, PhotoUse
from trace.photos.store import Store
from village import i18n
from village.db import db
from village.errors import NotFound, SoiError
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.people.models import Member, Role

STORE = "soi.photos"
SHOWN_WIDTH = 480


class Gone(SoiError):
    """It was here, and was erased on purpose."""

    status = 410
    title = _l("Ảnh đã xoá")


@dataclass(frozen=True)
class Shot:
    """A photo as a page shows it. `state` is matches, coming, erased, or changed (the file is no longer the one that
    the ledger names)."""

    sha256: str
    state: str
    width: int = 0
    height: int = 0
    """As shown, at most `SHOWN_WIDTH` wide."""
    told: str = ""
    """When and about where it was taken, in words."""

    @property
    def url(self) -> str:
        """The file itself."""
        return f"/photos/{self.sha256}"


def store() -> Store:
    """The instance's photos."""
    found: Store = current_app.extensions[STORE]
    return found


def photo_for(who: Actor | None, sha256: str) -> tuple[Photo, bool]:
    """A photo that the asker may see, and whether everybody may: a standing event names it.

    Others are for who sent them and for her cooperative's office. NotFound for the rest and for what has not arrived,
    Gone for what was erased.
    """
    photo = db.session.get(Photo, sha256)
    if photo is None:
        raise no_photo()
    public = is_public(db.session(), sha256)
    if not public and not _own(who, photo):
        raise no_photo()
    if photo.state == "erased":
        raise gone()
    if not store().intact(sha256):
        raise no_photo()
    return photo, public


def is_public(session: Session, sha256: str) -> bool:
    """True when an event that stands names it."""
    named = exists().where(PhotoUse.sha256 == sha256, PhotoUse.event_id == Event.id, Event.corrected_by.is_(None))
    return bool(session.scalar(select(named)))


def no_photo() -> NotFound:
    """For a hash that no photo has, or none that the asker may know of."""
    return NotFound("no-photo", _l("Chưa có ảnh này ở đây, hoặc ảnh không dành cho người xem này."))


def gone() -> Gone:
    """For a photo that was erased."""
    return Gone("photo-erased", _l("Ảnh này đã xoá theo yêu cầu. Dấu của ảnh vẫn nằm trong sổ, nên sổ vẫn kiểm được."))


def shots(session: Session, hashes: Collection[str]) -> Mapping[str, Shot]:
    """How pages show these photos, in one query."""
    if not hashes:
        return {}
    found = session.scalars(select(Photo).where(Photo.sha256.in_(listed(session, hashes))))
    rows = {photo.sha256: photo for photo in found}
    return {sha256: _shot(sha256, rows.get(sha256)) for sha256 in hashes}


def _shot(sha256: str, photo: Photo | None) -> Shot:
    if photo is None:
        return Shot(sha256, "coming")
    if photo.state == "erased":
        return Shot(sha256, "erased")
    if not store().intact(sha256):
        return Shot(sha256, "changed")
    width = min(photo.width, SHOWN_WIDTH)
    return Shot(sha256, "matches", width, max(1, photo.height * width // photo.width), _told(photo))


def _told(photo: Photo) -> str:
    """A place to a hundredth of a degree, which is a kilometre: the village, not the house."""
    said = []
    if photo.taken_at is not None:
        said.append(_("Chụp lúc %(when)s.", when=i18n.moment(photo.taken_at)))
    if photo.lat is not None and photo.lon is not None:
        lat, lon = (i18n.number(round(value, 2)) for value in (photo.lat, photo.lon))
        said.append(_("Quanh toạ độ %(lat)s; %(lon)s.", lat=lat, lon=lon))
    return " ".join(said)


def _own(who: Actor | None, photo: Photo) -> bool:
    if who is None:
        return False
    if who.id == photo.member_id:
        return True
    return who.has(Role.OFFICE) and db.session.get_one(Member, photo.member_id).cooperative_id == who.cooperative_id


def folder(instance: Path) -> Path:
    """Where the instance keeps its photos."""
    return instance / "photos"
