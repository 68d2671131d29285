"""What the office types about a product, checked."""

import re
from dataclasses import dataclass

from village import gs1
from village.errors import BadInput
from village.forms import Form, optional_number
from village.i18n import lazy_gettext as _l
from village.products.materials import known
from village.text import clean_line, clean_name, clean_text, missing, plain_letters

SLUG_MAX = 80
LONG_TEXTS = ("ingredients", "usage", "storage", "warning", "story")
TEXT_KEYS = tuple(f"{text}_{language}" for text in LONG_TEXTS for language in ("vi", "en"))
TEXT_MAX = 2000
PRICE_MAX = 1_000_000_000
"""Đồng."""
NET_MAX = 1_000_000
"""Grams in one pack."""
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PICTURE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Identity:
    """What a product is for good: labels carry the GTIN, addresses the slug; a new weight needs a new GTIN."""

    gtin: str
    slug: str
    process: str
    material: str
    net_grams: int | None


@dataclass(frozen=True)
class Words:
    """What is told of a product. `texts` has the keys `ingredients_vi`, `ingredients_en` …"""

    name_vi: str
    name_en: str
    brand: str
    texts: dict[str, str]


@dataclass(frozen=True)
class ProductFields:
    """What may be said anew of a product at any time."""

    words: Words
    price: int | None
    shelf_days: int | None
    picture: str


def identity(form: Form) -> Identity:
    """The lasting half of the product form; BadInput for the first field that is not right."""
    process, _, material = form.text("material").partition("/")
    if not process:
        raise missing("material", _l("Bác chọn làm từ gì nhé."))
    if not known(process, material):
        raise BadInput("no-such-material", _l("Bác chọn trong danh sách nhé."), field="material")
    return Identity(
        gtin=gs1.gtin14(form.text("gtin")),
        slug=slug(form),
        process=process,
        material=material,
        net_grams=optional_number(form.text("net_grams"), "net_grams", 1, NET_MAX),
    )


def slug(form: Form) -> str:
    """The end of the address of a product's page, as typed or after its name."""
    found = form.text("slug").strip() or plain_letters(clean_name(form.text("name_vi"), "name_vi"))
    found = found[:SLUG_MAX].rstrip("-")
    if not _SLUG.fullmatch(found):
        raise BadInput("bad-slug", _l("Địa chỉ trang chỉ gồm chữ không dấu, số và gạch nối."), field="slug")
    return found


def product_fields(form: Form, net_grams: int | None) -> ProductFields:
    """The changing half of the product form, for a product of that net weight; BadInput likewise."""
    told = words(form)
    price = price_of(form)
    if price is not None and net_grams is None:
        raise BadInput("price-without-weight", _l("Chỉ hàng đóng gói mới có giá."), field="price")
    shelf_days = optional_number(form.text("shelf_days"), "shelf_days", 1, 3650)
    if price is not None and shelf_days is None:
        raise missing("shelf_days", _l("Hàng bán thì phải có hạn dùng."))
    picture = form.text("picture") or "pack"
    if not _PICTURE.fullmatch(picture):
        raise BadInput("bad-picture", _l("Bác chọn một hình trong danh sách nhé."), field="picture")
    return ProductFields(told, price, shelf_days, picture)


def words(form: Form) -> Words:
    """Names, brand and texts; BadInput for the first field that is not right."""
    name = clean_name(form.text("name_vi"), "name_vi")
    name_en = clean_line(form.text("name_en"), "name_en", 120, required=False)
    texts = {key: clean_text(form.text(key), key, TEXT_MAX) for key in TEXT_KEYS}
    brand = clean_line(form.text("brand"), "brand", 80, required=False)
    return Words(name, name_en or name, brand, texts)


def price_of(form: Form) -> int | None:
    """Đồng for one pack; None when none was typed."""
    return optional_number(form.text("price"), "price", 1, PRICE_MAX)
