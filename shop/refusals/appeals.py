"""A buyer's objection: she needs no account, a person answers, and silence decides for her."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.delivery.models import Shipment
from shop.orders.models import Order
from shop.refusals.keeping import free_in, phone_hash, strike_in
from shop.refusals.models import WORDS_MAX, AppealState, ParcelAppeal, ParcelOutcome
from shop.refusals.rules import rules
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.ids import secret_token
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.people.phones import clean_phone
from village.places.models import Cooperative
from village.text import clean_text

OPEN_MOST = 100
"""Appeals shown on one page: the oldest come first."""
WAIT_MOST = 5
"""Of one number at one seller: somebody else may have written in its name, so one does not shut out the next."""


@dataclass(frozen=True)
class Parcel:
    """A parcel of the seller's own that an appeal is about."""

    order_id: str
    number: str
    outcome: str
    day: dt.date
    expires: dt.date


@dataclass(frozen=True)
class Case:
    """What was written about one number and waits, and the parcels that it is about."""

    appeals: Sequence[ParcelAppeal]
    """Oldest first; one answer is for all of them."""
    parcels: Sequence[Parcel]
    until: dt.date
    """When it is granted by itself."""


def seller_of(gln: str) -> Cooperative:
    """The cooperative with this place number; NotFound for any other."""
    found = db.session.scalar(select(Cooperative).where(Cooperative.gln == gln))
    if found is None:
        raise NotFound("no-seller", _l("Không có người bán nào mang mã này."), gln=gln[:20])
    return found


def seller_by_id(appeal: ParcelAppeal) -> Cooperative:
    """Whom an appeal was sent to."""
    return db.session.get_one(Cooperative, appeal.cooperative_id)


def make(gln: str, phone: object, words: object) -> ParcelAppeal:
    """Somebody objects to what is kept of her number at this seller.

    Whether anything is kept of it is not told here: a stranger would learn it. BadInput for what is no number or says
    nothing, Conflict when so many of a number wait that one more would not help.
    """
    number = clean_phone(phone)
    said = clean_text(words, "words", WORDS_MAX, required=True)
    seller = seller_of(gln)
    with write() as session:
        mine = ParcelAppeal.phone_hash == phone_hash(number), ParcelAppeal.cooperative_id == seller.id
        waits = select(func.count()).select_from(ParcelAppeal).where(ParcelAppeal.state == "open", *mine)
        if (session.scalar(waits) or 0) >= WAIT_MOST:
            raise Conflict("appeals-waiting", _l("Số này nhắn mấy lần rồi, người bán đang xem và sẽ gọi lại."))
        appeal = ParcelAppeal(
            token=secret_token(), cooperative_id=seller.id, phone_hash=phone_hash(number), phone=number, words=said
        )
        session.add(appeal)
        return appeal


def by_token(token: str) -> ParcelAppeal:
    """The appeal that this link opens; NotFound for any other."""
    found = db.session.scalar(select(ParcelAppeal).where(ParcelAppeal.token == token))
    if found is None:
        raise _none()
    return found


def until(appeal: ParcelAppeal) -> dt.date:
    """When it is granted, unless somebody answers before."""
    return appeal.made_at.astimezone(clock.VN).date() + dt.timedelta(days=rules().appeal_days)


def waiting(actor: Actor) -> list[Case]:
    """What waits for an answer of the actor's cooperative, oldest first. Two statements."""
    _authorise(actor)
    session = db.session()
    mine = ParcelAppeal.cooperative_id == actor.cooperative_id, ParcelAppeal.state == "open"
    appeals = session.scalars(select(ParcelAppeal).where(*mine).order_by(ParcelAppeal.id).limit(OPEN_MOST)).all()
    parcels: dict[str, list[Parcel]] = {}
    about = (
        select(
            ParcelOutcome.phone_hash, Order.id, Order.number, ParcelOutcome.outcome, ParcelOutcome.day,
            ParcelOutcome.expires,
        )
        .join(Shipment, Shipment.id == ParcelOutcome.shipment_id)
        .join(Order, Order.id == Shipment.order_id)
        .where(
            ParcelOutcome.phone_hash.in_({one.phone_hash for one in appeals}),
            ParcelOutcome.expires > clock.today(), Order.cooperative_id == actor.cooperative_id,
        )
        .order_by(ParcelOutcome.day.desc(), Order.id.desc())
    )  # fmt: skip
    for mark, order_id, number, outcome, day, expires in session.execute(about) if appeals else ():
        parcels.setdefault(mark, []).append(Parcel(order_id, number, outcome, day, expires))
    cases: dict[str, list[ParcelAppeal]] = {}
    for one in appeals:
        cases.setdefault(one.phone_hash, []).append(one)
    return [Case(some, parcels.get(mark, ()), until(some[0])) for mark, some in cases.items()]


def count_waiting(session: Session, cooperative_id: str) -> int:
    """How many wait for an answer of this cooperative."""
    mine = ParcelAppeal.cooperative_id == cooperative_id, ParcelAppeal.state == "open"
    return session.scalar(select(func.count()).select_from(ParcelAppeal).where(*mine)) or 0


def answer(actor: Actor, appeal_id: str, verdict: str, words: object) -> None:
    """A person decides: `grant` takes what is kept against the number away, `keep` lets it stand until its time.

    BadInput without a word for her, NotFound for another cooperative's, Conflict when it was answered already.
    """
    _authorise(actor)
    if verdict not in ("grant", "keep"):
        raise BadInput("no-verdict", _l("Bác chọn xoá hay giữ nguyên nhé."), field="verdict")
    said = clean_text(words, "answer", WORDS_MAX, required=verdict == "keep")
    with write() as session:
        mine = select(ParcelAppeal).where(ParcelAppeal.cooperative_id == actor.cooperative_id)
        asked = session.scalar(mine.where(ParcelAppeal.id == appeal_id).with_for_update())
        if asked is None:
            raise _none()
        if asked.state != "open":
            raise Conflict("appeal-answered", _l("Lời nhắn này có người trả lời rồi."))
        others = mine.where(ParcelAppeal.phone_hash == asked.phone_hash, ParcelAppeal.state == "open")
        for appeal in session.scalars(others.order_by(ParcelAppeal.id).with_for_update()).all():
            _close(session, appeal, "granted" if verdict == "grant" else "declined", said, actor)


def lapse() -> bool:
    """Grant what nobody answered in time; True when there was any. Called about once an hour."""
    before = clock.now() - dt.timedelta(days=rules().appeal_days)
    with write() as session:
        late = ParcelAppeal.state == "open", ParcelAppeal.made_at < before
        found = session.scalars(select(ParcelAppeal).where(*late).with_for_update()).all()
        for appeal in found:
            _close(session, appeal, "granted", "", None)
        return bool(found)


def _close(session: Session, appeal: ParcelAppeal, state: AppealState, said: str, actor: Actor | None) -> None:
    if state == "granted":
        strike_in(session, appeal.phone_hash, appeal.cooperative_id)
        if appeal.phone is not None:
            free_in(session, appeal.phone, appeal.cooperative_id)
    appeal.state, appeal.answer, appeal.answered_at = state, said, clock.now()
    appeal.answered_by = actor.id if actor else None
    appeal.phone = None


def _authorise(actor: Actor) -> None:
    if not actor.has(Role.SELLER, Role.OFFICE):
        raise wrong_role()


def _none() -> NotFound:
    return NotFound("no-such-appeal", _l("Không có lời nhắn này. Bác xem lại đường dẫn giúp mình."))
