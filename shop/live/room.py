"""One livestream inside one transaction: what its viewers have, who waits, and how packs move between them.

Whoever comes in holds the session's row, so that comments are taken one batch after another; then the orders at hand,
then the stock, always in this order, so that no two transactions wait for each other. What is given out is counted in
memory and written down together, at the latest just before the transaction commits.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast

from sqlalchemy import Table, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from shop.live import claims, standing
from shop.live.claims.keys import is_unclaimed
from shop.live.errors import no_session
from shop.live.models import (
    Decision,
    LiveCode,
    LiveComment,
    LiveDecision,
    LiveHold,
    LiveOffer,
    LiveSession,
    LiveWait,
)
from shop.live.outcomes import Asked, Outcome
from shop.live.shelf import Shelf
from shop.live.texts import name_of
from shop.orders.cancelling import cancel_held, let_go
from shop.orders.lines import add_up, give_up, take
from shop.orders.models import QUANTITY_MAX, Allocation, Order, OrderLine, OrderStep, Status
from shop.orders.moving import record
from shop.orders.services import Buyer, Wanted, new_numbers, new_order
from shop.refusals import services as refusals
from shop.stock import aside
from village import clock
from village.bulk import insert_new
from village.db import before_commit, insert_later, insert_now
from village.ids import is_uuid, uuid7
from village.people.access import Actor
from village.people.phones import normal_phone

QUEUE_KEPT = dt.timedelta(days=3)
"""So long after the end packs that come back still go to those who wait; later nobody reckons with them any more."""
OFFER_AFTERWARDS = dt.timedelta(hours=3)
"""An offer's time after the end, when nobody sits before the screen: at least this."""
MOVED_AT_ONCE = 200
"""At most so many who wait are looked at in one transaction; the sweep sees to the others."""
_DECISIONS = cast(Table, LiveDecision.__table__)
_ADDED = (Order, OrderLine, Allocation, OrderStep, LiveHold, LiveWait, LiveOffer)


def hold(session: Session, session_id: str) -> LiveSession:
    """Take the session's row to the transaction's end; the session as it stands now, with its codes. NotFound if there
    is none."""
    if not is_uuid(session_id):
        raise no_session()
    live = session.get(LiveSession, session_id, with_for_update=True, populate_existing=True)
    if live is None:
        raise no_session()
    set_committed_value(live, "codes", list(session.scalars(standing.CODES, {"session": live.id})))
    return live


class LimitReached(Exception):
    """A code's packs for this session are taken."""


class NoneLeft(Exception):
    """There are not as many packs as were asked for."""


