"""Photos that buyers send: checked, made small, without anything but the picture, and for the office's eyes alone.

They lie in a folder of their own, apart from the village's photos: no event names them, and no public address leads
there.
"""

from collections.abc import Collection
from pathlib import Path

from flask import Response, current_app, send_file
from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.photos import pixels
from trace.photos.bare import JPEG, Refused
from trace.photos.store import HASH, Store, days_ago
from trace.photos.views import POLICY
from trace.questions.models import Saying
from village.db import db, in_parts
from village.errors import BadInput, NotFound
from village.i18n import lazy_gettext as _l
from village.storage import FULL, TEXTS, StorageTrouble

STORE = "soi.questions.photos"
WIDTH = 1600
"""Pixels: enough to read a label by."""
SPARE = 1 << 30
"""Bytes of room that strangers' photos leave to the ledger."""
STRAY_DAYS = 1
_WHY = {
    "photo-is-heic": _l("Ảnh này kiểu HEIC, máy mình chưa mở được. Bác chụp màn hình tấm ảnh rồi gửi tấm ấy nhé."),
    "photo-too-many-pixels": _l("Ảnh này to quá. Bác chụp cỡ nhỏ hơn nhé."),
}
_NOT_ONE = _l("Tệp này không phải ảnh JPEG, PNG hay WebP còn nguyên. Bác chọn ảnh khác nhé.")


def folder(instance: Path) -> Path:
    """Where the instance keeps them."""
    return instance / "questions"


def store() -> Store:
    """The instance's."""
    found: Store = current_app.extensions[STORE]
    return found


def take(data: bytes) -> str:
    """Keep a photo as a small JPEG; gives its name. BadInput with the field `photo` for what is none. To be called
    outside of any transaction: opening pictures is slow work."""
    most = current_app.extensions["soi"].max_photo
    if len(data) > most:
        raise BadInput("photo-too-big", _l("Ảnh nặng quá, nhiều nhất %(mib)s MB."), field="photo", mib=most >> 20)
    if store().room() < SPARE:
        raise StorageTrouble("storage", TEXTS[FULL], why=FULL)
    try:
        picture, _exif = pixels.cleaned(data)
        return store().put(pixels.small(picture.body, picture.mime, WIDTH, JPEG))
    except Refused as error:
        raise BadInput(error.slug, _WHY.get(error.slug, _NOT_ONE), field="photo") from error


def shown(sha256: str | None) -> Response:
    """The photo itself, for whoever was let in to its question."""
    if sha256 is None or not store().intact(sha256):
        raise NotFound("no-photo", _l("Ảnh này không còn ở đây."))
    response = send_file(store().path(sha256), JPEG)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Security-Policy"] = POLICY
    return response


def drop(hashes: Collection[str]) -> None:
    """Remove the files that nothing said names any more. After the transaction that took the names away."""
    named = set(db.session.scalars(select(Saying.photo).where(Saying.photo.in_(list(hashes)))))
    for sha256 in set(hashes) - named:
        store().remove(sha256)


def drop_strays(session: Session) -> None:
    """Remove photos whose form was never sent to the end, and what killed processes left."""
    paths = list(store().kept_before(days_ago(STRAY_DAYS)))
    kept: set[str | None] = set()
    for some in in_parts([path.name for path in paths]):
        kept |= set(session.scalars(select(Saying.photo).where(Saying.photo.in_(some))))
    for path in paths:
        if path.name not in kept:
            if HASH.fullmatch(path.name):
                store().remove(path.name)
            path.unlink(missing_ok=True)
