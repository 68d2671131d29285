"""One livestream inside one transaction: what its viewers have, who waits, and how packs move between them.

Whoever comes in holds the session's row, so that comments are taken one batch after another; then the orders at hand,
then the stock, always in this order, so that no two transactions wait for each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, joinedload

from shop.live.models import Decision, LiveCode, LiveComment, LiveDecision, LiveHold, LiveSession, LiveWait
from shop.live.texts import name_of
from shop.orders.lines import give_up
from shop.orders.models import QUANTITY_MAX, Order, OrderLine, Status
from shop.orders.moving import record, still_placed
from shop.orders.services import Buyer, Wanted, add_lines_in, cancel_in, place_in, set_buyer_in
from shop.stock import services as stock
from shop.stock.errors import OutOfStock
from village.errors import BadInput
from village.people.access import Actor
from village.people.phones import normal_phone


@dataclass(frozen=True)
class Asked:
    """So many packs of a code, and the words that said so. In a cancellation 0 means all."""

    code: str
    quantity: int
    because: str = ""

    def as_json(self) -> dict[str, str | int]:
        """As it is kept with a decision."""
        return {"code": self.code, "quantity": self.quantity, "because": self.because}


@dataclass(frozen=True)
class Outcome:
    """What became of a comment."""

    decision: Decision
    lines: Sequence[Asked] = ()
    waiting: Sequence[Asked] = ()
    suggested: Sequence[Asked] = ()
    phone: str | None = None
    reason: str = ""
    order: Order | None = None


class LimitReached(Exception):
    """A code's packs for this session are taken."""


