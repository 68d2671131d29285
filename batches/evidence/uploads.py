"""Photos that arrive piece by piece, over a network that comes and goes: the phone goes on where it was cut off.

A photo is named by the SHA-256 of its bytes before the first of them is sent. Each member has parts of her own, so that
nobody can spoil another's upload by knowing its name.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app

from batches.evidence.errors import refused, too_big
from batches.evidence.services import HOUR, make_sure_of_room, register
from trace.photos import pixels
from trace.photos.bare import Refused
from trace.photos.exif import Told
from trace.photos.models import Photo
from trace.photos.services import gone, no_photo, store
from trace.photos.store import HASH, Busy, take_in
from village.db import db
from village.errors import BadInput, Conflict, TooMany
from village.i18n import lazy_gettext as _l
from village.people.access import Actor

MOST_PARTS = 100
MOST_UNFINISHED = 5
"""Largest photos that a member's parts may amount to."""


class WrongOffset(Conflict):
    """The piece does not begin where the part ends. `offset` is where it does."""

    def __init__(self, offset: int) -> None:
        super().__init__("wrong-offset", _l("Đã có %(offset)s byte của ảnh này, gửi tiếp từ đó nhé."), offset=offset)
        self.offset = offset


@dataclass(frozen=True)
class Piece:
    """One request's piece of a photo."""

    sha256: str
    offset: int
    length: int
    """Bytes of the whole photo."""
    size: int | None
    """Bytes of this piece, where its sender says so."""
    said: Told


def progress(who: Actor, sha256: str) -> tuple[int, int | None]:
    """How many bytes of a photo have arrived, and of how many where that is known. NotFound where there are none, Gone
    for a photo that was erased."""
    photo = _kept(sha256)
    if photo is not None:
        return photo.size, photo.size
    try:
        return store().part(who.id, sha256).stat().st_size, None
    except FileNotFoundError:
        raise no_photo() from None


def receive(who: Actor, piece: Piece, read: Callable[[int], bytes]) -> int:
    """Add a piece to a photo; gives how much of it has arrived. With its last byte the photo is looked at and kept.

    Raises WrongOffset, BadInput for a photo that is not what its name says or is no clean picture (its bytes are
    dropped), Gone for one that was erased, and what refuses too much. A piece that breaks off stays as far as it came.
    """
    photo = _kept(piece.sha256)
    if photo is not None:
        return photo.size
    _refuse_odd(piece)
    if store().has(piece.sha256):
        # It was kept, but the server ended before it was known.
        return _finish(who, piece)
    count, held = store().unfinished(who.id)
    most = current_app.extensions["soi"].max_photo
    if count >= MOST_PARTS or held + piece.length - piece.offset > MOST_UNFINISHED * most:
        many = _l("Có nhiều ảnh gửi dở quá. Gửi xong các ảnh ấy trước nhé.")
        raise TooMany("too-many-unfinished", many, retry_after=HOUR)
    make_sure_of_room(who, piece.length - piece.offset)
    # Nothing is held in the database while bytes trickle in.
    db.session.close()
    try:
        with store().growing(who.id, piece.sha256) as (fd, have):
            if have != piece.offset:
                raise WrongOffset(have)
            arrived = take_in(fd, have, piece.length - have, read)
            return arrived if arrived < piece.length else _finish(who, piece)
    except Busy:
        busy = _l("Ảnh này đang được gửi ở một đường khác. Máy chờ một chút rồi gửi tiếp nhé.")
        raise Conflict("upload-busy", busy) from None


def _kept(sha256: str) -> Photo | None:
    if not HASH.fullmatch(sha256):
        raise BadInput("bad-hash", _l("Tên của ảnh là SHA-256 của nó, 64 chữ số hệ 16 viết thường."), field="sha256")
    photo = db.session.get(Photo, sha256)
    if photo is not None and photo.state == "erased":
        raise gone()
    return photo if photo is not None and store().has(sha256) else None


def _refuse_odd(piece: Piece) -> None:
    most = current_app.extensions["soi"].max_photo
    if piece.length > most:
        raise too_big(most, "Upload-Length")
    past_end = piece.size is not None and piece.offset + piece.size > piece.length
    # An empty last piece ends what had all its bytes when the server stopped.
    if not 0 <= piece.offset <= piece.length or piece.length == 0 or past_end:
        odd = _l("Độ dài hay chỗ bắt đầu của ảnh gửi lên không hợp nhau.")
        raise BadInput("bad-upload", odd, field="Upload-Offset")


def _finish(who: Actor, piece: Piece) -> int:
    """Look at what has arrived, and keep it or drop it."""
    part = store().part(who.id, piece.sha256)
    done = store().has(piece.sha256)
    data = (store().path(piece.sha256) if done else part).read_bytes()
    try:
        if hashlib.sha256(data).hexdigest() != piece.sha256:
            raise refused("photo-not-its-name")
        picture = pixels.read(data)
    except Refused as error:
        part.unlink(missing_ok=True)
        raise refused(error.slug) from error
    except BadInput:
        part.unlink(missing_ok=True)
        raise
    if not done:
        store().adopt(part, piece.sha256)
    register(who, piece.sha256, picture, piece.said)
    return len(data)
