"""Putting several products together as one."""

from dataclasses import dataclass

from sqlalchemy import select

from shop.catalogue.combos import Parts
from shop.catalogue.models import ComboPart
from village import gs1
from village.db import db, write
from village.errors import BadInput, NotFound
from village.forms import Form, optional_number
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.products import schemas
from village.products.models import COMBO, Product
from village.products.schemas import NET_MAX, Identity, ProductFields, Words
from village.products.services import put_in
from village.text import missing

KINDS_MAX = 10
"""Kinds of products in one combo."""
UNITS_MAX = 99
"""Packs of one of them."""
UNITS = "units-"
"""How the fields of a form begin that say how many packs of a product; its id follows."""


@dataclass(frozen=True)
class Wish:
    """A combo as somebody wants it."""

    gtin: str
    slug: str
    words: Words
    price: int
    parts: Parts


def wish(form: Form, offered: list[Product]) -> Wish:
    """The form for a new combo of some of the `offered` products; BadInput for the first field that is not right."""
    words = schemas.words(form)
    parts = tuple(
        (product.id, units)
        for product in sorted(offered, key=lambda one: one.id)
        if (units := optional_number(form.text(f"{UNITS}{product.id}"), f"{UNITS}{product.id}", 0, UNITS_MAX))
    )
    if sum(units for _, units in parts) < 2:
        raise BadInput("too-few-parts", _l("Một bộ có từ hai gói trở lên."), field="parts")
    if len(parts) > KINDS_MAX:
        raise BadInput("too-many-parts", _l("Một bộ nhiều nhất %(max)s món."), field="parts", max=KINDS_MAX)
    price = schemas.price_of(form)
    if price is None:
        raise missing("price")
    return Wish(gs1.gtin14(form.text("gtin")), schemas.slug(form), words, price, parts)


def offered(who: Actor) -> list[Product]:
    """What a combo can be put together from: the cooperative's own products that are packed and on the list."""
    query = select(Product).where(
        Product.cooperative_id == who.cooperative_id, Product.active.is_(True), Product.net_grams.is_not(None),
        Product.process != COMBO,
    )  # fmt: skip
    return list(db.session.scalars(query.order_by(Product.name_vi, Product.id)))


def add_combo(who: Actor, wanted: Wish) -> str:
    """Sell these products as one from now on; the combo's id.

    It weighs what they weigh, and keeps no longer than the first of them. NotFound for a product that is not packed, or
    is another cooperative's.
    """
    if not who.has(Role.SELLER, Role.OFFICE):
        raise wrong_role()
    with write() as session:
        products = {one.id: one for one in offered(who)}
        if not products.keys() >= {part_id for part_id, _ in wanted.parts}:
            raise NotFound("no-such-product", _l("Hợp tác xã không có sản phẩm này."))
        chosen = [(products[part_id], units) for part_id, units in wanted.parts]
        grams = sum((one.net_grams or 0) * units for one, units in chosen)
        if grams > NET_MAX:
            raise BadInput(
                "too-heavy", _l("Bộ này nặng quá, nhiều nhất %(max)s kg."), field="parts", max=NET_MAX // 1000
            )
        kept = [one.shelf_days for one, _ in chosen if one.shelf_days is not None]
        most, _units = max(chosen, key=lambda one: one[1])
        combo = put_in(
            session,
            who,
            Identity(wanted.gtin, wanted.slug, COMBO, COMBO, grams),
            ProductFields(wanted.words, wanted.price, min(kept, default=None), most.picture),
        )
        session.add_all(ComboPart(product_id=combo.id, part_id=one.id, units=units) for one, units in chosen)
        return combo.id
