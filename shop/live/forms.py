"""What a seller types: a livestream's plan, the lines of a comment."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shop.catalogue.services import Offer
from shop.live.models import CLAIM_MINUTES, OFFER_MINUTES, LiveCode, LiveSession
from shop.live.planning import CLAIM_MAX, LIMIT_MAX, OFFER_MAX, PRICE_MAX, Code, Draft, normal_code
from shop.live.services import RUNNING
from village import clock
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
CODES_OF_ONE = 9
"""Codes of one product in a form."""
MINUTE = "%Y-%m-%dT%H:%M"
"""How browsers send a date with its time."""


HOURS = 60
_NUMBERS = (("price", 1, PRICE_MAX), ("limit", 1, LIMIT_MAX), ("viewer_max", 1, LIMIT_MAX), ("set_aside", 0, LIMIT_MAX))


@dataclass(frozen=True)
class Row:
    """A product in the form of a livestream; its fields are `code-<key>`, `price-<key>` and so on."""

    key: str
    """The GTIN; of a product's further codes with their number: `09506000001012.2`."""
    offer: Offer
    told: LiveCode | None
    """The code that viewers were told of: in a livestream that runs it stays as it is."""

    def asked(self, form: Form) -> bool:
        """True when one of the fields that few need has a value, or something is wrong with it."""
        names = [f"{name}-{self.key}" for name in ("limit", "viewer_max", "set_aside")]
        return any(form.text(name) or form.problem(name) for name in names)


def rows(shelf: Sequence[Offer], form: Form, live: LiveSession | None = None) -> list[Row]:
    """What can be sold, each product once, and again for each further code that the form has of it."""
    running = live is not None and live.status in RUNNING
    told = {(code.product.gtin, code.code): code for code in live.codes} if live is not None and running else {}
    keys = [name.removeprefix("code-") for name in form.values if name.startswith("code-")]
    found = []
    for offer in shelf:
        more = sorted(key for key in keys if re.fullmatch(rf"{offer.gtin}\.\d", key))
        for key in (offer.gtin, *more):
            code = told.get((offer.gtin, normal_code(form.text(f"code-{key}")[:80])))
            found.append(Row(key, offer, code))
    # What is sold stands first, in the order in which it is told.
    chosen = {key: place for place, key in enumerate(_keys(form))}
    return sorted(found, key=lambda row: chosen.get(row.key, len(chosen)))


def proposed(shelf: Sequence[Offer]) -> dict[str, str]:
    """Values of an empty form: for what is in stock a code of two letters and a number, and the product's own price."""
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
    return {**values, **_terms(Draft("", "facebook", ()))}


def values_of(draft: Draft, shelf: Sequence[Offer]) -> dict[str, str]:
    """A draft as the form shows it, its codes in their order. What is not sold any more is left out."""
    values: dict[str, str] = {}
    sold = {offer.gtin for offer in shelf}
    seen: Counter[str] = Counter()
    for code in draft.codes:
        seen[code.gtin] += 1
        number = seen[code.gtin]
        if code.gtin not in sold or number > CODES_OF_ONE:
            continue
        key = code.gtin if number == 1 else f"{code.gtin}.{number}"
        fields = {
            "code": code.code, "price": code.price, "limit": code.limit, "viewer_max": code.viewer_max,
            "set_aside": code.set_aside or None,
        }  # fmt: skip
        values |= {f"{name}-{key}": "" if value is None else str(value) for name, value in fields.items()}
    return {**{f"price-{offer.gtin}": str(offer.price) for offer in shelf}, **values, **_terms(draft)}


def _terms(draft: Draft) -> dict[str, str]:
    when = draft.planned_for.astimezone(clock.VN).strftime(MINUTE) if draft.planned_for else ""
    return {
        "title": draft.title, "platform": draft.platform, "planned_for": when, "notes": draft.notes,
        "viewer_max": str(draft.viewer_max or ""), "order_max": str(draft.order_max or ""),
        "claim_hours": str(-(-draft.claim_minutes // HOURS)), "offer_minutes": str(draft.offer_minutes),
    }  # fmt: skip


def draft_of(form: Form) -> Draft:
    """What was typed; BadInput names the field that is not right."""
    return Draft(
        title=form.text("title"),
        platform=form.text("platform"),
        codes=[_code(form, key) for key in _keys(form)],
        planned_for=_moment(form.text("planned_for"), "planned_for"),
        viewer_max=optional_number(form.text("viewer_max"), "viewer_max", 1, LIMIT_MAX),
        order_max=optional_number(form.text("order_max"), "order_max", 1, LIMIT_MAX),
        claim_minutes=HOURS
        * (optional_number(form.text("claim_hours"), "claim_hours", 1, CLAIM_MAX // HOURS) or CLAIM_MINUTES // HOURS),
        offer_minutes=optional_number(form.text("offer_minutes"), "offer_minutes", 1, OFFER_MAX) or OFFER_MINUTES,
        notes=form.text("notes"),
    )


def _code(form: Form, key: str) -> Code:
    price, limit, viewer_max, set_aside = (
        optional_number(form.text(f"{name}-{key}"), f"{name}-{key}", low, most) for name, low, most in _NUMBERS
    )
    code = form.text(f"code-{key}").strip()
    return Code(code, key.partition(".")[0], price, limit, viewer_max, set_aside or 0)


def _keys(form: Form) -> list[str]:
    """Keys of the products that were given a code."""
    keys = [name.removeprefix("code-") for name in form.values if name.startswith("code-")]
    return [key for key in keys if form.text(f"code-{key}").strip()]


def _moment(text: str, field: str) -> dt.datetime | None:
    """A moment as browsers send it, by the village's clock; None when none was chosen."""
    if not text.strip():
        return None
    try:
        return dt.datetime.strptime(text.strip(), MINUTE).replace(tzinfo=clock.VN).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise BadInput("not-a-time", _l("Giờ viết như 20/11/2026 20:00."), field=field) from error


def field_of(form: Form, field: str | None) -> str | None:
    """The form's own name of a draft's field: `codes.0.limit` → `limit-<key>`."""
    parts = (field or "").split(".")
    if len(parts) != 3 or parts[0] != "codes":
        return field
    return f"{'code' if parts[2] == 'gtin' else parts[2]}-{_keys(form)[int(parts[1])]}"


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
