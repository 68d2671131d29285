"""What delivery costs a buyer, and the cooperative's table of it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from shop.addresses.provinces import PROVINCES
from shop.delivery.accounts import account_of
from shop.delivery.fees import Fees, by_carrier, by_hand
from shop.delivery.models import DeliveryFees
from shop.orders.models import Delivery
from village.db import db, write
from village.errors import BadInput
from village.forms import optional_number, whole_number
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.reference import reference
from village.text import clean_line

FEE_MAX = 1_000_000
"""Đồng: no village asks more for one parcel."""


class Packs(Protocol):
    """A line of a cart, as far as a parcel goes."""

    @property
    def product_id(self) -> str: ...
    @property
    def quantity(self) -> int: ...


@dataclass(frozen=True)
class Quote:
    """One way to get it, and what that costs the buyer."""

    key: Delivery
    name: str
    fee: int
    """Đồng."""
    told: str
    """One line about it for the buyer."""


def carrier_open(cooperative_id: str | None) -> bool:
    """True when this cooperative has an account with the carrier, or may use the village's."""
    return account_of(cooperative_id) is not None


def quotes(lines: Iterable[Packs], province: str, ward: str = "") -> list[Quote]:
    """The ways in which a cart can be delivered there, cheapest first. Empty when the seller delivers nowhere near.

    A cart of several cooperatives goes by the table of the one whose product's id comes first: as one parcel.
    """
    session = db.session()
    units = {line.product_id: line.quantity for line in lines}
    known = reference(session).products
    products = [known[product_id] for product_id in sorted(units) if product_id in known]
    if not products:
        return []
    fees = fees_of(session, products[0].cooperative_id)
    grams = sum((product.net_grams or 0) * units[product.id] for product in products)
    hand = by_hand(fees, ward, province)
    found: list[Quote] = []
    if hand is not None:
        found.append(Quote("hand", _("Người bán giao"), hand, _("Người bán gọi hẹn, rồi đưa tận tay hoặc gửi xe.")))
    carrier = by_carrier(fees, province, grams) if carrier_open(products[0].cooperative_id) else None
    if carrier is not None:
        found.append(Quote("ghn", _("Giao Hàng Nhanh"), carrier, _("Bưu tá mang tới tận nhà, theo dõi được.")))
    return sorted(found, key=lambda quote: quote.fee)


def province_names() -> list[tuple[str, str]]:
    """For a form's list."""
    return [("", _("Chưa chọn")), *((province.name, province.name) for province in PROVINCES)]


def fees_of(session: Session, cooperative_id: str) -> Fees:
    """A cooperative's table; without one, delivery by hand is free and nobody else delivers."""
    row = session.get(DeliveryFees, cooperative_id)
    if row is None:
        return Fees()
    return Fees(
        row.ward, row.province, row.commune, row.near, row.far, row.carrier_near, row.carrier_far, row.carrier_more
    )


def set_fees(actor: Actor, typed: Mapping[str, Any]) -> Fees:
    """The office writes its cooperative's table; BadInput names the field at fault."""
    if not actor.has(Role.OFFICE):
        raise wrong_role()
    fees = Fees(
        ward=clean_line(typed.get("ward"), "ward", 80, required=False),
        province=clean_line(typed.get("province"), "province", 40, required=False),
        commune=whole_number(typed.get("commune"), "commune", 0, FEE_MAX),
        near=whole_number(typed.get("near"), "near", 0, FEE_MAX),
        far=optional_number(typed.get("far"), "far", 0, FEE_MAX),
        carrier_near=optional_number(typed.get("carrier_near"), "carrier_near", 0, FEE_MAX),
        carrier_far=optional_number(typed.get("carrier_far"), "carrier_far", 0, FEE_MAX),
        carrier_more=optional_number(typed.get("carrier_more"), "carrier_more", 0, FEE_MAX) or 0,
    )
    if (fees.carrier_near is None) != (fees.carrier_far is None):
        empty = "carrier_near" if fees.carrier_near is None else "carrier_far"
        raise BadInput(
            "half-a-table", _l("Bác ghi cả giá trong tỉnh lẫn ngoài tỉnh, hoặc để trống cả hai."), field=empty
        )
    with write() as session:
        session.merge(DeliveryFees(cooperative_id=actor.cooperative_id, **asdict(fees)))
    return fees
