"""Livestreams: who may work on one, beginning one, ending one."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.live.errors import bad_code, code_twice, no_session, not_your_session
from shop.live.fold import plain
from shop.live.models import LiveCode, LiveSession
from shop.orders.errors import unknown_product
from shop.orders.lines import is_sold
from village import clock, idempotency
from village.db import db, write
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid, uuid7
from village.people.access import Actor
from village.people.models import Role
from village.products.models import Product
from village.text import clean_line

HOSTS = (Role.SELLER, Role.OFFICE)
"""Who may sell in livestreams."""
CODES_MAX = 50
PRICE_MAX = 100_000_000
LIMIT_MAX = 1_000_000
_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]{0,18}[A-Z0-9])")
_PLATFORM = re.compile(r"[a-z0-9][a-z0-9_-]{0,29}")


@dataclass(frozen=True)
class Code:
    """A code to be sold: `price` in đồng (None for the product's own), `limit` in packs (None for no limit)."""

    code: str
    gtin: str
    price: int | None = None
    limit: int | None = None


def start(
    actor: Actor, title: object, platform: str, codes: Sequence[Code], *, idempotency_key: str | None = None
) -> str:
    """Begin a livestream hosted by `actor`; its id. With a key, once for each key. BadInput names the field."""
    title = clean_line(title, "title", 120)
    platform = platform.strip().lower()
    if not _PLATFORM.fullmatch(platform):
        raise BadInput("bad-platform", _l("Nơi live viết bằng chữ không dấu, thí dụ facebook."), field="platform")
    if not 1 <= len(codes) <= CODES_MAX:
        raise BadInput("no-codes", _l("Phiên cần từ 1 đến %(max)s mã."), field="codes", max=CODES_MAX)
    clean = [_clean_code(code, index) for index, code in enumerate(codes)]
    _refuse_alike(clean)
    body = {"title": title, "platform": platform, "codes": [asdict(code) for code in clean]}
    scope = f"live:{actor.id}"
    with write() as session:
        if idempotency_key:
            before = idempotency.recall(session, scope, idempotency.check_key(idempotency_key), body)
            if before is not None:
                return str(before.body["id"])
        live = LiveSession(
            id=uuid7(), title=title, platform=platform, host_id=actor.id, cooperative_id=actor.cooperative_id,
            status="open", started_at=clock.now(), received=0, codes=_codes(session, actor, clean),
        )  # fmt: skip
        session.add(live)
        if idempotency_key:
            idempotency.remember(session, scope, idempotency_key, body, 201, {"id": live.id})
        return live.id


def end(actor: Actor, session_id: str) -> None:
    """No more comments are taken; doubts can still be cleared. Ending twice changes nothing."""
    with write() as session:
        live = authorised(session, actor, session_id)
        session.execute(
            update(LiveSession)
            .where(LiveSession.id == live.id, LiveSession.status == "open")
            .values(status="ended", ended_at=clock.now())
            .execution_options(synchronize_session=False)
        )


def authorised(session: Session, actor: Actor, session_id: str) -> LiveSession:
    """The livestream, if it is `actor`'s own or her office's; NotFound or Forbidden otherwise."""
    if not is_uuid(session_id):
        raise no_session()
    live = session.get(
        LiveSession,
        session_id,
        options=[selectinload(LiveSession.codes).joinedload(LiveCode.product), joinedload(LiveSession.host)],
    )
    if live is None:
        raise no_session()
    if not may_see(actor, live):
        raise not_your_session()
    return live


def may_see(actor: Actor, live: LiveSession) -> bool:
    """True for the host, and for the office of the cooperative."""
    if live.host_id == actor.id and actor.has(*HOSTS):
        return True
    return actor.has(Role.OFFICE) and live.cooperative_id == actor.cooperative_id


def sessions_of(actor: Actor, most: int = 50) -> Sequence[LiveSession]:
    """The livestreams that `actor` may work on, newest first."""
    own = LiveSession.host_id == actor.id
    if actor.has(Role.OFFICE):
        own = own | (LiveSession.cooperative_id == actor.cooperative_id)
    newest = select(LiveSession).where(own).order_by(LiveSession.id.desc()).limit(most)
    return db.session.scalars(newest.options(joinedload(LiveSession.host), selectinload(LiveSession.codes))).all()


def normal_code(text: str) -> str:
    """A code in its one spelling: NFKC, upper case, no blanks."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def _clean_code(code: Code, index: int) -> Code:
    name = normal_code(code.code[:80])
    if not _CODE.fullmatch(name):
        raise bad_code(f"codes.{index}.code")
    if code.price is not None and not 1 <= code.price <= PRICE_MAX:
        message = _l("Giá là số đồng từ 1 đến %(max)s.")
        raise BadInput("bad-price", message, field=f"codes.{index}.price", max=PRICE_MAX)
    if code.limit is not None and not 1 <= code.limit <= LIMIT_MAX:
        message = _l("Giới hạn là số gói từ 1 đến %(max)s.")
        raise BadInput("bad-limit", message, field=f"codes.{index}.limit", max=LIMIT_MAX)
    return Code(name, code.gtin.strip().zfill(14), code.price, code.limit)


def _refuse_alike(codes: Sequence[Code]) -> None:
    """Two codes that differ only in dashes are one to a viewer."""
    seen: set[str] = set()
    for index, code in enumerate(codes):
        bare = re.sub(r"[^a-z0-9]", "", plain(code.code.lower()))
        if bare in seen:
            raise code_twice(f"codes.{index}.code", code.code)
        seen.add(bare)


def _codes(session: Session, actor: Actor, codes: Sequence[Code]) -> list[LiveCode]:
    gtins = {code.gtin for code in codes}
    own = select(Product).where(Product.gtin.in_(gtins), Product.cooperative_id == actor.cooperative_id, *is_sold())
    products = {p.gtin: p for p in session.scalars(own)}
    rows = []
    for index, code in enumerate(codes):
        product = products.get(code.gtin)
        if product is None or product.price is None:
            raise unknown_product(f"codes.{index}.gtin", code.gtin[:20])
        rows.append(
            LiveCode(
                id=uuid7(), position=index, code=code.code, product_id=product.id,
                price=code.price or product.price, unit_limit=code.limit, taken=0,
            )
        )  # fmt: skip
    return rows
