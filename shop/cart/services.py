"""The cart: product ids and quantities in Flask's signed session cookie. Nothing is reserved before checkout."""

from dataclasses import dataclass

from flask import session

from shop.catalogue.services import Offer, priced
from shop.orders.errors import bad_quantity
from shop.orders.models import QUANTITY_MAX
from village.errors import BadInput
from village.i18n import lazy_gettext as _l

CART = "cart"
KINDS_MAX = 30
"""Kinds of products in one cart: a cookie holds four kilobytes."""


@dataclass(frozen=True)
class CartLine:
    """One product in the cart, as the shop has it today; `offer` is None when it is sold no more."""

    product_id: str
    quantity: int
    offer: Offer | None

    @property
    def amount(self) -> int:
        """Đồng."""
        return self.offer.price * self.quantity if self.offer else 0

    @property
    def enough(self) -> bool:
        """True when so many are left."""
        return self.offer is not None and self.offer.available >= self.quantity


@dataclass(frozen=True)
class Cart:
    """What was gathered, priced today."""

    lines: tuple[CartLine, ...]

    @property
    def total(self) -> int:
        """Đồng, of what is still sold."""
        return sum(line.amount for line in self.lines)

    @property
    def ready(self) -> bool:
        """True when all of it can be ordered now."""
        return bool(self.lines) and all(line.enough for line in self.lines)


def quantity_of(text: str | None, least: int = 1) -> int:
    """A typed number of packs; BadInput for anything but a whole number from `least` to 99."""
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and least <= int(text) <= QUANTITY_MAX):
        raise bad_quantity("quantity")
    return int(text)


def held() -> dict[str, int]:
    """Product ids and quantities in the cookie. It is signed, so it holds what we wrote."""
    return dict(session.get(CART, {}))


def count() -> int:
    """Packs in the cart, for the frame."""
    return sum(held().values())


def show() -> Cart:
    """The cart as it stands."""
    quantities = held()
    offers = priced(quantities)
    return Cart(tuple(CartLine(key, quantity, offers.get(key)) for key, quantity in quantities.items()))


def add(product_id: str, quantity: int) -> None:
    """Put more of a product in, up to the most that a line may have."""
    quantities = held()
    if product_id not in quantities and len(quantities) >= KINDS_MAX:
        raise BadInput(
            "cart-full", _l("Giỏ nhiều nhất %(max)s món. Bác đặt bớt rồi chọn tiếp nhé."), max=KINDS_MAX
        )
    if product_id not in priced([product_id]):
        raise BadInput("not-sold", _l("Món này giờ không bán nữa."), field="product")
    quantities[product_id] = min(quantities.get(product_id, 0) + quantity, QUANTITY_MAX)
    _keep(quantities)


def put(product_id: str, quantity: int) -> None:
    """Set a product's quantity; 0 takes it out. What is not in the cart stays out."""
    quantities = held()
    if product_id in quantities:
        quantities[product_id] = quantity
        _keep({key: value for key, value in quantities.items() if value})


def fit() -> None:
    """Make every quantity one that can be had today; what is sold out goes."""
    _keep({line.product_id: min(line.quantity, line.offer.available) for line in show().lines
           if line.offer and line.offer.available > 0})  # fmt: skip


def empty() -> None:
    """Take everything out."""
    session.pop(CART, None)


def _keep(quantities: dict[str, int]) -> None:
    session.permanent = True
    session[CART] = quantities
