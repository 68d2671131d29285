"""The cooperative's work on its products: the office puts them on the list, sellers keep words and prices."""

import hashlib
import json
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from village.db import db, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import dong
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.places.services import flush
from village.products.models import Product, ProductPrice
from village.products.schemas import TEXT_KEYS, Identity, ProductFields, Words

HISTORY_SHOWN = 20
"""Prices that a product's page for its sellers goes back."""
FAR = 2
"""A new price this many times the old one, or one such part of it, is more often a slip than meant."""


def products_of(cooperative_id: str) -> list[Product]:
    """A cooperative's products, those in use first."""
    query = select(Product).where(Product.cooperative_id == cooperative_id)
    return list(db.session.scalars(query.order_by(Product.active.desc(), Product.price.is_(None), Product.name_vi)))


def product_of(who: Actor, product_id: str) -> Product:
    """One product of the asker's cooperative; NotFound for any other."""
    return own_product(db.session(), who, product_id)


def prices_of(product: Product) -> Sequence[ProductPrice]:
    """What it cost, the last price first."""
    query = select(ProductPrice).where(ProductPrice.product_id == product.id).options(joinedload(ProductPrice.member))
    return db.session.scalars(
        query.order_by(ProductPrice.since.desc(), ProductPrice.id.desc()).limit(HISTORY_SHOWN)
    ).all()


def add_product(who: Actor, identity: Identity, fields: ProductFields) -> str:
    """Put a product on the list; gives its id."""
    _allow(who, Role.OFFICE)
    with write() as session:
        return put_in(session, who, identity, fields).id


def put_in(session: Session, who: Actor, identity: Identity, fields: ProductFields) -> Product:
    """A new product of the asker's cooperative; BadInput when its GTIN or address is another one's."""
    for column, value, field, message in (
        (Product.gtin, identity.gtin, "gtin", _l("GTIN này đã là của một sản phẩm khác.")),
        (Product.slug, identity.slug, "slug", _l("Địa chỉ trang này đã có sản phẩm khác dùng.")),
    ):
        if session.scalar(select(Product.id).where(column == value)) is not None:
            raise BadInput(f"{field}-taken", message, field=field)
    product = Product(
        cooperative_id=who.cooperative_id, gtin=identity.gtin, slug=identity.slug, process=identity.process,
        material=identity.material, net_grams=identity.net_grams, shelf_days=fields.shelf_days, picture=fields.picture,
    )  # fmt: skip
    _tell(product, fields.words)
    session.add(product)
    flush(session)
    set_price(session, product, fields.price, who.id)
    return product


def edit_product(who: Actor, product_id: str, fields: ProductFields) -> None:
    """Say anew what may change: names, texts, price. The GTIN and what it stands for stay."""
    _allow(who, Role.OFFICE)
    with write() as session:
        product = own_product(session, who, product_id, lock=True)
        if fields.price is not None and product.net_grams is None:
            raise BadInput("price-without-weight", _l("Chỉ hàng đóng gói mới có giá."), field="price")
        _tell(product, fields.words)
        product.shelf_days, product.picture = fields.shelf_days, fields.picture
        set_price(session, product, fields.price, who.id)


def edit_words(who: Actor, product_id: str, words: Words, seen: str) -> None:
    """Tell a product anew. `seen` is the `words_mark` of what the form was filled with: Conflict when somebody else
    has told it anew since."""
    _allow(who, Role.SELLER, Role.OFFICE)
    with write() as session:
        product = own_product(session, who, product_id, lock=True)
        if words_mark(product) != seen:
            raise _changed_meanwhile("name_vi")
        _tell(product, words)


def change_price(who: Actor, product_id: str, price: int | None, seen: int | None, *, sure: bool) -> None:
    """Sell at another price from now on, or not any more with None. Orders that are placed keep theirs.

    `seen` is the price that the form showed: Conflict when it is not the price any more. BadInput for a price far from
    the last one, unless `sure`, and for a product that is not sold in packs.
    """
    _allow(who, Role.SELLER, Role.OFFICE)
    with write() as session:
        product = own_product(session, who, product_id, lock=True)
        if product.net_grams is None:
            raise BadInput("price-without-weight", _l("Chỉ hàng đóng gói mới có giá."), field="price")
        if product.price != seen:
            raise _changed_meanwhile("price")
        if price and product.price and not sure and not product.price <= price * FAR <= product.price * FAR**2:
            message = _l("Giá đang là %(old)s, giá mới lệch nhiều quá. Đúng thế thì bác đánh dấu vào ô bên dưới.")
            raise BadInput("price-far", message, field="price", old=dong(product.price))
        set_price(session, product, price, who.id)


def set_price(session: Session, product: Product, price: int | None, member_id: str | None) -> None:
    """Give a product that is in the database a price, and its history a line; nothing where it is the price already."""
    if product.price != price:
        product.price = price
        session.add(ProductPrice(product_id=product.id, price=price, member_id=member_id))


def use_product(who: Actor, product_id: str, active: bool) -> None:
    """Offer a product, or take it off the list; batches that are made stay what they are."""
    _allow(who, Role.OFFICE)
    with write() as session:
        own_product(session, who, product_id).active = active


def own_product(session: Session, who: Actor, product_id: str, *, lock: bool = False) -> Product:
    """One product of the asker's cooperative; NotFound for any other. With `lock` no other writer gets at it before
    the transaction ends (orders for it still do)."""
    product = session.get(Product, product_id, with_for_update={"key_share": True} if lock else None)
    if product is None or product.cooperative_id != who.cooperative_id:
        raise NotFound("no-such-product", _l("Hợp tác xã không có sản phẩm này."))
    return product


def words_mark(product: Product) -> str:
    """A short mark of what is told of a product, which changes with any of it."""
    told = [product.name_vi, product.name_en, product.brand, *(getattr(product, key) for key in TEXT_KEYS)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _allow(who: Actor, *roles: Role) -> None:
    if not who.has(*roles):
        raise wrong_role()


def _changed_meanwhile(field: str) -> Conflict:
    message = _l("Vừa có người sửa chỗ này. Bác xem bản mới rồi hãy lưu đè lên nhé.")
    return Conflict("changed-meanwhile", message, field=field)


def _tell(product: Product, words: Words) -> None:
    product.name_vi, product.name_en, product.brand = words.name_vi, words.name_en, words.brand
    for key, text in words.texts.items():
        setattr(product, key, text)
