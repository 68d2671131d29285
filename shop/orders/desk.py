"""What the checkout page offers: who sells, how it can be brought and paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from shop.addresses.provinces import PROVINCES
from shop.cart.services import CartLine
from shop.delivery.services import Quote, quotes
from shop.orders.models import Payment
from shop.payments.services import methods
from shop.rights.seller import Imprint, imprint_of
from village.db import db
from village.i18n import current_language
from village.i18n import gettext as _


@dataclass(frozen=True)
class Desk:
    """How a cart of one seller can be brought to its buyer, and paid."""

    ways: tuple[Quote, ...]
    """Empty where the seller does not deliver."""
    methods: tuple[Payment, ...]

    def way(self, key: str) -> Quote | None:
        """A way of delivery by its key; None for one that is not offered."""
        return next((way for way in self.ways if way.key == key), None)


def desk(seller: str, lines: Sequence[CartLine], province: str, ward: str) -> Desk:
    """What `seller` (a cooperative's id) offers. The province as one of the 34; empty while it is not known."""
    return Desk(tuple(quotes(lines, province, ward)), methods(seller))


def who_sells(seller: str) -> Imprint:
    """What the seller tells of itself."""
    return imprint_of(db.session(), seller)


def province_choices() -> list[tuple[str, str]]:
    """For the form: names of today, each with those that went into it."""
    return _province_choices(current_language())


@cache
def _province_choices(_language: str) -> list[tuple[str, str]]:
    return [("", _("Chọn tỉnh, thành"))] + [
        (one.name, _("%(name)s (cả %(before)s cũ)", name=one.name, before=", ".join(one.before)))
        if one.before else (one.name, one.name)
        for one in PROVINCES
    ]  # fmt: skip


def payment_choices(offered: tuple[Payment, ...]) -> list[tuple[str, str, str, str]]:
    """For the form: key, words, picture, one line more."""
    words = {
        "cod": (_("Trả khi nhận hàng"), "money", _("Đưa tiền mặt lúc nhận.")),
        "vietqr": (_("Chuyển khoản, quét mã QR"), "scan", _("Đặt xong hiện mã, hàng giữ 30 phút chờ bác chuyển.")),
        "stripe": (_("Thẻ quốc tế"), "account", _("Visa, Mastercard, trả trên trang của Stripe.")),
    }
    return [(key, *words[key]) for key in offered]
