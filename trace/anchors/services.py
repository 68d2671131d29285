"""Having checkpoints stamped, and finding the stamps again."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.x509 import load_pem_x509_certificates
from flask import current_app
from sqlalchemy import Select, select

from trace.anchors import stamp
from trace.anchors.post import post
from trace.ledger import store
from trace.ledger.models import Anchor, LedgerState
from village import clock
from village.db import db, write
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.settings import Settings


@dataclass(frozen=True)
class Kept:
    """A stamp and where it is published: the `number`-th, from 1, over the log at its size."""

    anchor: Anchor
    number: int


def anchor() -> Anchor | None:
    """Have the newest checkpoint stamped by the authority of TSA_URL.

    None when there is no authority or no log, or when it stamped this very checkpoint before. Raises StampError when
    it gave no stamp that holds; nothing is stored then but the checkpoint. A stamp that nobody checked would be kept
    for ever, since stamps are only added: so there is none without TSA_CA, which the settings see to.
    """
    settings: Settings = current_app.extensions["soi"]
    if not settings.tsa_url or settings.tsa_ca is None or db.session.get(LedgerState, 1) is None:
        return None
    roots = load_pem_x509_certificates(settings.tsa_ca.read_bytes())
    with write() as session:
        kept = store.keep_checkpoint(session)
        if session.get(Anchor, (kept.size, settings.tsa_url)) is not None:
            return None
    asked = stamp.question(kept.note.encode())
    answer = post(settings.tsa_url, asked.as_bytes())
    held = stamp.check(answer, asked, roots, clock.now())
    with write() as session:
        # Somebody may have asked for the same by hand meanwhile.
        if session.get(Anchor, (kept.size, settings.tsa_url)) is not None:
            return None
        made = Anchor(size=kept.size, authority=settings.tsa_url, token=held.token, stamped_at=held.stamped_at)
        others = session.scalars(_ordered().where(Anchor.size == kept.size)).all()
        if others and _place(others[-1]) > _place(made):
            # Published stamps keep their numbers for ever, so a new one may only come after them.
            raise stamp.StampError("another authority's stamp of this checkpoint bears a later time; try again")
        session.add(made)
    return made


def _place(row: Anchor) -> tuple[dt.datetime, str]:
    return row.stamped_at, row.authority


def anchors() -> list[Kept]:
    """All stamps, oldest first."""
    return _numbered(db.session.scalars(_ordered()).all())


def token(size: int, number: int) -> bytes:
    """The `number`-th stamp over the log at `size`, as the authority sent it; or NotFound."""
    for kept in _numbered(db.session.scalars(_ordered().where(Anchor.size == size)).all() if size < 2**53 else []):
        if kept.number == number:
            return kept.anchor.token
    raise NotFound("no-anchor", _l("Không có con dấu giờ nào ở đây."))


def _ordered() -> Select[Anchor]:
    return select(Anchor).order_by(Anchor.size, Anchor.stamped_at, Anchor.authority)


def _numbered(rows: Sequence[Anchor]) -> list[Kept]:
    found: list[Kept] = []
    for row in rows:
        again = found and found[-1].anchor.size == row.size
        found.append(Kept(row, found[-1].number + 1 if again else 1))
    return found
