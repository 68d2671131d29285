"""Papers of certificates: sent in by the office, looked at as laboratories' papers are, read by the office alone."""

from pathlib import Path

from flask import current_app
from sqlalchemy import select

from batches.dossier.models import CertificatePaper
from batches.evidence.errors import no_room, too_big
from batches.evidence.papers import paper as looked_at
from batches.evidence.services import SPARE
from trace.photos.store import Store, days_ago
from village.certificates.models import Certificate
from village.certificates.services import certificate_of
from village.db import db, in_parts, write
from village.errors import BadInput, NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.people.models import Role

STORE = "soi.certificate-papers"
STRAY_DAYS = 1
"""Days after which a file that no row names is put away."""


def store() -> Store:
    """The instance's papers, by their hash."""
    found: Store = current_app.extensions[STORE]
    return found


def folder(instance: Path) -> Path:
    """Where the instance keeps them."""
    return instance / "certificate-papers"


def paper_of(who: Actor, certificate_id: str) -> tuple[Certificate, CertificatePaper | None]:
    """A certificate of the asker's cooperative with its paper, if there is one; NotFound for any other."""
    if not who.has(Role.OFFICE):
        raise wrong_role()
    certificate = certificate_of(who, certificate_id)
    return certificate, db.session.get(CertificatePaper, certificate_id)


def add_paper(who: Actor, certificate_id: str, data: bytes) -> None:
    """Keep a certificate's paper, instead of the one before it. BadInput for what is neither PDF nor picture, or a PDF
    that does things."""
    paper_of(who, certificate_id)
    most = current_app.extensions["soi"].max_photo
    if not data:
        raise BadInput("no-file", _l("Bác chọn tệp PDF hoặc ảnh chụp tờ giấy."), field="paper")
    if len(data) > most:
        raise too_big(most, "paper")
    mime, body = looked_at(data, "paper")
    if store().room() - len(body) < SPARE:
        raise no_room()
    sha256 = store().put(body)
    with write() as session:
        certificate_of(who, certificate_id)
        row = session.get(CertificatePaper, certificate_id)
        before = row.sha256 if row else ""
        if row is None:
            row = CertificatePaper(certificate_id=certificate_id)
            session.add(row)
        row.sha256, row.mime, row.size = sha256, mime, len(body)
    if before != sha256:
        _drop_unless_used(before)
    # An old copy of it, of a certificate long gone, may have been put away just before this one was known to need it.
    store().put(body)


def remove_paper(who: Actor, certificate_id: str) -> None:
    """Take a paper away; the certificate stays on the list."""
    paper_of(who, certificate_id)
    with write() as session:
        certificate_of(who, certificate_id)
        row = session.get(CertificatePaper, certificate_id)
        before = row.sha256 if row else ""
        if row is not None:
            session.delete(row)
    _drop_unless_used(before)


def file_of(who: Actor, certificate_id: str) -> tuple[Path, CertificatePaper]:
    """The paper's file; NotFound where there is none, or it is no longer what it was."""
    _certificate, row = paper_of(who, certificate_id)
    if row is None or not store().intact(row.sha256):
        raise NotFound("no-paper", _l("Giấy này chưa có tờ giấy kèm theo."))
    return store().path(row.sha256), row


def tidy() -> None:
    """Put away the files of certificates that were taken off the list, and what killed processes left."""
    paths = list(store().kept_before(days_ago(STRAY_DAYS)))
    db.session.rollback()
    known: set[str] = set()
    for some in in_parts([path.name for path in paths]):
        known |= set(db.session.scalars(select(CertificatePaper.sha256).where(CertificatePaper.sha256.in_(some))))
    db.session.rollback()
    for path in paths:
        if path.name not in known:
            path.unlink(missing_ok=True)


def _drop_unless_used(sha256: str) -> None:
    used = select(CertificatePaper.certificate_id).where(CertificatePaper.sha256 == sha256).limit(1)
    if sha256 and db.session.scalar(used) is None:
        store().remove(sha256)