class Room:
    """The state that one transaction works on. Make it with the session's row locked, then `enter`."""

    def __init__(self, session: Session, live: LiveSession, actor: Actor | None = None) -> None:
        self.session = session
        self.live = live
        self.actor = actor
        self.codes = {code.code: code for code in live.codes}
        self.shelf = Shelf(session)
        self.orders: dict[str, list[Order]] = defaultdict(list)
        self.holds: dict[str, dict[str, LiveHold]] = defaultdict(dict)
        self.waits: list[LiveWait] = []
        self.offers: list[LiveOffer] = []
        self.phones: dict[str, str] = {}
        self.positions: dict[str, int] = {}
        self.outcomes: dict[str, Outcome] = {}
        self._known: set[str] = set()
        self._numbers: list[str] = []
        self._crowd = 1
        self._holds: list[LiveHold] = []
        self._cancelled: list[Order] = []
        self._decided: list[dict[str, Any]] = []
        self._served: set[str] = set()
        self._phoned: list[Order] = []

    def enter(
        self, authors: Collection[str], codes: Iterable[str], *, givers: Collection[str] | None = None
    ) -> None:
        """Take hold of what these authors have, of those who wait and may be served, and of the stock behind the codes.

        `givers`: those of the authors who may give packs back, as by a cancellation; None for all of them. Offers whose
        time is over lapse, and where packs are left the queue moves up.
        """
        before_commit(self.session, f"live.room.{id(self)}", lambda _session: self.settle())
        with self.session.no_autoflush:
            self._crowd = max(1, len(authors))
            offered, waited, gone = self.session.execute(standing.STANDS, {"session": self.live.id}).one()
            self.offers = self._offers(authors) if offered else []
            paused, now = self.live.status == "paused", clock.now()
            over = [offer for offer in self.offers if offer.until <= now and not paused]
            owners = {offer.wait.comment.author_id for offer in over}
            back = owners | set(authors if givers is None else givers)
            self._learn_orders({*authors, *owners} - {""})
            if gone:
                self._settle_cancelled()
            if waited:
                self._learn_waits(authors, back)
            self._learn_phones()
            wanted = {self.codes[code] for code in codes if code in self.codes}
            wanted |= {wait.code for wait in self.waits} | {offer.wait.code for offer in over}
            self.shelf.hold(wanted, returns=self._lots_of(back) if back else None)
            for offer in over:
                self._lapse(offer)
            self.promote()

    @property
    def moves(self) -> bool:
        """True while those who wait are served: not in a pause, nor long after the end."""
        ended = self.live.ended_at
        if self.live.status == "ended" and ended is not None:
            return clock.now() - ended < QUEUE_KEPT
        return self.live.status == "open"

    def placed(self, author: str) -> Order | None:
        """The author's order that lines may still join: no seller has begun on it, and it is not about to be paid."""
        return next((order for order in self.orders[author] if joinable(order)), None)

    def latest(self, author: str) -> Order | None:
        """The author's order that is open to lines, or else the newest of the others."""
        return self.placed(author) or (self.orders[author][-1] if self.orders[author] else None)

    def decide(self, comment: LiveComment, outcome: Outcome, *, late: bool = False, by_hand: bool = True) -> None:
        """Write down what became of a comment, beside what was decided of it before."""
        position = self.positions.get(comment.id, 0)
        self.positions[comment.id] = position + 1
        self.outcomes[comment.id] = outcome
        self._decided.append(
            {
                "comment_id": comment.id, "position": position, "session_id": self.live.id,
                "decision": outcome.decision,
                "lines": [line.as_json() for line in outcome.lines],
                "waiting": [line.as_json() for line in outcome.waiting],
                "suggested": [line.as_json() for line in outcome.suggested],
                "phone": outcome.phone, "reason": outcome.reason,
                "order_id": outcome.order.id if outcome.order else None,
                "decided_by": self.actor.id if self.actor and by_hand else None, "decided_at": clock.now(),
                "late": late, "allowed": outcome.allowed, "pinned": outcome.pinned,
            }
        )  # fmt: skip

    def settle(self) -> None:
        """Write down all that was given out, and what was decided."""
        holds, self._holds = self._holds, []
        insert_new(self.session, _ADDED, holds)
        self.session.flush()
        self.shelf.settle()
        cancelled, self._cancelled = self._cancelled, []
        for order in cancelled:
            let_go(self.session, order)
        phoned, self._phoned = self._phoned, []
        refusals.ask_in(self.session, *{order.id: order for order in phoned}.values())
        served, self._served = self._served, set()
        waits = {author: any(map(is_unclaimed, self.orders[author])) for author in served}
        claims.ensure_all(self.session, self.live, waits)
        decided, self._decided = self._decided, []
        insert_later(self.session, _DECISIONS, decided)
        insert_now(self.session)

    def promote(self) -> None:
        """Packs came back: whoever waits longest and fits gets them for a time, and so on."""
        if not self.waits or not self.moves:
            return
        for wait in list(self.waits):
            code = wait.code
            # Hundreds may wait for what is sold out, and trying costs as much as an order.
            free = within_limit(code, self.shelf.reach(code))
            mine = self.placed(wait.comment.author_id)
            row = line_of(mine, code) if mine else None
            if wait.quantity > free or (row and row.quantity + wait.quantity > QUANTITY_MAX):
                continue
            if not code.product.active or code.product.price is None:
                continue
            line = Asked(code.code, wait.quantity, wait.because)
            order = self.put(wait.comment, [line], None)
            wait.state = "served"
            self.waits.remove(wait)
            self._offer(wait, order)
            self._tell(wait.comment, Decision.ORDER, "promoted", line, order)

    def put(self, comment: LiveComment, lines: Sequence[Asked], phone: str | None) -> Order:
        """All of these lines into the author's order; LimitReached or NoneLeft, and nothing."""
        author = comment.author_id
        full = normal_phone(phone or self.phones.get(author) or "")
        packs: Counter[str] = Counter()
        for line in lines:
            packs[line.code] += line.quantity
        wanted = [(self.codes[code], quantity) for code, quantity in packs.items()]
        if any(code.unit_limit is not None and code.taken + n > code.unit_limit for code, n in wanted):
            raise LimitReached
        if not self.shelf.has(wanted):
            raise NoneLeft
        for code, quantity in wanted:
            self.count(code, quantity)
        asked = [Wanted(code.product_id, quantity, code.price) for code, quantity in wanted]
        order = self.placed(author)
        with self.session.no_autoflush:
            if order is None:
                buyer = Buyer(name_of(comment.author_name), full)
                order = new_order(self._number(), buyer, "live", live_session_id=self.live.id, live_author=author)
                take(self.session, order, asked, self.shelf.reserve(wanted))
                record(order, Status.PLACED, self.actor)
                self.session.add(order)
                self.orders[author].append(order)
            else:
                take(self.session, order, asked, self.shelf.reserve(wanted))
                order.updated_at = clock.now()
                record(order, "changed", self.actor)
                if full and not order.buyer_phone:
                    self.set_phone(order, full)
            for code, quantity in wanted:
                self._hold(order, code, quantity)
        self._served.add(author)
        return order

    def set_phone(self, order: Order, phone: str | None) -> None:
        """As `set_buyer_in`: the order's row is held, and what costs statements waits for all of them."""
        order.buyer_phone, order.updated_at = phone or order.buyer_phone, clock.now()
        record(order, "addressed", self.actor)
        self._phoned.append(order)

    def count(self, code: LiveCode, quantity: int) -> None:
        """More (or fewer) packs by this code in the session."""
        code.taken += quantity

    def reduce(self, order: Order, row: OrderLine, quantity: int) -> None:
        """So many packs out of a line of an order that is `joinable`, and back to the shelf; an order without lines is
        cancelled."""
        if quantity == row.quantity and len(order.lines) == 1:
            self.cancel(order)
            return
        self.shelf.put_back(give_up(self.session, row, quantity))
        row.quantity -= quantity
        if row.quantity == 0:
            order.lines.remove(row)
        add_up(order)
        order.updated_at = clock.now()
        record(order, "changed", self.actor)

    def cancel(self, order: Order, note: str = "") -> None:
        """Call off an order that is `joinable`; its packs go back to the shelf."""
        self.shelf.put_back(cancel_held(order, self.actor, note))
        self.orders[str(order.live_author)].remove(order)
        self._cancelled.append(order)

    def wait(self, comment: LiveComment, line: Asked) -> None:
        """Put a viewer into the queue for a line."""
        code = self.codes[line.code]
        wait = LiveWait(
            id=uuid7(), session_id=self.live.id, comment_id=comment.id, comment=comment, code=code, code_id=code.id,
            quantity=line.quantity, because=line.because[:500], state="waiting",
        )  # fmt: skip
        self.session.add(wait)
        self.waits.append(wait)
        self.waits.sort(key=lambda each: each.comment.turn)
        self._served.add(comment.author_id)

    def leave(self, waits: Iterable[LiveWait]) -> None:
        """Take a viewer out of the queue."""
        for wait in waits:
            wait.state = "dropped"
            self.waits.remove(wait)

    def held(self, author: str, code: LiveCode) -> list[tuple[Order, LiveHold]]:
        """The author's orders that have packs by this code."""
        held = ((order, self.holds[order.id].get(code.id)) for order in self.orders[author])
        return [(order, hold) for order, hold in held if hold is not None and hold.quantity]

    def packs_of(self, author: str) -> Counter[str]:
        """By code, the packs that an author has or waits for in this session."""
        packs: Counter[str] = Counter()
        for name, code in self.codes.items():
            packs[name] = sum(hold.quantity for _, hold in self.held(author, code))
        for name, waits in self.waits_of(author).items():
            packs[name] += sum(wait.quantity for wait in waits)
        return packs

    def waits_of(self, author: str) -> dict[str, list[LiveWait]]:
        """What an author waits for, by code."""
        found: dict[str, list[LiveWait]] = defaultdict(list)
        for wait in self.waits:
            if wait.comment.author_id == author:
                found[wait.code.code].append(wait)
        return found

    def offers_of(self, author: str) -> dict[str, list[LiveOffer]]:
        """What is kept for an author until she says yes, by code."""
        found: dict[str, list[LiveOffer]] = defaultdict(list)
        for offer in self.offers:
            if offer.state == "open" and offer.wait.comment.author_id == author:
                found[offer.wait.code.code].append(offer)
        return found

    def _number(self) -> str:
        if not self._numbers:
            self._numbers = new_numbers(self.session, self._crowd)
        return self._numbers.pop()

    def _hold(self, order: Order, code: LiveCode, quantity: int) -> None:
        row = self.holds[order.id].get(code.id)
        if row is None:
            row = self.holds[order.id][code.id] = LiveHold(order_id=order.id, code_id=code.id, quantity=0)
            self._holds.append(row)
        row.quantity += quantity

    def _offer(self, wait: LiveWait, order: Order) -> None:
        time = dt.timedelta(minutes=self.live.offer_minutes)
        if self.live.status == "ended":
            time = max(time, OFFER_AFTERWARDS)
        now = clock.now()
        offer = LiveOffer(
            wait_id=wait.id, wait=wait, session_id=self.live.id, order_id=order.id, quantity=wait.quantity,
            made_at=now, until=now + time, state="open",
        )  # fmt: skip
        self.offers.append(offer)
        self.session.add(offer)

    def _lapse(self, offer: LiveOffer) -> None:
        """Her time is over: the packs leave her order, unless she or the seller went on with it."""
        wait = offer.wait
        author, code = wait.comment.author_id, wait.code
        order = next((one for one in self.orders[author] if one.id == offer.order_id), None)
        ends = "lapsed" if order is None or joinable(order) else "taken"
        changed = self.session.execute(
            update(LiveOffer).where(LiveOffer.wait_id == offer.wait_id, LiveOffer.state == "open").values(state=ends)
        )
        assert isinstance(changed, CursorResult)
        hold = self.holds[order.id].get(code.id) if order else None
        row = line_of(order, code) if order else None
        if changed.rowcount == 0 or ends == "taken" or order is None or hold is None or row is None:
            return
        packs = min(offer.quantity, hold.quantity, row.quantity)
        if packs:
            self.count(code, -packs)
            hold.quantity -= packs
            self.reduce(order, row, packs)
            self._tell(wait.comment, Decision.CANCEL, "offer-lapsed", Asked(code.code, packs, wait.because), order)

    def _tell(self, comment: LiveComment, decision: Decision, reason: str, line: Asked, order: Order) -> None:
        """A further decision about the comment of one who waited, by the shop itself."""
        before = self._last(comment)
        lines, waiting = list(before.lines), [each for each in before.waiting if each.code != line.code]
        lines = [*lines, line] if decision is Decision.ORDER else [line]
        outcome = Outcome(decision, lines, waiting, phone=before.phone, reason=reason, order=order)
        self.decide(comment, outcome, by_hand=False)

    def _last(self, comment: LiveComment) -> Outcome:
        if comment.id in self.outcomes:
            return self.outcomes[comment.id]
        decisions = select(LiveDecision).where(LiveDecision.comment_id == comment.id)
        before = self.session.scalars(decisions.order_by(LiveDecision.position.desc()).limit(1)).one()
        self.positions[comment.id] = before.position + 1
        return Outcome(
            before.decision, [Asked(**kept) for kept in before.lines], [Asked(**kept) for kept in before.waiting],
            phone=before.phone,
        )  # fmt: skip

    def _learn_orders(self, authors: set[str]) -> None:
        """Take hold of these authors' orders, and of what they have by each code."""
        authors = authors - self._known
        if not authors:
            return
        self._known |= authors
        orders = self.session.scalars(standing.ORDERS, {"session": self.live.id, "authors": sorted(authors)}).all()
        for order in orders:
            self.orders[str(order.live_author)].append(order)
        ids = [order.id for order in orders]
        for hold in self.session.scalars(standing.HOLDS, {"orders": ids}) if orders else ():
            self.holds[hold.order_id][hold.code_id] = hold

    def _lots_of(self, authors: Iterable[str]) -> set[str]:
        """The lots that fill these authors' orders."""
        lines = (line for author in authors for order in self.orders[author] for line in order.lines)
        return {part.batch_id for line in lines for part in line.allocations}

    def _offers(self, authors: Collection[str]) -> list[LiveOffer]:
        """Open offers to these authors, and those of anybody whose time is over."""
        values = {"session": self.live.id, "now": clock.now(), "authors": list(authors)}
        return list(self.session.scalars(standing.OFFERS, values))

    def _learn_waits(self, authors: Collection[str], givers: Collection[str]) -> None:
        """Who waits of these authors; and of the others, as many as might be served now, with what they have."""
        here = {"session": self.live.id}
        least = {code_id: int(packs) for code_id, packs in self.session.execute(standing.LEAST, here)}
        of_these = standing.WAITS.where(LiveComment.author_id.in_(standing.AUTHORS))
        found = list(self.session.scalars(of_these, {**here, "authors": list(authors)})) if authors else []
        if self.moves:
            codes = [code for code in self.live.codes if code.id in least]
            near_by = aside.within_reach(self.session, codes)
            reach = {code.id: within_limit(code, near_by[code.id]) for code in codes}
            given = [self.holds[order.id].values() for giver in givers for order in self.orders[giver]]
            back = sum(row.quantity for rows in given for row in rows)
            served = [code.id for code in codes if reach[code.id] + back >= least[code.id]]
            if served:
                most = max(reach[code_id] for code_id in served) + back
                first = {**here, "codes": served, "most": most}
                near = list(self.session.scalars(standing.FIRST.limit(MOVED_AT_ONCE), first))
                self._learn_orders({wait.comment.author_id for wait in near})
                found += [wait for wait in near if wait not in found]
        self.waits = sorted(found, key=lambda wait: wait.comment.turn)

    def _learn_phones(self) -> None:
        """The numbers that these authors gave; of several, the latest."""
        if not self._known:
            return
        values = {"session": self.live.id, "authors": sorted(self._known)}
        for author, phone in self.session.execute(standing.PHONES, values):
            if phone:
                self.phones[author] = phone

    def _settle_cancelled(self) -> None:
        """Orders that were cancelled elsewhere no longer count against the session's limits."""
        own = {code.id: code for code in self.live.codes}
        for hold in self.session.scalars(standing.given_up(self.live.id)):
            if hold.code_id in own:
                self.count(own[hold.code_id], -hold.quantity)
            hold.quantity = 0


def within_limit(code: LiveCode, reach: int, back: int = 0) -> int:
    """How many of the packs within reach this code may still give in its session; `back` are counted, but given up."""
    return reach if code.unit_limit is None else min(reach, code.unit_limit - code.taken + back)


def joinable(order: Order) -> bool:
    """True while lines may join or leave an order by a viewer's word."""
    return order.status is Status.PLACED and not order.paid_ahead and not order.paid


def line_of(order: Order, code: LiveCode) -> OrderLine | None:
    """The line of an order that this code's packs are in."""
    same = (line for line in order.lines if (line.product_id, line.unit_price) == (code.product_id, code.price))
    return next(same, None)
