"""What a session's viewers have, are offered and wait for, as statements that are built once: they are asked with every
call, and building one costs more than SQLite needs to answer it."""

from sqlalchemy import BindParameter, Select, bindparam, exists, func, literal_column, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from shop.live.models import Decision, LiveCode, LiveComment, LiveDecision, LiveHold, LiveOffer, LiveWait
from shop.orders.models import Order, Status
from village.db import UtcDateTime

_SESSION: BindParameter[str] = bindparam("session")
AUTHORS: BindParameter[list[str]] = bindparam("authors", expanding=True)
CODES = (
    select(LiveCode)
    .where(LiveCode.session_id == _SESSION)
    .options(joinedload(LiveCode.product))
    .order_by(LiveCode.position)
    .execution_options(populate_existing=True)
)
ORDERS = (
    select(Order)
    .where(Order.live_session_id == _SESSION, Order.live_author.in_(AUTHORS), Order.status != Status.CANCELLED)
    .order_by(Order.id)
    .options(selectinload(Order.steps))
    .with_for_update()
    .execution_options(populate_existing=True)
)
HOLDS = select(LiveHold).where(LiveHold.order_id.in_(bindparam("orders", expanding=True)))
OFFERS = (
    select(LiveOffer)
    .join(LiveWait, LiveWait.id == LiveOffer.wait_id)
    .join(LiveComment, LiveComment.id == LiveWait.comment_id)
    .where(
        LiveOffer.session_id == _SESSION, LiveOffer.state == "open",
        or_(LiveOffer.until <= bindparam("now", type_=UtcDateTime), LiveComment.author_id.in_(AUTHORS)),
    )
    .options(
        contains_eager(LiveOffer.wait).contains_eager(LiveWait.comment),
        contains_eager(LiveOffer.wait).joinedload(LiveWait.code),
    )
    .order_by(LiveOffer.made_at)
)  # fmt: skip
_WAITING = (LiveWait.session_id == _SESSION, LiveWait.state == "waiting")
LEAST = select(LiveWait.code_id, func.min(LiveWait.quantity)).where(*_WAITING).group_by(LiveWait.code_id)
WAITS = (
    select(LiveWait)
    .join(LiveComment, LiveComment.id == LiveWait.comment_id)
    .where(*_WAITING)
    .options(contains_eager(LiveWait.comment), joinedload(LiveWait.code))
    .order_by(LiveComment.said_at, LiveComment.seq)
)
_RANKED = (
    select(
        LiveWait.id,
        (
            LiveWait.quantity
            * func.row_number().over(
                partition_by=(LiveWait.code_id, LiveWait.quantity), order_by=(LiveComment.said_at, LiveComment.seq)
            )
        ).label("packs"),
    )
    .join(LiveComment, LiveComment.id == LiveWait.comment_id)
    .where(*_WAITING, LiveWait.code_id.in_(bindparam("codes", expanding=True)), LiveComment.author_id != "")
    .subquery()
)
FIRST = WAITS.where(LiveWait.id.in_(select(_RANKED.c.id).where(_RANKED.c.packs <= bindparam("most"))))
"""Of each code and number of packs those who wait longest, as many as `most` packs would serve: of more than these
nobody's turn can come, whoever else is served."""
PHONES = (
    select(LiveComment.author_id, LiveDecision.phone)
    .join(LiveDecision, LiveDecision.comment_id == LiveComment.id)
    .where(
        LiveComment.session_id == _SESSION, LiveComment.author_id.in_(AUTHORS), LiveDecision.phone.is_not(None),
        or_(
            LiveDecision.decision.in_((Decision.ORDER, Decision.WAITLIST)),
            LiveDecision.reason.in_(("phone", "phone-kept")),
        ),
    )
    .order_by(LiveDecision.decided_at, LiveComment.seq)
)  # fmt: skip


def given_up(session_id: str | BindParameter[str]) -> Select[LiveHold]:
    """Packs that orders which were cancelled elsewhere still count."""
    # The status is no parameter, so that a partial index is found.
    cancelled = Order.status == literal_column("'cancelled'")
    joined = select(LiveHold).join(Order, Order.id == LiveHold.order_id)
    return joined.where(Order.live_session_id == session_id, cancelled, LiveHold.quantity > 0)


STANDS = select(
    exists().where(LiveOffer.session_id == _SESSION, LiveOffer.state == "open"),
    exists().where(*_WAITING),
    given_up(_SESSION).exists(),
)
"""Whether anything is offered, waited for, or to be counted anew: mostly not, and nothing more has to be read."""
