"""The cart: products and quantities in Flask's signed session cookie, for a year from the last visit.

Nothing is reserved before checkout. Beside each quantity stands the price that the buyer saw, so that another price
is told and not slipped in. What comes from several cooperatives is ordered from each by itself: each sells, is paid
and answers for its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask import session

from shop.catalogue.combos import whole
from shop.catalogue.services import Offer, shelf_of
from shop.orders.errors import bad_quantity, several_sellers, unknown_product
from shop.orders.models import QUANTITY_MAX
from village.db import db
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.reference import reference

CART = "basket"
KINDS_MAX = 30
"""Kinds of products in one cart: a cookie holds four kilobytes."""


@dataclass(frozen=True)
class CartLine:
    """One product in the cart, as the shop has it today; `offer` is None when it is sold no more."""

    product_id: str
    quantity: int
    offer: Offer | None
    seen: int = 0
    """Đồng a pack when it was put in; 0 where nobody saw a price."""
    left: int = 0
    """How many of it can be had beside what the lines before it take: a combo and its parts share packs."""

    @property
    def amount(self) -> int:
        """Đồng."""
        return self.offer.price * self.quantity if self.offer else 0

    @property
    def enough(self) -> bool:
        """True when so many are left, all lines of the cart together."""
        return self.offer is not None and self.left >= self.quantity

    @property
    def shares(self) -> bool:
        """True when there would be enough of it, did other lines not hold the same packs."""
        return self.offer is not None and self.left < self.quantity and self.left < self.offer.available

    @property
    def other_price(self) -> bool:
        """True when it costs something else than when it was put in."""
        return self.offer is not None and self.seen not in (0, self.offer.price)


@dataclass(frozen=True)
class Cart:
    """What was gathered, priced today; of one seller, where it was asked `by_seller`."""

    lines: tuple[CartLine, ...]

    @property
    def total(self) -> int:
        """Đồng, of what is still sold, without delivery."""
        return sum(line.amount for line in self.lines)

    @property
    def ready(self) -> bool:
        """True when all of it can be ordered now."""
        return bool(self.lines) and all(line.enough for line in self.lines)

    @property
    def seller(self) -> str:
        """The cooperative's id; empty when nothing in it is sold any more."""
        return next((line.offer.cooperative_id for line in self.lines if line.offer), "")

    @property
    def maker(self) -> str:
        """The cooperative's name."""
        return next((line.offer.maker for line in self.lines if line.offer), "")

    @property
    def gone(self) -> tuple[CartLine, ...]:
        """What is sold no more, by anybody."""
        return tuple(line for line in self.lines if line.offer is None)

    def by_seller(self) -> list["Cart"]:
        """What is sold, a cart for each cooperative, in the order in which things were put in."""
        sellers = dict.fromkeys(line.offer.cooperative_id for line in self.lines if line.offer)
        return [
            Cart(tuple(line for line in self.lines if line.offer and line.offer.cooperative_id == seller))
            for seller in sellers
        ]

    def of(self, seller: str) -> "Cart":
        """What one cooperative sells; all of it, where there is only one and none was named."""
        carts = self.by_seller()
        if not seller and len(carts) == 1:
            return carts[0]
        return next((cart for cart in carts if cart.seller == seller), Cart(()))


@dataclass(frozen=True)
class Wish:
    """What is to be ordered of one seller."""

    seller: str
    """The cooperative's id."""
    units: Mapping[str, int]
    """Packs by product id."""

    @property
    def lines(self) -> tuple[CartLine, ...]:
        """What a parcel is reckoned from; nobody has looked at prices and stock."""
        return tuple(CartLine(key, quantity, None) for key, quantity in self.units.items())

    def cart(self) -> Cart:
        """The same as the shop has it today, to be shown again."""
        lines = _lines({key: (count, 0) for key, count in self.units.items()})
        return Cart(tuple(line for line in lines if line.offer is not None))


