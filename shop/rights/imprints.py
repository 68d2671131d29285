"""What a cooperative's office writes down about itself for buyers."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from shop.rights.models import SellerInfo
from shop.rights.seller import Imprint, imprint
from village import clock
from village.db import db, write
from village.errors import BadInput, NotFound
from village.forms import Form, day
from village.i18n import lazy_gettext as _l
from village.outbox.addresses import clean_mail
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.people.phones import clean_phone
from village.places.models import Cooperative
from village.places.services import alone_in
from village.revision import bump
from village.text import clean_line

STATE = ("https://online.gov.vn/", "https://www.online.gov.vn/")
"""Where shops are notified and confirmed."""


@dataclass(frozen=True)
class Fields:
    """What the form holds, clean."""

    registered_on: dt.date | None
    registered_by: str
    email: str
    complaints_phone: str
    hours: str
    representative: str = ""
    notice_url: str = ""


def by_gln(gln: str) -> Imprint:
    """The seller with this place number; NotFound for any other."""
    found = db.session.scalar(select(Cooperative).where(Cooperative.gln == gln))
    if found is None:
        raise NotFound("no-seller", _l("Không có người bán nào mang mã này."), gln=gln[:20])
    return imprint(found)


def sellers() -> list[Imprint]:
    """All who sell here, by name."""
    return [imprint(one) for one in db.session.scalars(select(Cooperative).order_by(Cooperative.name))]


def own_imprint(who: Actor) -> Imprint:
    """What buyers read of the asker's cooperative."""
    return imprint(db.session.get_one(Cooperative, who.cooperative_id))


def info_of(who: Actor) -> SellerInfo:
    """What the asker's cooperative has written down; an empty one before that."""
    found = db.session.get(SellerInfo, who.cooperative_id)
    return found or SellerInfo(
        registered_by="", email="", complaints_phone="", hours="", representative="", notice_url=""
    )


def fields_of(form: Form) -> Fields:
    """BadInput that names the field at fault."""
    email = form.text("email").strip()
    registered = day(form.text("registered_on"), "registered_on") if form.text("registered_on") else None
    if registered and registered > clock.today():
        raise BadInput("day-to-come", _l("Ngày này chưa tới."), field="registered_on")
    phone = form.text("complaints_phone").strip()
    return Fields(
        registered,
        clean_line(form.text("registered_by"), "registered_by", 120, required=False),
        clean_mail(email, "email") if email else "",
        clean_phone(phone, "complaints_phone") if phone else "",
        clean_line(form.text("hours"), "hours", 120, required=False),
        clean_line(form.text("representative"), "representative", 120, required=False),
        _notice_url(form.text("notice_url").strip()),
    )


def _notice_url(text: str) -> str:
    """A page of the ministry's, so that no link here leads elsewhere; BadInput otherwise."""
    fits = len(text) <= 200 and text.startswith(STATE) and all("!" <= c <= "~" and c not in "\"<>\\" for c in text)
    if text and not fits:
        raise BadInput(
            "not-the-state", _l("Đường dẫn này phải là một trang của https://online.gov.vn."), field="notice_url"
        )
    return text


def edit(who: Actor, fields: Fields) -> None:
    """Write it down. For the cooperative's own office."""
    if not who.has(Role.OFFICE):
        raise wrong_role()
    with write() as session:
        alone_in(session, who.cooperative_id)
        info = session.get(SellerInfo, who.cooperative_id)
        if info is None:
            info = SellerInfo(cooperative_id=who.cooperative_id)
            session.add(info)
        info.registered_on, info.registered_by = fields.registered_on, fields.registered_by
        info.email, info.complaints_phone, info.hours = fields.email, fields.complaints_phone, fields.hours
        info.representative, info.notice_url = fields.representative, fields.notice_url
        info.updated_at = clock.now()
        bump(session)
