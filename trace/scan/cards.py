"""A lot's share card: what stands on it, and the Open Graph facts that lead to it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.gs1.digital_link import DigitalLink
from trace.lots.models import Batch
from trace.scan import words
from trace.scan.card import Card
from village import clock, i18n
from village.certificates.models import Certificate
from village.i18n import gettext as _


@dataclass(frozen=True)
class Shared:
    """What a messenger reads of a scan page: absolute addresses, as the Open Graph protocol wants them."""

    title: str
    told: str
    address: str
    picture: str


def card_of(batch: Batch, certificates: Iterable[Certificate]) -> Card:
    """The card of a lot as it stands today, in the reader's language. `certificates` are those about its product."""
    today = clock.today()
    stars = [one.stars or 0 for one in certificates if one.kind == "ocop" and one.valid_on(today)]
    made = i18n.date(batch.made_at)
    packed = batch.product.packed
    lines = [_("Đóng gói ngày %(day)s", day=made) if packed else _("Làm ngày %(day)s", day=made)]
    lines.append(_("%(hamlet)s, xã Bình Lư, tỉnh Lai Châu", hamlet=words.hamlet(batch.site.hamlet.name)))
    if batch.best_before:
        lines.append(_("Hạn dùng %(day)s", day=i18n.date(batch.best_before)))
    return Card(
        name=words.name(batch.product),
        lot=_lot(batch.lot),
        lines=tuple(lines),
        warning=_warning(batch),
        stars=max(stars, default=0),
        foot=_("Soi · quét gói là thấy cả đường đi"),
    )


def _lot(code: str) -> str:
    said = _("lô %(lot)s", lot=code)
    return said[:1].upper() + said[1:]


def _warning(batch: Batch) -> str:
    if batch.hold == "recalled":
        return _("Lô này đã bị thu hồi, mời bác đừng dùng.")
    if batch.void:
        return _("Lô này được khai là ghi nhầm.")
    if batch.hold == "held":
        return _("Lô này đang tạm giữ để kiểm tra lại.")
    if batch.best_before is not None and batch.best_before < clock.today():
        return _("Lô này đã quá hạn dùng.")
    return ""


def certificates_about(session: Session, batch: Batch) -> list[Certificate]:
    """The OCOP certificates of a lot's product."""
    query = select(Certificate).where(Certificate.product_id == batch.product_id, Certificate.kind == "ocop")
    return list(session.scalars(query.order_by(Certificate.id)))


def digest(told: Card) -> str:
    """A card's mark: another one as soon as anything on the card changes, so that nobody keeps an old picture."""
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def shared(batch: Batch, certificates: Iterable[Certificate], public_url: str) -> Shared:
    """What the page of a lot says of itself to messengers."""
    told = card_of(batch, [one for one in certificates if one.product_id == batch.product_id])
    link = DigitalLink(batch.gtin, lot=batch.lot)
    # What a lot's code may hold besides letters is written with escapes, as in the scan address.
    code = link.path.rpartition("/10/")[2]
    picture = f"{public_url}/cards/{i18n.current_language()}/{batch.gtin}/{code}.png?v={digest(told)}"
    return Shared(
        title=f"{told.name}, {told.lot}",
        told=told.warning or ". ".join(told.lines) + ".",
        address=link.under(public_url),
        picture=picture,
    )