def quantity_of(text: str | None, least: int = 1) -> int:
    """A typed number of packs; BadInput for anything but a whole number from `least` to 99."""
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and least <= int(text) <= QUANTITY_MAX):
        raise bad_quantity("quantity")
    return int(text)


def held() -> dict[str, tuple[int, int]]:
    """By product id: quantity and price seen, in the order in which things were put in. The cookie is signed, so it
    holds what we wrote."""
    kept = session.get(CART, [])
    if isinstance(kept, dict):  # of a year ago at most; its order is lost, because JSON sorts names
        kept = [(key, *value) for key, value in kept.items()]
    return {key: (quantity, seen) for key, quantity, seen in kept}


def count() -> int:
    """Packs in the cart, for the frame."""
    return sum(quantity for quantity, _seen in held().values())


def show() -> Cart:
    """The cart as it stands."""
    return Cart(tuple(_lines(held())))


def _lines(inside: Mapping[str, tuple[int, int]]) -> Iterator[CartLine]:
    """Each as the shop has it, in order: what one takes of a product is not there for the next."""
    shelf = shelf_of(inside)
    free = dict(shelf.free)
    for key, (quantity, seen) in inside.items():
        offer, parts = shelf.offers.get(key), shelf.parts.get(key, ((key, 1),))
        left = whole(parts, free) if offer is not None else 0
        yield CartLine(key, quantity, offer, seen, left)
        for part_id, units in parts if offer is not None else ():
            free[part_id] -= units * min(quantity, left)


def wished(lines: Sequence[tuple[str, int]]) -> Wish:
    """What a checkout page sent back, as `(GTIN, quantity)`. BadInput for what nobody sells here, or several do."""
    units: dict[str, int] = {}
    for gtin, quantity in lines:
        units[gtin.zfill(14)] = units.get(gtin.zfill(14), 0) + quantity
    sold = reference(db.session()).sold.values()
    found = {one.gtin: (one.id, one.cooperative_id) for one in sold if one.gtin in units}
    for gtin in units:
        if gtin not in found:
            raise unknown_product("lines", gtin[:20])
    if not found:
        raise BadInput("no-lines", _l("Đơn chưa có món nào."), field="lines")
    if len({seller for _product, seller in found.values()}) > 1:
        raise several_sellers()
    return Wish(next(iter(found.values()))[1], {found[gtin][0]: quantity for gtin, quantity in units.items()})


def add(product_id: str, quantity: int) -> None:
    """Put more of a product in, up to the most that a line may have."""
    inside = held()
    if product_id not in inside and len(inside) >= KINDS_MAX:
        raise BadInput("cart-full", _l("Giỏ nhiều nhất %(max)s món. Bác đặt bớt rồi chọn tiếp nhé."), max=KINDS_MAX)
    product = reference(db.session()).sold.get(product_id)
    if product is None or product.price is None:
        raise BadInput("not-sold", _l("Món này giờ không bán nữa."), field="product")
    before, _seen = inside.get(product_id, (0, 0))
    inside[product_id] = min(before + quantity, QUANTITY_MAX), product.price
    _keep(inside)


def put(product_id: str, quantity: int) -> None:
    """Set a product's quantity; 0 takes it out. What is not in the cart stays out."""
    inside = held()
    if product_id in inside:
        inside[product_id] = quantity, inside[product_id][1]
        _keep(inside)


def fit() -> None:
    """Make every quantity one that can be had today; what is sold out goes."""
    _keep({line.product_id: (min(line.quantity, line.left), line.seen) for line in show().lines if line.left > 0})


def take_out(product_ids: Iterable[str]) -> None:
    """These were ordered."""
    ordered = set(product_ids)
    _keep({key: value for key, value in held().items() if key not in ordered})


def _keep(inside: dict[str, tuple[int, int]]) -> None:
    kept = [[key, quantity, seen] for key, (quantity, seen) in inside.items() if quantity]
    if kept:
        session.permanent = True
        session[CART] = kept
    else:
        session.pop(CART, None)
