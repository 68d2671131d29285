"""A viewer does not want the packs that came back: they go to the next in the queue at once."""

from sqlalchemy import select

from shop.live.claims.claiming import claim_of
from shop.live.claims.errors import offer_gone
from shop.live.models import Decision, LiveComment, LiveDecision, LiveOffer, LiveWait
from shop.live.outcomes import Asked, Outcome
from shop.live.room import Room, hold, joinable, line_of
from village.db import write

DECLINED = "offer-declined"


def decline(code: str, wait_id: str) -> None:
    """She says no to packs that came back; said twice it is done once. Conflict when they are hers already, or their
    time is over. In a pause they wait on the shelf until it goes on."""
    with write() as session:
        claim = claim_of(session, code)
        live = hold(session, claim.session_id)
        found = session.scalar(
            select(LiveOffer)
            .join(LiveOffer.wait)
            .join(LiveWait.comment)
            .where(LiveOffer.wait_id == wait_id, LiveOffer.session_id == live.id)
            .where(LiveComment.author_id == claim.author_id)
        )
        if found is None:
            raise offer_gone()
        decided = select(LiveDecision).where(LiveDecision.comment_id == found.wait.comment_id)
        if found.state == "lapsed" and session.scalar(decided.where(LiveDecision.reason == DECLINED).limit(1)):
            return
        room = Room(session, live)
        room.enter({claim.author_id}, room.codes)
        wait, packs = found.wait, found.quantity
        order = next((one for one in room.orders[claim.author_id] if one.id == found.order_id), None)
        row = line_of(order, wait.code) if order else None
        held = room.holds[found.order_id].get(wait.code_id)
        # Entering has let lapse what was over.
        if found.state != "open" or order is None or not joinable(order) or row is None or held is None:
            raise offer_gone()
        room.settle()
        last = session.scalars(decided.order_by(LiveDecision.position.desc()).limit(1)).one()
        found.state = "lapsed"
        packs = min(packs, held.quantity, row.quantity)
        room.count(wait.code, -packs)
        held.quantity -= packs
        room.reduce(order, row, packs)
        room.positions[wait.comment_id] = last.position + 1
        waiting = [Asked(**line) for line in last.waiting if line["code"] != wait.code.code]
        given = [Asked(wait.code.code, packs, wait.because)]
        outcome = Outcome(Decision.CANCEL, given, waiting, phone=last.phone, reason=DECLINED, order=order)
        room.decide(wait.comment, outcome)
        room.promote()
