"""Addresses of people: mail in one spelling that fits a header, telephone numbers in E.164."""

import re

from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.outbox.models import Channel
from village.people.phones import clean_phone

MAIL_MAX = 254
"""RFC 5321, 4.5.3.1.3, without the brackets."""
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)


def clean_mail(text: object, field: str = "mail") -> str:
    """A mail address as servers take it: RFC 5321's dot-string in ASCII, the domain in its ASCII form and lower case.

    Quoted local parts and address literals (`"a b"@[192.0.2.1]`) are refused: nobody who eats noodles has one, and
    they are the usual way to smuggle something into a header. BadInput that names `field`.
    """
    found = _mail(text.strip()) if isinstance(text, str) and len(text) <= MAIL_MAX + 10 else None
    if found is None:
        raise BadInput("not-a-mail-address", _l("Địa chỉ thư điện tử chưa đúng, thí dụ ban@example.vn."), field=field)
    return found


def _mail(text: str) -> str | None:
    local, at, domain = text.rpartition("@")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local):
        return None
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    labels = domain.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    return f"{local}@{domain}" if len(local) + 1 + len(domain) <= MAIL_MAX else None


def clean_address(channel: Channel, text: object, field: str = "to") -> str:
    """An address of that channel; BadInput that names `field` when it is none."""
    return clean_mail(text, field) if channel is Channel.MAIL else clean_phone(text, field)
