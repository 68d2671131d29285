"""What a person decides about a comment. Each is a further decision beside the parser's, in a transaction of its own.

`seen` is the number of the decision that she had before her: of two helpers on one comment the second gets Conflict.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy.orm import selectinload

from shop.live import offers, rules
from shop.live.errors import decided_before, no_comment, no_link, no_offer, offer_over, unknown_code
from shop.live.intake import outcome_of
from shop.live.models import Decision, LiveClaim, LiveComment, LiveDecision, LiveOffer
from shop.live.outcomes import Asked, Outcome
from shop.live.reasons import words
from shop.live.room import Room, hold
from shop.live.services import authorised, held, normal_code
from shop.orders.errors import bad_quantity
from shop.orders.models import QUANTITY_MAX, Order
from village import clock
from village.db import write
from village.errors import Conflict
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.people.access import Actor
from village.people.phones import clean_phone

OPEN = (Decision.REVIEW, Decision.CHANGE, Decision.QUESTION, Decision.IGNORED, Decision.CANCEL)
"""Decisions under which a comment holds nothing, so that a person may make an order of it."""


def confirm(
    actor: Actor,
    session_id: str,
    comment_id: str,
    seen: int,
    lines: Sequence[tuple[str, int]],
    *,
    instead_of: str = "",
) -> Outcome:
    """It is an order, of these codes and packs; `instead_of` is a code that she gives up for them, wholly.

    What is out of stock is waited for, but not exchanged for. BadInput names what is wrong; Conflict when her order
    has moved on or there is nothing to exchange for.
    """
    codes = [code for code, _ in lines] + [instead_of]
    with _desk(actor, session_id, comment_id, seen, codes) as (room, comment, before):
        if before.decision not in OPEN:
            raise decided_before()
        asked = [_asked(room, code, quantity) for code, quantity in lines]
        outcome = rules.give(room, comment, asked, before.phone)
        if outcome.decision is Decision.REVIEW or (instead_of and outcome.waiting):
            raise _cannot(outcome)
        if instead_of:
            given = rules.give_back(room, comment, [_asked(room, instead_of, 1, all_of_it=True)])
            if given.decision is Decision.REVIEW:
                raise _cannot(given)
        outcome = replace(outcome, reason=outcome.reason or "by-hand")
        room.decide(comment, outcome)
        return outcome


def dismiss(actor: Actor, session_id: str, comment_id: str, seen: int) -> None:
    """It is no order."""
    with _desk(actor, session_id, comment_id, seen) as (room, comment, before):
        if before.decision not in OPEN:
            raise decided_before()
        room.decide(comment, Outcome(Decision.IGNORED, phone=before.phone, reason="by-hand"))


def take_back(actor: Actor, session_id: str, comment_id: str, seen: int, code: str) -> Outcome:
    """She does want to cancel: all that she has of this code goes back. Conflict when her order has moved on."""
    with _desk(actor, session_id, comment_id, seen, [code]) as (room, comment, before):
        if before.decision not in OPEN:
            raise decided_before()
        outcome = rules.give_back(room, comment, [_asked(room, code, 1, all_of_it=True)])
        if outcome.decision is Decision.REVIEW:
            raise _cannot(outcome)
        room.decide(comment, replace(outcome, phone=before.phone, reason=outcome.reason or "by-hand"))
        return outcome


def set_phone(actor: Actor, session_id: str, comment_id: str, seen: int, phone: object) -> Outcome:
    """Her telephone number: onto her order, or kept until she has one. BadInput when it is no number."""
    full = clean_phone(phone, "phone")
    national = "0" + full.removeprefix("+84") if full.startswith("+84") else full
    with _desk(actor, session_id, comment_id, seen) as (room, comment, before):
        outcome = rules.note_phone(room, comment, national, sure=True)
        if before.decision in (Decision.ORDER, Decision.WAITLIST):
            outcome = replace(outcome_of(before), phone=national, reason="phone")
        room.decide(comment, outcome)
        return outcome


def take_up(actor: Actor, session_id: str, wait_id: str) -> LiveOffer:
    """She said yes to the packs that were kept for her. Conflict when her time is over."""
    with write() as session:
        live = held(session, actor, session_id)
        offer = session.get(LiveOffer, wait_id) if is_uuid(wait_id) else None
        if offer is None or offer.session_id != live.id:
            raise no_offer()
        if offer.state != "open" or offer.until <= clock.now():
            raise offer_over()
        offers.taken(session, session.get_one(Order, offer.order_id), actor)
        return offer


def told(actor: Actor, session_id: str, code: str) -> None:
    """The buyer behind this link was given it, or reminded of it: which of the two, her order's state says."""
    with write() as session:
        live = authorised(session, actor, session_id)
        claim = session.get(LiveClaim, code)
        if claim is None or claim.session_id != live.id:
            raise no_link()
        if claim.told_at is None:
            claim.told_at = clock.now()
        elif claim.reminded_at is None:
            claim.reminded_at = clock.now()


@contextmanager
def _desk(
    actor: Actor, session_id: str, comment_id: str, seen: int, codes: Sequence[str] = ()
) -> Iterator[tuple[Room, LiveComment, LiveDecision]]:
    with write() as session:
        live = authorised(session, actor, session_id)
        hold(session, live.id)
        found = session.get(LiveComment, comment_id) if is_uuid(comment_id) else None
        if found is None or found.session_id != live.id:
            raise no_comment()
        comment = session.get_one(
            LiveComment, comment_id, options=[selectinload(LiveComment.decisions)], populate_existing=True
        )
        before = comment.decisions[-1]
        if before.position != seen:
            raise decided_before()
        room = Room(session, live, actor)
        room.positions[comment.id] = before.position + 1
        room.enter({comment.author_id}, {normal_code(code) for code in codes})
        yield room, comment, before


def _asked(room: Room, code: str, quantity: int, *, all_of_it: bool = False) -> Asked:
    name = normal_code(code)
    if name not in room.codes:
        raise unknown_code("code", code)
    if not 1 <= quantity <= QUANTITY_MAX:
        raise bad_quantity("quantity")
    return Asked(name, 0 if all_of_it else quantity)


def _cannot(outcome: Outcome) -> Conflict:
    return Conflict("live-cannot", _l("Chưa làm được: %(why)s."), why=words(outcome.reason))
