"""Livestreams: who may work on one, and its way from the plan to the end.

planned → open ⇄ paused → ended. While one runs, what its codes keep for it is not on the shelf (`shop.stock.aside`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.catalogue.combos import parts_of, with_parts
from shop.live import planning
from shop.live.errors import begun_before, ended, no_session, not_begun, not_your_session, unknown_code
from shop.live.models import LiveAside, LiveCode, LiveForeignOrder, LiveSession, LiveSource
from shop.live.planning import Code as Code
from shop.live.planning import Draft, checked
from shop.live.planning import normal_code as normal_code
from shop.live.room import Room
from shop.stock import aside
from shop.stock import services as stock
from village import clock, idempotency
from village.db import db, write
from village.ids import is_uuid
from village.people.access import Actor
from village.people.models import Role

HOSTS = (Role.SELLER, Role.OFFICE)
"""Who may sell in livestreams."""
FORGOTTEN = dt.timedelta(hours=12)
"""So long after its last comment a livestream that was not ended gives back what it keeps from the shelf."""
RUNNING = ("open", "paused")


@dataclass(frozen=True)
class Short:
    """Less could be kept for a code than was wished: `kept` of `wished` packs."""

    code: str
    wished: int
    kept: int


def start(
    actor: Actor,
    title: str,
    platform: str,
    codes: Sequence[Code],
    *,
    viewer_max: int | None = None,
    order_max: int | None = None,
    idempotency_key: str | None = None,
) -> str:
    """Begin a livestream hosted by `actor` at once; its id. With a key, once for each key. BadInput names the field."""
    draft = Draft(title, platform, codes, viewer_max=viewer_max, order_max=order_max)
    return plan(actor, draft, begin_now=True, idempotency_key=idempotency_key)


def plan(actor: Actor, draft: Draft, *, begin_now: bool = False, idempotency_key: str | None = None) -> str:
    """Write a livestream down, to be begun later or now; its id. With a key, once for each key. BadInput names the
    field (`codes.0.limit`)."""
    draft = checked(draft)
    body = {**asdict(draft), "planned_for": str(draft.planned_for or ""), "begin": begin_now}
    scope = f"live:{actor.id}"
    with write() as session:
        if idempotency_key:
            before = idempotency.recall(session, scope, idempotency.check_key(idempotency_key), body)
            if before is not None:
                return str(before.body["id"])
        live = planning.write_down(session, actor, draft)
        if begin_now:
            _begin(session, live)
        if idempotency_key:
            idempotency.remember(session, scope, idempotency_key, body, 201, {"id": live.id})
        return live.id


def amend(actor: Actor, session_id: str, draft: Draft) -> list[Short]:
    """Let a livestream be what the draft says: one that is planned wholly, one that runs in its limits, its terms and
    with further codes; what is kept short of its wish. Whoever waits moves up where there is room now. Conflict when it
    has ended."""
    draft = checked(draft)
    with write() as session:
        live = held(session, actor, session_id)
        if live.over:
            raise ended(live)
        if live.status == "planned":
            planning.write_anew(session, live, draft)
            return []
        planning.write_further(session, live, draft)
        Room(session, live, actor).enter((), [code.code for code in live.codes])
    _keep_again(actor, session_id, "open")
    return short_of(actor, session_id)


def drop(actor: Actor, session_id: str) -> None:
    """Throw a plan away. Conflict when it was begun."""
    with write() as session:
        live = held(session, actor, session_id)
        foreign = select(LiveForeignOrder.id).where(LiveForeignOrder.session_id == live.id).limit(1)
        if live.status != "planned" or session.scalar(foreign):
            raise begun_before(live)
        session.execute(delete(LiveSource).where(LiveSource.session_id == live.id))
        session.delete(live)


def begin(actor: Actor, session_id: str) -> list[Short]:
    """Open a planned livestream; what is kept short of its wish. One that runs is left alone. Conflict when it has
    ended."""
    with write() as session:
        live = held(session, actor, session_id)
        if live.status == "ended":
            raise ended(live)
        if live.status == "planned":
            _begin(session, live)
    return short_of(actor, session_id)


def pause(actor: Actor, session_id: str, *, give_back: bool = False) -> None:
    """Comments are kept and not decided until it goes on; with `give_back`, what was kept from the shelf is sold there
    meanwhile. Pausing twice changes nothing; of one that is about to go on, what was not decided yet stays so.
    Conflict when it is planned or has ended."""
    with write() as session:
        live = _running(session, actor, session_id)
        live.status, live.becomes = "paused", None
        if give_back:
            _give_back(session, live)


def resume(actor: Actor, session_id: str) -> list[Short]:
    """It goes on: what was kept for it is kept again, as far as there is, then what came meanwhile is decided in turn
    (`shop.live.resting`; a job does what takes long). What is kept short of its wish. One that runs is left alone.
    Conflict when it is planned or has ended."""
    from shop.live import resting  # it needs `authorised`, so it is found late

    _keep_again(actor, session_id, "paused")
    with write() as session:
        live = _running(session, actor, session_id)
        if live.status == "paused":
            resting.leave(session, live, "open")
    resting.carry_on(session_id)
    return short_of(actor, session_id)


def end(actor: Actor, session_id: str) -> None:
    """No more comments are taken; doubts can still be cleared. What a pause left undecided is decided first (as in
    `resume`), then all that was kept goes back to the shelf. Ending twice changes nothing. Conflict when it is only
    planned."""
    from shop.live import resting  # it needs `authorised`, so it is found late

    with write() as session:
        live = held(session, actor, session_id)
        if live.status == "planned":
            raise not_begun(live)
        if live.status == "open":
            live.status, live.ended_at = "ended", clock.now()
        if live.status == "paused":
            resting.leave(session, live, "ended")
    if resting.carry_on(session_id):
        return  # `give_back_forgotten` sees to the packs when the last of it is decided
    with write() as session:
        _give_back(session, held(session, actor, session_id))


def pin(actor: Actor, session_id: str, code: str) -> None:
    """From now on a bare number means this code; an empty one: numbers mean nothing. BadInput for another's code."""
    name = planning.normal_code(code[:80])
    with write() as session:
        live = held(session, actor, session_id)
        if live.over:
            raise ended(live)
        if name and name not in {one.code for one in live.codes}:
            raise unknown_code("code", name)
        live.pinned = name or None


