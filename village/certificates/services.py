"""The office's work on certificates, and what others may show of them."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from village import clock
from village.certificates.models import SHOWN_KINDS, Certificate
from village.certificates.schemas import CertificateFields
from village.db import db, write
from village.errors import BadInput, NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.products.models import Product


def certificates_of(cooperative_id: str) -> list[Certificate]:
    """A cooperative's certificates, the one that ends first on top."""
    query = select(Certificate).where(Certificate.cooperative_id == cooperative_id)
    return list(db.session.scalars(query.order_by(Certificate.expires_on, Certificate.id)))


def valid_for(product_id: str, cooperative_id: str) -> list[Certificate]:
    """What buyers are shown that holds today for a product: its own certificates first, then its cooperative's."""
    today = clock.today()
    about = or_(Certificate.product_id == product_id, Certificate.product_id.is_(None))
    query = select(Certificate).where(
        Certificate.cooperative_id == cooperative_id, about, Certificate.kind.in_(SHOWN_KINDS),
        Certificate.issued_on <= today, Certificate.expires_on >= today,
    )  # fmt: skip
    return list(db.session.scalars(query.order_by(Certificate.product_id.is_(None), Certificate.kind.desc())))


def certificate_of(who: Actor, certificate_id: str) -> Certificate:
    """One certificate of the asker's cooperative; NotFound for any other."""
    return _own(db.session(), who, certificate_id)


def add_certificate(who: Actor, fields: CertificateFields) -> str:
    """Put a certificate on the list; gives its id."""
    _office(who)
    with write() as session:
        certificate = Certificate(cooperative_id=who.cooperative_id)
        _fill(session, who, certificate, fields)
        session.add(certificate)
        session.flush()
        return certificate.id


def edit_certificate(who: Actor, certificate_id: str, fields: CertificateFields) -> None:
    """Correct how a certificate was copied."""
    _office(who)
    with write() as session:
        _fill(session, who, _own(session, who, certificate_id), fields)


def remove_certificate(who: Actor, certificate_id: str) -> None:
    """Take a certificate off: its issuer took it back, or it was never ours."""
    _office(who)
    with write() as session:
        session.delete(_own(session, who, certificate_id))


def _office(who: Actor) -> None:
    if not who.has(Role.OFFICE):
        raise wrong_role()


def _own(session: Session, who: Actor, certificate_id: str) -> Certificate:
    certificate = session.get(Certificate, certificate_id)
    if certificate is None or certificate.cooperative_id != who.cooperative_id:
        raise NotFound("no-such-certificate", _l("Hợp tác xã không có giấy này."))
    return certificate


def _fill(session: Session, who: Actor, certificate: Certificate, fields: CertificateFields) -> None:
    if fields.product_id:
        product = session.get(Product, fields.product_id)
        if product is None or product.cooperative_id != who.cooperative_id:
            raise BadInput("no-such-product", _l("Hợp tác xã không có sản phẩm này."), field="product")
    certificate.kind, certificate.number, certificate.issuer = fields.kind, fields.number, fields.issuer
    certificate.stars, certificate.product_id = fields.stars, fields.product_id
    certificate.issued_on, certificate.expires_on = fields.issued_on, fields.expires_on