class Room:
    """The state that one transaction works on. Make it with the session's row locked, then `enter`."""

    def __init__(self, session: Session, live: LiveSession, actor: Actor | None = None) -> None:
        self.session = session
        self.live = live
        self.actor = actor
        self.codes = {code.code: code for code in live.codes}
        self.orders: dict[str, list[Order]] = defaultdict(list)
        self.holds: dict[str, dict[str, LiveHold]] = defaultdict(dict)
        self.waits: list[LiveWait] = []
        self.phones: dict[str, str] = {}
        self.positions: dict[str, int] = {}
        self.outcomes: dict[str, Outcome] = {}

    def enter(self, authors: Iterable[str], codes: Iterable[str]) -> None:
        """Take hold of what these authors have, of all who wait, and of the stock behind these codes."""
        waits = select(LiveWait).where(LiveWait.session_id == self.live.id, LiveWait.state == "waiting")
        self.waits = list(self.session.scalars(waits.options(joinedload(LiveWait.comment), joinedload(LiveWait.code))))
        self.waits.sort(key=lambda wait: wait.comment.turn)
        known = {*authors, *(wait.comment.author_id for wait in self.waits)}
        orders = self.session.scalars(
            select(Order)
            .where(Order.live_session_id == self.live.id, Order.live_author.in_(known), Order.status != "cancelled")
            .order_by(Order.id)
            .with_for_update()
        ).all()
        for order in orders:
            self.orders[str(order.live_author)].append(order)
        for hold in self.session.scalars(select(LiveHold).where(LiveHold.order_id.in_([o.id for o in orders]))):
            self.holds[hold.order_id][hold.code_id] = hold
        self._learn_phones(known)
        wanted = {self.codes[code].product_id for code in codes if code in self.codes}
        wanted |= {wait.code.product_id for wait in self.waits}
        if wanted:
            stock.lock(self.session, sorted(wanted))
        self._settle_cancelled()
        if self.waits and self.live.status == "open":
            self.promote()

    def placed(self, author: str) -> Order | None:
        """The author's order that lines may still join."""
        return next((order for order in self.orders[author] if order.status is Status.PLACED), None)

    def latest(self, author: str) -> Order | None:
        """The author's order that is open to lines, or else the newest of the others."""
        return self.placed(author) or (self.orders[author][-1] if self.orders[author] else None)

    def take(self, comment: LiveComment, lines: Sequence[Asked], phone: str | None, additive: bool) -> Outcome:
        """Reserve for a viewer, each line wholly; what is not there is waited for. Doubts come back as `review`."""
        author = comment.author_id
        doubt = self._phone_doubt(author, phone)
        wanted, queued = list(lines), []
        if not additive:
            waits = self._waits_of(author)
            for line in lines:
                if self._held(author, self.codes[line.code]):
                    doubt = doubt or "repeat"
                elif line.code in waits:
                    same = sum(wait.quantity for wait in waits[line.code]) == line.quantity
                    doubt = doubt or ("" if same else "repeat")
                    queued.append(line)
                    wanted.remove(line)
        if doubt:
            return Outcome(Decision.REVIEW, suggested=lines, phone=phone, reason=doubt)
        if not wanted:
            return Outcome(Decision.WAITLIST, waiting=queued, phone=phone, reason="already-waiting")
        return self.give(comment, wanted, phone, queued)

    def give(
        self, comment: LiveComment, lines: Sequence[Asked], phone: str | None, queued: Sequence[Asked] = ()
    ) -> Outcome:
        """As `take`, without asking whether she had meant it."""
        if refused := self._refused(comment.author_id, lines):
            return Outcome(Decision.REVIEW, suggested=lines, phone=phone, reason=refused)
        taken: list[Asked] = []
        waiting: list[Asked] = list(queued)
        reason = ""
        for part in [lines] if len(lines) == 1 else [lines, *([line] for line in lines)]:
            try:
                self._put(comment, part, phone)
                taken.extend(part)
                if part is lines:
                    break
            except (OutOfStock, LimitReached) as error:
                if part is lines and len(lines) > 1:
                    continue
                reason = "limit-reached" if isinstance(error, LimitReached) else "sold-out"
                waiting.extend(part)
                self._wait(comment, part[0])
        if phone:
            self.phones[comment.author_id] = phone
        if not taken:
            return Outcome(Decision.WAITLIST, waiting=waiting, phone=phone, reason=reason)
        order = self.placed(comment.author_id)
        return Outcome(Decision.ORDER, taken, waiting, phone=phone, reason=reason, order=order)

    def give_back(self, comment: LiveComment, lines: Sequence[Asked]) -> Outcome:
        """A viewer wants less: out of her order while it is `placed`, or out of the queue; then others' turn comes."""
        author = comment.author_id
        waits = self._waits_of(author)
        back: list[tuple[OrderLine, LiveHold, LiveCode, Asked]] = []
        dropped: list[LiveWait] = []
        for line in lines:
            code, queue = self.codes[line.code], waits.get(line.code, [])
            held = self._held(author, code)
            if any(order.status is not Status.PLACED for order, _ in held):
                return _doubt(line, "order-moved-on")
            if held:
                order, hold = held[0]
                row = _line_of(order, code)
                have = min(hold.quantity, row.quantity) if row else 0
                if row is None or line.quantity > have or (queue and line.quantity):
                    return _doubt(line, "cancel" if queue else "not-so-many")
                back.append((row, hold, code, Asked(line.code, line.quantity or have, line.because)))
            elif queue and line.quantity not in (0, sum(wait.quantity for wait in queue)):
                return _doubt(line, "cancel")
            dropped.extend(queue)
        order = self.placed(author)
        for row, hold, code, asked in back:
            assert order is not None
            self._count(code, -(hold.quantity if asked.quantity >= hold.quantity else asked.quantity))
            hold.quantity = max(hold.quantity - asked.quantity, 0)
            self._reduce(order, row, asked.quantity)
        for wait in dropped:
            wait.state = "dropped"
            self.waits.remove(wait)
        self.session.flush()
        if back and self.live.status == "open":
            self.promote()
        reason = "" if back else "left-the-queue" if dropped else "nothing-to-cancel"
        return Outcome(Decision.CANCEL, [asked for *_, asked in back], reason=reason, order=order if back else None)

    def note_phone(self, comment: LiveComment, phone: str, *, sure: bool = False) -> Outcome:
        """A viewer's telephone number by itself: onto her order, or kept for the one that she will place."""
        author = comment.author_id
        if not sure and (doubt := self._phone_doubt(author, phone)):
            return Outcome(Decision.REVIEW, phone=phone, reason=doubt)
        self.phones[author] = phone
        order = self.latest(author)
        if order is None or order.status not in (Status.PLACED, Status.CONFIRMED, Status.PICKED):
            return Outcome(Decision.IGNORED, phone=phone, reason="phone-kept")
        full = normal_phone(phone)
        if order.buyer_phone != full:
            set_buyer_in(self.session, order, Buyer(phone=full), actor=self.actor)
        return Outcome(Decision.CHANGE, phone=phone, reason="phone", order=order)

    def decide(self, comment: LiveComment, outcome: Outcome) -> None:
        """Write down what became of a comment, beside what was decided of it before."""
        position = self.positions.get(comment.id, 0)
        self.positions[comment.id] = position + 1
        self.outcomes[comment.id] = outcome
        self.session.add(
            LiveDecision(
                comment_id=comment.id, position=position, session_id=self.live.id, decision=outcome.decision,
                lines=[line.as_json() for line in outcome.lines],
                waiting=[line.as_json() for line in outcome.waiting],
                suggested=[line.as_json() for line in outcome.suggested],
                phone=outcome.phone, reason=outcome.reason, order_id=outcome.order.id if outcome.order else None,
                decided_by=self.actor.id if self.actor else None,
            )
        )  # fmt: skip

    def promote(self) -> None:
        """Packs came back: whoever waits longest and fits gets them, and so on."""
        for wait in list(self.waits):
            line = Asked(wait.code.code, wait.quantity, wait.because)
            try:
                self._put(wait.comment, [line], None)
            except (OutOfStock, LimitReached, BadInput):
                continue
            wait.state = "served"
            self.waits.remove(wait)
            self._tell_promoted(wait.comment, line)

    def _tell_promoted(self, comment: LiveComment, line: Asked) -> None:
        before = self.session.scalars(
            select(LiveDecision).where(LiveDecision.comment_id == comment.id).order_by(LiveDecision.position.desc())
        ).first()
        assert before is not None
        self.positions[comment.id] = before.position + 1
        actor, self.actor = self.actor, None
        self.decide(
            comment,
            Outcome(
                Decision.ORDER,
                [*(Asked(**kept) for kept in before.lines), line],
                [Asked(**kept) for kept in before.waiting if kept["code"] != line.code],
                phone=before.phone,
                reason="promoted",
                order=self.placed(comment.author_id),
            ),
        )
        self.actor = actor

    def _put(self, comment: LiveComment, lines: Sequence[Asked], phone: str | None) -> None:
        """All of these lines into the author's order, or an error and nothing."""
        author = comment.author_id
        full = normal_phone(phone or self.phones.get(author) or "")
        with self.session.begin_nested():
            for line in lines:
                self._count(self.codes[line.code], line.quantity)
            wanted = [Wanted(self.codes[a.code].product_id, a.quantity, self.codes[a.code].price) for a in lines]
            order = self.placed(author)
            new = order is None
            if order is None:
                order = place_in(
                    self.session, wanted, Buyer(name_of(comment.author_name), full), channel="live", actor=self.actor,
                    live_session_id=self.live.id, live_author=author,
                )  # fmt: skip
            else:
                add_lines_in(self.session, order, wanted, actor=self.actor)
                if full and not order.buyer_phone:
                    set_buyer_in(self.session, order, Buyer(phone=full), actor=self.actor)
            rows = [self._hold(order, self.codes[line.code], line.quantity) for line in lines]
        if new:
            self.orders[author].append(order)
        for row in rows:
            self.holds[order.id][row.code_id] = row

    def _hold(self, order: Order, code: LiveCode, quantity: int) -> LiveHold:
        row = self.holds[order.id].get(code.id)
        if row is None:
            row = LiveHold(order_id=order.id, code_id=code.id, quantity=0)
            self.session.add(row)
        row.quantity += quantity
        self.session.flush()
        return row

    def _count(self, code: LiveCode, quantity: int) -> None:
        """More (or fewer) packs by this code in the session, within its limit."""
        after = LiveCode.taken + quantity
        within = or_(LiveCode.unit_limit.is_(None), after <= LiveCode.unit_limit)
        counted = self.session.execute(
            update(LiveCode)
            .where(LiveCode.id == code.id, within, after >= 0)
            .values(taken=after)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(counted, CursorResult)
        if counted.rowcount == 0:
            raise LimitReached

    def _reduce(self, order: Order, row: OrderLine, quantity: int) -> None:
        """So many packs out of a line and back to the shelf; an order without lines is cancelled."""
        if quantity == row.quantity and len(order.lines) == 1:
            cancel_in(self.session, order.id, actor=self.actor, sources=(Status.PLACED,))
            self.orders[str(order.live_author)].remove(order)
            return
        still_placed(self.session, order, self.actor)
        stock.release(self.session, give_up(row, quantity))
        row.quantity -= quantity
        if row.quantity == 0:
            order.lines.remove(row)
        order.total = sum(line.amount for line in order.lines)
        record(order, "changed", self.actor)
        self.session.flush()

    def _wait(self, comment: LiveComment, line: Asked) -> None:
        wait = LiveWait(
            session_id=self.live.id, comment_id=comment.id, comment=comment, code=self.codes[line.code],
            code_id=self.codes[line.code].id, quantity=line.quantity, because=line.because[:500], state="waiting",
        )  # fmt: skip
        self.session.add(wait)
        self.session.flush()
        self.waits.append(wait)
        self.waits.sort(key=lambda each: each.comment.turn)

    def _held(self, author: str, code: LiveCode) -> list[tuple[Order, LiveHold]]:
        held = ((order, self.holds[order.id].get(code.id)) for order in self.orders[author])
        return [(order, hold) for order, hold in held if hold is not None and hold.quantity]

    def _waits_of(self, author: str) -> dict[str, list[LiveWait]]:
        found: dict[str, list[LiveWait]] = defaultdict(list)
        for wait in self.waits:
            if wait.comment.author_id == author:
                found[wait.code.code].append(wait)
        return found

    def _refused(self, author: str, lines: Sequence[Asked]) -> str:
        """Why an order cannot hold these lines however much there is; empty when it can."""
        order = self.placed(author)
        packs = {(line.product_id, line.unit_price): line.quantity for line in order.lines} if order else {}
        for line in lines:
            code = self.codes[line.code]
            if not code.product.active or code.product.price is None:
                return "not-sold"
            packs[code.product_id, code.price] = packs.get((code.product_id, code.price), 0) + line.quantity
        return "above-limit" if max(packs.values()) > QUANTITY_MAX else ""

    def _phone_doubt(self, author: str, phone: str | None) -> str:
        order = self.placed(author)
        known = order.buyer_phone if order else None
        return "phone-differs" if phone and known and normal_phone(phone) != known else ""

    def _learn_phones(self, authors: Iterable[str]) -> None:
        """The numbers that these authors gave by themselves; of several, the latest."""
        given = (
            select(LiveComment.author_id, LiveDecision.phone)
            .join(LiveDecision, LiveDecision.comment_id == LiveComment.id)
            .where(
                LiveComment.session_id == self.live.id,
                LiveComment.author_id.in_(list(authors)),
                LiveDecision.reason.in_(("phone", "phone-kept")),
                LiveDecision.phone.is_not(None),
            )
            .order_by(LiveDecision.decided_at, LiveComment.seq)
        )
        for author, phone in self.session.execute(given):
            if phone:
                self.phones[author] = phone

    def _settle_cancelled(self) -> None:
        """Orders that were cancelled elsewhere no longer count against the session's limits."""
        gone = (
            select(LiveHold, LiveCode)
            .join(Order, Order.id == LiveHold.order_id)
            .join(LiveCode, LiveCode.id == LiveHold.code_id)
            .where(LiveCode.session_id == self.live.id, LiveHold.quantity > 0, Order.status == Status.CANCELLED)
        )
        for hold, code in self.session.execute(gone).all():
            self._count(code, -hold.quantity)
            hold.quantity = 0
        self.session.flush()


def _line_of(order: Order, code: LiveCode) -> OrderLine | None:
    """The line of an order that this code's packs are in."""
    same = (line for line in order.lines if (line.product_id, line.unit_price) == (code.product_id, code.price))
    return next(same, None)


def _doubt(line: Asked, reason: str) -> Outcome:
    return Outcome(Decision.REVIEW, suggested=[line] if line.quantity else [], reason=reason)
