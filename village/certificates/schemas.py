"""What the office copies from a certificate, checked."""

import datetime as dt
from dataclasses import dataclass
from typing import cast

from village import clock
from village.certificates.models import KINDS, NO_END, SHOWN_KINDS, CertificateKind, ocop_expiry
from village.errors import BadInput
from village.forms import Form, choice, day, whole_number
from village.i18n import lazy_gettext as _l
from village.text import clean_line

LONGEST = dt.timedelta(days=20 * 366)


@dataclass(frozen=True)
class CertificateFields:
    """A certificate as its issuer gave it. `product_id` None: about the cooperative. `expires_on` is `NO_END` for a
    paper without a last day."""

    kind: CertificateKind
    number: str
    issuer: str
    stars: int | None
    issued_on: dt.date
    expires_on: dt.date
    product_id: str | None


def certificate_fields(form: Form) -> CertificateFields:
    """The fields of the certificate form; OCOP stars end by rule, so their last day is not asked for."""
    kind = cast(CertificateKind, choice(form.text("kind"), "kind", KINDS))
    number = clean_line(form.text("number"), "number", 60)
    issuer = clean_line(form.text("issuer"), "issuer", 200)
    stars = whole_number(form.text("stars"), "stars", 3, 5) if kind == "ocop" else None
    issued_on = day(form.text("issued_on"), "issued_on")
    if issued_on > clock.today():
        raise BadInput("issued-in-future", _l("Ngày cấp chưa tới mà."), field="issued_on")
    expires_on = _end(kind, issued_on, form.text("expires_on"))
    if expires_on != NO_END and not issued_on < expires_on <= issued_on + LONGEST:
        raise BadInput("ends-before-it-begins", _l("Ngày hết hạn phải sau ngày cấp, trong 20 năm."), field="expires_on")
    return CertificateFields(kind, number, issuer, stars, issued_on, expires_on, form.text("product") or None)


def _end(kind: CertificateKind, issued_on: dt.date, typed: str) -> dt.date:
    """What buyers are shown always has an end; registrations and contracts may have none."""
    if kind == "ocop":
        return ocop_expiry(issued_on)
    if kind not in SHOWN_KINDS and not typed.strip():
        return NO_END
    return day(typed, "expires_on")
