"""What the checkout page offers: who sells, how it can be brought and paid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Self

from shop.addresses.provinces import PROVINCES
from shop.cart.services import CartLine
from shop.delivery.services import Quote, quotes
from shop.orders.models import Payment
from shop.payments.services import methods
from shop.rights.seller import Imprint, imprint_of
from village.db import db
from village.errors import BadInput, Conflict
from village.i18n import current_language, dong
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l


@dataclass(frozen=True)
class Desk:
    """How a cart of one seller can be brought to its buyer, and paid."""

    ways: tuple[Quote, ...]
    """Empty where the seller does not deliver."""
    methods: tuple[Payment, ...]

    def way(self, key: str) -> Quote | None:
        """A way of delivery by its key; None for one that is not offered."""
        return next((way for way in self.ways if way.key == key), None)

    def without_cash(self) -> Self:
        """The same for a buyer who is asked to pay ahead."""
        return replace(self, methods=tuple(one for one in self.methods if one != "cod"))


def desk(seller: str, lines: Sequence[CartLine], province: str, ward: str) -> Desk:
    """What `seller` (a cooperative's id) offers. The province as one of the 34; empty while it is not known."""
    return Desk(tuple(quotes(lines, province, ward)), methods(seller))


def chosen_way(offered: Desk, key: str, seen: int | None, province: str | None, goods: Callable[[], int]) -> Quote:
    """The way of delivery that was chosen, where the page had shown its fee (`seen`, đồng) or a higher one.

    BadInput when the seller does not go there; Conflict for what costs more: that is shown first, and asked
    again. `goods` tells what the order's goods cost, in đồng.
    """
    if not offered.ways:
        raise BadInput("not-delivered-there", _l("Nơi bán chưa giao tới %(place)s. Bác gọi nơi bán hỏi giúp mình nhé."),
                       field="province", place=province)  # fmt: skip
    way = offered.way(key)
    if way is None or seen is None or seen < way.fee:
        way = way or offered.ways[0]
        raise Conflict(
            "delivery-costs-more",
            _l("Cước giao về %(place)s là %(fee)s, cả đơn %(total)s. Bác xem lại rồi bấm đặt nhé."),
            place=province, fee=dong(way.fee), total=dong(goods() + way.fee),
        )  # fmt: skip
    return way


def chosen_payment(offered: Desk, key: str) -> Payment:
    """The way to pay that was chosen; BadInput for one that is not offered."""
    found = next((method for method in offered.methods if method == key), None)
    if found is None:
        raise BadInput("no-such-payment", _l("Bác chọn cách trả tiền nhé."), field="payment")
    return found


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
