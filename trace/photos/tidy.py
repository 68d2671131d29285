"""Putting away what nobody waits for any more: uploads that broke off, photos that no event ever named."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, delete, exists, select

from trace.photos.models import Photo, PhotoUse
from trace.photos.services import store
from trace.photos.store import HASH, days_ago
from village import clock
from village.db import db, write

PART_DAYS, UNNAMED_DAYS, STRAY_DAYS = 14, 30, 1
"""Days after which a part, a photo that no event names, and a file that no row names are put away."""
_AT_ONCE = 500


@dataclass(frozen=True)
class Tidied:
    """How many of each were put away, or would be."""

    parts: int
    photos: int
    strays: int


def tidy(*, dry_run: bool = False) -> Tidied:
    """Put them away. What a phone sends again later simply begins anew."""
    parts = store().parts_before(days_ago(PART_DAYS))
    unnamed = list(db.session.scalars(select(Photo.sha256).where(*_unnamed())))
    strays = _strays()
    db.session.rollback()
    if not dry_run:
        for part in parts:
            part.unlink(missing_ok=True)
        for start in range(0, len(unnamed), _AT_ONCE):
            _drop(unnamed[start : start + _AT_ONCE])
        for path in strays:
            if HASH.fullmatch(path.name):
                store().remove(path.name)
            path.unlink(missing_ok=True)
    return Tidied(len(parts), len(unnamed), len(strays))


def _unnamed() -> tuple[ColumnElement[bool], ...]:
    named = exists().where(PhotoUse.sha256 == Photo.sha256)
    return Photo.state == "kept", Photo.uploaded_at < clock.now() - dt.timedelta(days=UNNAMED_DAYS), ~named


def _drop(hashes: list[str]) -> None:
    """The rows first: a file without a row is a stray, and goes the next time at the latest."""
    with write() as session:
        gone = session.scalars(delete(Photo).where(Photo.sha256.in_(hashes), *_unnamed()).returning(Photo.sha256)).all()
    for sha256 in gone:
        store().remove(sha256)


def _strays() -> list[Path]:
    """Files without a row, or whose row says that they were erased, and what killed processes left."""
    paths = list(store().kept_before(days_ago(STRAY_DAYS)))
    kept: set[str] = set()
    for start in range(0, len(paths), _AT_ONCE):
        some = [path.name for path in paths[start : start + _AT_ONCE]]
        kept |= set(db.session.scalars(select(Photo.sha256).where(Photo.sha256.in_(some), Photo.state == "kept")))
    return [path for path in paths if path.name not in kept]
