"""The office's work on products."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from village.db import db, write
from village.errors import BadInput, NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.places.services import flush
from village.products.models import Product
from village.products.schemas import Identity, ProductFields


def products_of(cooperative_id: str) -> list[Product]:
    """A cooperative's products, those in use first."""
    query = select(Product).where(Product.cooperative_id == cooperative_id)
    return list(db.session.scalars(query.order_by(Product.active.desc(), Product.price.is_(None), Product.name_vi)))


def product_of(who: Actor, product_id: str) -> Product:
    """One product of the asker's cooperative; NotFound for any other."""
    return _own_product(db.session(), who, product_id)


def add_product(who: Actor, identity: Identity, fields: ProductFields) -> str:
    """Put a product on the list; gives its id."""
    _office(who)
    with write() as session:
        for column, value, field, message in (
            (Product.gtin, identity.gtin, "gtin", _l("GTIN này đã là của một sản phẩm khác.")),
            (Product.slug, identity.slug, "slug", _l("Địa chỉ trang này đã có sản phẩm khác dùng.")),
        ):
            if session.scalar(select(Product.id).where(column == value)) is not None:
                raise BadInput(f"{field}-taken", message, field=field)
        product = Product(
            cooperative_id=who.cooperative_id, gtin=identity.gtin, slug=identity.slug, process=identity.process,
            material=identity.material, net_grams=identity.net_grams,
        )  # fmt: skip
        _fill(product, fields)
        session.add(product)
        flush(session)
        return product.id


def edit_product(who: Actor, product_id: str, fields: ProductFields) -> None:
    """Say anew what may change: names, texts, price. The GTIN and what it stands for stay."""
    _office(who)
    with write() as session:
        product = _own_product(session, who, product_id)
        if fields.price is not None and product.net_grams is None:
            raise BadInput("price-without-weight", _l("Chỉ hàng đóng gói mới có giá."), field="price")
        _fill(product, fields)


def use_product(who: Actor, product_id: str, active: bool) -> None:
    """Offer a product, or take it off the list; batches that are made stay what they are."""
    _office(who)
    with write() as session:
        _own_product(session, who, product_id).active = active


def _office(who: Actor) -> None:
    if not who.has(Role.OFFICE):
        raise wrong_role()


def _own_product(session: Session, who: Actor, product_id: str) -> Product:
    product = session.get(Product, product_id)
    if product is None or product.cooperative_id != who.cooperative_id:
        raise NotFound("no-such-product", _l("Hợp tác xã không có sản phẩm này."))
    return product


def _fill(product: Product, fields: ProductFields) -> None:
    product.name_vi, product.name_en, product.brand = fields.name_vi, fields.name_en, fields.brand
    product.price, product.shelf_days, product.picture = fields.price, fields.shelf_days, fields.picture
    for key, text in fields.texts.items():
        setattr(product, key, text)
