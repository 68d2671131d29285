"""What a seller types: the codes of a new livestream, the lines of a comment."""

from collections.abc import Sequence

from shop.catalogue.services import Offer
from shop.live.services import LIMIT_MAX, PRICE_MAX, Code
from village.errors import BadInput
from village.forms import Form, optional_number, whole_number
from village.i18n import lazy_gettext as _l
from village.text import plain_letters

PLATFORMS = (
    ("facebook", "Facebook"),
    ("tiktok", "TikTok"),
    ("zalo", "Zalo"),
    ("shopee", "Shopee"),
    ("other", _l("Nơi khác")),
)


def proposed_codes(shelf: Sequence[Offer]) -> dict[str, str]:
    """Form values for what is in stock: a code of two letters and a number, and the product's own price."""
    values: dict[str, str] = {}
    used: dict[str, int] = {}
    for offer in shelf:
        values[f"price-{offer.gtin}"] = str(offer.price)
        if not offer.available:
            continue
        words = [word for word in plain_letters(offer.name).upper().split("-") if word.isalpha()]
        letters = ("".join(word[0] for word in words[:2]) + "SP")[:2]
        used[letters] = used.get(letters, 0) + 1
        values[f"code-{offer.gtin}"] = f"{letters}{used[letters]:02d}"
    return values


def chosen_codes(form: Form) -> list[Code]:
    """The products that were given a code; BadInput names the field that is not right."""
    gtins = [name.removeprefix("code-") for name in form.values if name.startswith("code-")]
    return [
        Code(
            code=form.text(f"code-{gtin}").strip(),
            gtin=gtin,
            price=optional_number(form.text(f"price-{gtin}"), f"price-{gtin}", 1, PRICE_MAX),
            limit=optional_number(form.text(f"limit-{gtin}"), f"limit-{gtin}", 1, LIMIT_MAX),
        )
        for gtin in gtins
        if form.text(f"code-{gtin}").strip()
    ]


def field_of(codes: Sequence[Code], field: str | None) -> str | None:
    """The form's own name of a field of the codes: `codes.0.limit` → `limit-<gtin>`."""
    parts = (field or "").split(".")
    if len(parts) != 3 or parts[0] != "codes":
        return field
    return f"{'code' if parts[2] == 'gtin' else parts[2]}-{codes[int(parts[1])].gtin}"


def chosen_lines(form: Form) -> list[tuple[str, int]]:
    """The lines that a one-tap button carries (`lines`), or the one that was typed (`code`, `quantity`)."""
    if not form.text("lines"):
        return [(form.text("code"), whole(form.text("quantity"), "quantity"))]
    lines = []
    for part in form.text("lines")[:1000].split(","):
        code, _, quantity = part.partition(":")
        lines.append((code, whole(quantity, "lines")))
    if len({code for code, _ in lines}) != len(lines):
        raise BadInput("code-twice", _l("Một mã ghi hai lần."), field="lines")
    return lines


def whole(text: str, field: str) -> int:
    """A small whole number as a form sends it."""
    return whole_number(text, field, 0, 999)
