"""What a livestream is to be: its title, its codes with prices, limits and what is kept for it."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.live.errors import bad_code, code_twice, limit_taken, price_fixed
from shop.live.fold import plain
from shop.live.models import CLAIM_MINUTES, OFFER_MINUTES, LiveCode, LiveSession
from shop.orders.errors import unknown_product
from shop.orders.lines import is_sold
from village import clock
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.people.access import Actor
from village.products.models import Product
from village.text import clean_line, clean_text

CODES_MAX = 50
PRICE_MAX = 100_000_000
LIMIT_MAX = 1_000_000
CLAIM_MAX = 7 * 24 * 60
OFFER_MAX = 24 * 60
NOTES_MAX = 4000
AHEAD = dt.timedelta(days=366)
"""No livestream is planned further ahead."""
_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]{0,18}[A-Z0-9])")
_PLATFORM = re.compile(r"[a-z0-9][a-z0-9_-]{0,29}")


@dataclass(frozen=True)
class Code:
    """A code to be sold: `price` in đồng (None for the product's own), `limit` in packs (None for no limit)."""

    code: str
    gtin: str
    price: int | None = None
    limit: int | None = None
    viewer_max: int | None = None
    """Packs of it for one viewer."""
    set_aside: int = 0
    """Packs to be kept from the shelf while the livestream runs."""


@dataclass(frozen=True)
class Draft:
    """A livestream as it is wished for. The fields are those of `LiveSession`."""

    title: str
    platform: str
    codes: Sequence[Code]
    planned_for: dt.datetime | None = None
    viewer_max: int | None = None
    order_max: int | None = None
    claim_minutes: int = CLAIM_MINUTES
    offer_minutes: int = OFFER_MINUTES
    notes: str = ""


def checked(draft: Draft) -> Draft:
    """A draft in its one spelling; BadInput names the field (`codes.0.limit`) that is not right."""
    title = clean_line(draft.title, "title", 120)
    platform = draft.platform.strip().lower()
    if not _PLATFORM.fullmatch(platform):
        raise BadInput("bad-platform", _l("Nơi live viết bằng chữ không dấu, thí dụ facebook."), field="platform")
    if not 1 <= len(draft.codes) <= CODES_MAX:
        raise BadInput("no-codes", _l("Phiên cần từ 1 đến %(max)s mã."), field="codes", max=CODES_MAX)
    codes = [_clean_code(code, index) for index, code in enumerate(draft.codes)]
    _refuse_alike(enumerate(code.code for code in codes))
    if draft.planned_for is not None and draft.planned_for > clock.now() + AHEAD:
        raise BadInput("too-far-ahead", _l("Ngày này còn xa quá, bác xem lại năm nhé."), field="planned_for")
    for field, number, most in (
        ("viewer_max", draft.viewer_max, LIMIT_MAX), ("order_max", draft.order_max, LIMIT_MAX),
        ("claim_minutes", draft.claim_minutes, CLAIM_MAX), ("offer_minutes", draft.offer_minutes, OFFER_MAX),
    ):  # fmt: skip
        if number is not None and not 1 <= number <= most:
            raise BadInput("out-of-range", _l("Phải từ %(low)s đến %(high)s."), field=field, low=1, high=most)
    notes = clean_text(draft.notes, "notes", NOTES_MAX)
    return replace(draft, title=title, platform=platform, codes=codes, notes=notes)


def normal_code(text: str) -> str:
    """A code in its one spelling: NFKC, upper case, no blanks."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def write_down(session: Session, actor: Actor, draft: Draft) -> LiveSession:
    """A checked draft as a planned livestream of `actor`'s; BadInput for a product that her house does not sell."""
    live = LiveSession(
        id=uuid7(), host_id=actor.id, cooperative_id=actor.cooperative_id, status="planned", started_at=clock.now(),
        received=0, platform=draft.platform, codes=_codes(session, actor.cooperative_id, list(enumerate(draft.codes))),
    )  # fmt: skip
    _set_terms(live, draft)
    session.add(live)
    session.flush()
    return live


def write_anew(session: Session, live: LiveSession, draft: Draft) -> None:
    """Let a planned livestream be what a checked draft says."""
    live.platform = draft.platform
    if live.pinned not in {code.code for code in draft.codes}:
        live.pinned = None
    live.codes.clear()
    session.flush()  # before the same codes come again
    live.codes.extend(_codes(session, live.cooperative_id, list(enumerate(draft.codes))))
    _set_terms(live, draft)
    session.flush()


def write_further(session: Session, live: LiveSession, draft: Draft) -> None:
    """What may change of a livestream that has begun: new codes come, limits move, nothing goes.

    BadInput for another price of what viewers were told of, and for a limit below what is taken.
    """
    there = {code.code: code for code in live.codes}
    new: list[tuple[int, Code]] = []
    for index, code in enumerate(draft.codes):
        mine = there.get(code.code)
        if mine is None:
            new.append((index, code))
            continue
        if mine.product.gtin != code.gtin or code.price not in (None, mine.price):
            raise price_fixed(f"codes.{index}.price", code.code)
        if code.limit is not None and code.limit < mine.taken:
            raise limit_taken(f"codes.{index}.limit", mine.taken)
        mine.unit_limit, mine.viewer_max, mine.set_aside = code.limit, code.viewer_max, code.set_aside
    _refuse_alike([*((-1, name) for name in there), *((index, code.code) for index, code in new)])
    if len(live.codes) + len(new) > CODES_MAX:
        raise BadInput("no-codes", _l("Phiên cần từ 1 đến %(max)s mã."), field="codes", max=CODES_MAX)
    beyond = max(code.position for code in live.codes) + 1
    live.codes.extend(_codes(session, live.cooperative_id, new, beyond))
    _set_terms(live, replace(draft, planned_for=live.planned_for))
    session.flush()


def draft_of(live: LiveSession) -> Draft:
    """A livestream as the draft that it was."""
    codes = [
        Code(code.code, code.product.gtin, code.price, code.unit_limit, code.viewer_max, code.set_aside)
        for code in live.codes
    ]
    return Draft(
        live.title, live.platform, codes, live.planned_for, live.viewer_max, live.order_max,
        live.claim_minutes, live.offer_minutes, live.notes,
    )  # fmt: skip


def _set_terms(live: LiveSession, draft: Draft) -> None:
    live.title, live.planned_for = draft.title, draft.planned_for
    live.viewer_max, live.order_max = draft.viewer_max, draft.order_max
    live.claim_minutes, live.offer_minutes, live.notes = draft.claim_minutes, draft.offer_minutes, draft.notes


def _clean_code(code: Code, index: int) -> Code:
    name = normal_code(code.code[:80])
    if not _CODE.fullmatch(name):
        raise bad_code(f"codes.{index}.code")
    if code.price is not None and not 1 <= code.price <= PRICE_MAX:
        message = _l("Giá là số đồng từ 1 đến %(max)s.")
        raise BadInput("bad-price", message, field=f"codes.{index}.price", max=PRICE_MAX)
    for field, number in (("limit", code.limit), ("viewer_max", code.viewer_max)):
        if number is not None and not 1 <= number <= LIMIT_MAX:
            message = _l("Giới hạn là số gói từ 1 đến %(max)s.")
            raise BadInput("bad-limit", message, field=f"codes.{index}.{field}", max=LIMIT_MAX)
    most = LIMIT_MAX if code.limit is None else code.limit
    if not 0 <= code.set_aside <= most:
        message = _l("Để riêng từ 0 đến %(max)s gói thôi: không hơn số bán tối đa.")
        raise BadInput("bad-set-aside", message, field=f"codes.{index}.set_aside", max=most)
    return replace(code, code=name, gtin=code.gtin.strip().zfill(14))


def _refuse_alike(codes: Iterable[tuple[int, str]]) -> None:
    """Two codes that differ only in dashes are one to a viewer. Each comes with its place in what was sent."""
    seen: set[str] = set()
    for index, code in codes:
        bare = re.sub(r"[^a-z0-9]", "", plain(code.lower()))
        if bare in seen:
            raise code_twice(f"codes.{index}.code", code)
        seen.add(bare)


def _codes(
    session: Session, cooperative_id: str, codes: Sequence[tuple[int, Code]], beyond: int = 0
) -> Iterable[LiveCode]:
    """Rows of these codes, each with its place in what was sent; their own places begin with `beyond`."""
    gtins = {code.gtin for _, code in codes}
    own = select(Product).where(Product.gtin.in_(gtins), Product.cooperative_id == cooperative_id, *is_sold())
    products = {product.gtin: product for product in session.scalars(own)}
    rows = []
    for position, (index, code) in enumerate(codes, start=beyond):
        product = products.get(code.gtin)
        if product is None or product.price is None:
            raise unknown_product(f"codes.{index}.gtin", code.gtin[:20])
        rows.append(
            LiveCode(
                id=uuid7(), position=position, code=code.code, product_id=product.id, product=product,
                price=code.price or product.price, unit_limit=code.limit, taken=0, viewer_max=code.viewer_max,
                set_aside=code.set_aside,
            )
        )  # fmt: skip
    return rows