def short_of(actor: Actor, session_id: str) -> list[Short]:
    """The codes of an open livestream for which less is kept now than was wished."""
    live = authorised(db.session(), actor, session_id)
    if live.status != "open":
        return []
    kept = aside.kept_of(db.session(), live.codes)
    found = [Short(code.code, _wished(code), kept[code.id]) for code in live.codes]
    return [one for one in found if one.kept < one.wished]


def give_back_forgotten() -> None:
    """Give back what ended livestreams still keep, and those in which nobody spoke for FORGOTTEN. Called every few
    seconds."""
    since = clock.now() - FORGOTTEN
    quiet = and_(
        LiveSession.started_at <= since,
        or_(LiveSession.heard_at.is_(None), LiveSession.heard_at <= since),
        or_(LiveSession.resumed_at.is_(None), LiveSession.resumed_at <= since),
    )
    keeping = select(LiveCode.session_id).join(LiveAside, LiveAside.code_id == LiveCode.id)
    query = select(LiveSession.id).where(LiveSession.id.in_(keeping), or_(LiveSession.status == "ended", quiet))
    with db.engine.connect() as connection:
        ids = list(connection.scalars(query))
    for session_id in ids:
        with write() as session:
            _lock(session, session_id)
            _give_back(session, session.get_one(LiveSession, session_id))


def held(session: Session, actor: Actor, session_id: str) -> LiveSession:
    """As `authorised`, with the session's row held to the transaction's end: comments wait meanwhile."""
    if is_uuid(session_id):
        _lock(session, session_id)
    return authorised(session, actor, session_id)


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


def _lock(session: Session, session_id: str) -> None:
    session.execute(select(LiveSession.id).where(LiveSession.id == session_id).with_for_update())


def _running(session: Session, actor: Actor, session_id: str) -> LiveSession:
    live = held(session, actor, session_id)
    if live.over:
        raise ended(live)
    if live.status == "planned":
        raise not_begun(live)
    return live


def _begin(session: Session, live: LiveSession) -> None:
    live.status, live.started_at = "open", clock.now()
    session.flush()
    _keep(session, live)


def _keep_again(actor: Actor, session_id: str, status: str) -> None:
    """In a transaction of its own: whoever has the stock in hand may not wait for an order any more."""
    with write() as session:
        live = held(session, actor, session_id)
        if live.status == status and not live.over:
            _keep(session, live)


def _keep(session: Session, live: LiveSession) -> None:
    """Keep for each code what is still wished of it, as far as there is."""
    _hold_stock(session, live)
    for code in live.codes:
        aside.keep_just(session, code.id, code.product_id, _wished(code))


def _wished(code: LiveCode) -> int:
    """Packs that its orders have are no longer to be kept."""
    return max(0, code.set_aside - code.taken)


def _give_back(session: Session, live: LiveSession) -> None:
    _hold_stock(session, live)
    for code in live.codes:
        aside.give_back(session, code.id)


def _hold_stock(session: Session, live: LiveSession) -> None:
    """All that these codes are made of, held in the one order before any of it is moved."""
    products = {code.product_id for code in live.codes}
    stock.lock(session, with_parts(products, parts_of(session, products)))
