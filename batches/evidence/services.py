"""Taking photos in: cleaned of everything but the picture, kept once, known by what is kept."""

from collections.abc import Sequence

from flask import current_app
from sqlalchemy import exists, func, select
from sqlalchemy.exc import IntegrityError
from werkzeug.datastructures import FileStorage

from batches.evidence.errors import no_room, refused, too_big
from trace.photos.bare import Refused
from trace.photos.exif import NOTHING, Told, told
from trace.photos.models import Photo, PhotoUse
from trace.photos.pixels import Picture, cleaned
from trace.photos.services import gone, is_public, store
from trace.photos.store import HASH
from village import clock
from village.db import db, write
from village.errors import BadInput, TooMany
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, signed_in
from village.revision import bump
from village.settings import Settings

MOST_IN_FORM = 4
MOST_UNNAMED = 500
"""Photos of one member that no event has named yet."""
SPARE = 256 << 20
"""Bytes of disk that photos leave to the ledger."""
HOUR = 3600


def largest_photo(settings: Settings) -> int:
    """Bytes of a request that carries one photo, with a little around it."""
    return settings.max_photo + 64 * 1024


def largest_form(settings: Settings) -> int:
    """Bytes of a stage's form with its photos."""
    return settings.max_body + MOST_IN_FORM * settings.max_photo


def take_form_photos(files: Sequence[FileStorage], consent: bool, kept: str = "") -> tuple[str, ...]:
    """Keep the photos that came with a form, for whoever is signed in; gives their hashes.

    `kept` are hashes, joined by commas, of photos that came with an earlier try of the same form: a browser sends no
    file twice. With `consent`, when and where they were taken is kept too. Raises BadInput with the field `photos`.
    """
    who, sent = signed_in(), [file for file in files if file.filename]
    before = _kept_before(who, kept)
    if len(before) + len(sent) > MOST_IN_FORM:
        raise BadInput(
            "too-many-files", _l("Mỗi lần ghi nhiều nhất %(most)s ảnh."), field="photos", most=MOST_IN_FORM
        )
    most = current_app.extensions["soi"].max_photo
    taken = [take_photo(who, file.stream.read(most + 1), consent=consent) for file in sent]
    return tuple(dict.fromkeys((*before, *(photo.sha256 for photo in taken))))


def _kept_before(who: Actor, kept: str) -> list[str]:
    named = [sha256 for sha256 in kept.split(",") if HASH.fullmatch(sha256)][:MOST_IN_FORM]
    mine = select(Photo.sha256).where(Photo.sha256.in_(named), Photo.member_id == who.id, Photo.state == "kept")
    known = set(db.session.scalars(mine))
    return [sha256 for sha256 in named if sha256 in known]


def take_photo(who: Actor, data: bytes, *, consent: bool) -> Photo:
    """Keep a photo as it came from a camera, without anything but the picture.

    With `consent`, when and where it was taken, as far as it says so, is kept beside it.
    """
    most = current_app.extensions["soi"].max_photo
    if len(data) > most:
        raise too_big(most)
    try:
        picture, exif = cleaned(data)
    except Refused as error:
        raise refused(error.slug) from error
    make_sure_of_room(who, len(picture.body))
    sha256 = store().put(picture.body)
    return register(who, sha256, picture, told(exif, clock.VN, clock.now()) if consent else NOTHING)


def make_sure_of_room(who: Actor, size: int) -> None:
    """Refuse where `size` more bytes would take the ledger's room, or the member has too many photos without an
    event."""
    if store().room() - size < SPARE:
        raise no_room()
    unnamed = select(func.count()).select_from(Photo).where(
        Photo.member_id == who.id, Photo.state == "kept", ~exists().where(PhotoUse.sha256 == Photo.sha256)
    )  # fmt: skip
    if (db.session.scalar(unnamed) or 0) >= MOST_UNNAMED:
        raise TooMany(
            "too-many-photos",
            _l("Bác có %(most)s ảnh chưa gắn với lần ghi nào. Bác gửi các lần ghi lên trước nhé."),
            retry_after=HOUR, most=MOST_UNNAMED,
        )  # fmt: skip


def register(who: Actor, sha256: str, picture: Picture, said: Told) -> Photo:
    """Know a photo whose file is kept. Of several who send the same one, the first is its sender. Raises Gone for one
    that was erased, whose file goes again."""
    try:
        photo = _register(who, sha256, picture, said)
    except IntegrityError:
        # Somebody else was quicker with the same picture.
        photo = _register(who, sha256, picture, said)
    if photo.state == "erased":
        store().remove(sha256)
        raise gone()
    return photo


def _register(who: Actor, sha256: str, picture: Picture, said: Told) -> Photo:
    with write() as session:
        photo = session.get(Photo, sha256)
        if photo is None:
            photo = Photo(
                sha256=sha256, size=len(picture.body), width=picture.width, height=picture.height, mime=picture.mime,
                taken_at=said.taken_at, lat=said.lat, lon=said.lon, member_id=who.id, state="kept",
            )  # fmt: skip
            session.add(photo)
        if is_public(session, sha256):
            # A page that says it is still coming is out of date now.
            bump(session)
    return photo
