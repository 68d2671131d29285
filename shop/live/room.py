"""One livestream inside one transaction: what its viewers have, who waits, and how packs move between them.

Whoever comes in holds the session's row, so that comments are taken one batch after another; then the orders at hand,
then the stock, always in this order, so that no two transactions wait for each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, joinedload

from shop.catalogue.combos import available, parts_of
from shop.live.models import Decision, LiveCode, LiveComment, LiveDecision, LiveHold, LiveSession, LiveWait
from shop.live.outcomes import Asked, Outcome
from shop.live.texts import name_of
from shop.orders.lines import add_up, give_up
from shop.orders.models import Order, OrderLine, Status
from shop.orders.moving import record, still_placed
from shop.orders.services import Buyer, Wanted, add_lines_in, cancel_in, place_in, set_buyer_in
from shop.stock import services as stock
from shop.stock.errors import OutOfStock
from village.errors import BadInput
from village.people.access import Actor
from village.people.phones import normal_phone


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
            combos = parts_of(self.session, wanted)
            stock.lock(self.session, {part_id for parts in combos.values() for part_id, _ in parts} | wanted)
        self._settle_cancelled()
        if self.waits and self.live.status == "open":
            self.promote()

    def placed(self, author: str) -> Order | None:
        """The author's order that lines may still join."""
        return next((order for order in self.orders[author] if order.status is Status.PLACED), None)

    def latest(self, author: str) -> Order | None:
        """The author's order that is open to lines, or else the newest of the others."""
        return self.placed(author) or (self.orders[author][-1] if self.orders[author] else None)

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
        left = self._left()
        for wait in list(self.waits):
            if wait.quantity > left[wait.code_id]:
                # Hundreds may wait for what is sold out, and trying costs as much as an order.
                continue
            line = Asked(wait.code.code, wait.quantity, wait.because)
            try:
                self.put(wait.comment, [line], None)
            except (OutOfStock, LimitReached, BadInput):
                continue
            wait.state = "served"
            self.waits.remove(wait)
            self._tell_promoted(wait.comment, line)
            left = self._left()

    def _left(self) -> dict[str, int]:
        """How many packs can be had now by each code that somebody waits for. The stock is held, so it stays so."""
        codes = {wait.code_id: wait.code for wait in self.waits}
        taken = self.session.execute(select(LiveCode.id, LiveCode.taken).where(LiveCode.id.in_(codes)))
        taken_by = {code_id: count for code_id, count in taken}
        free = available(self.session, {code.product_id for code in codes.values()})
        return {
            key: free[code.product_id] if code.unit_limit is None
            else min(free[code.product_id], code.unit_limit - taken_by[key])
            for key, code in codes.items()
        }  # fmt: skip

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

    def put(self, comment: LiveComment, lines: Sequence[Asked], phone: str | None) -> None:
        """All of these lines into the author's order, or an error and nothing."""
        author = comment.author_id
        full = normal_phone(phone or self.phones.get(author) or "")
        with self.session.begin_nested():
            for line in lines:
                self.count(self.codes[line.code], line.quantity)
            wanted = [Wanted(self.codes[a.code].product_id, a.quantity, self.codes[a.code].price) for a in lines]
            before = self.placed(author)
            if before is None:
                order = place_in(
                    self.session, wanted, Buyer(name_of(comment.author_name), full), channel="live", actor=self.actor,
                    live_session_id=self.live.id, live_author=author,
                )  # fmt: skip
            else:
                order = add_lines_in(self.session, before, wanted, actor=self.actor)
                if full and not order.buyer_phone:
                    set_buyer_in(self.session, order, Buyer(phone=full), actor=self.actor)
            rows = [self._hold(order, self.codes[line.code], line.quantity) for line in lines]
        if before is None:
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

    def count(self, code: LiveCode, quantity: int) -> None:
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

    def reduce(self, order: Order, row: OrderLine, quantity: int) -> None:
        """So many packs out of a line and back to the shelf; an order without lines is cancelled."""
        if quantity == row.quantity and len(order.lines) == 1:
            cancel_in(self.session, order.id, actor=self.actor, sources=(Status.PLACED,))
            self.orders[str(order.live_author)].remove(order)
            return
        still_placed(self.session, order, self.actor)
        stock.release(self.session, give_up(self.session, row, quantity))
        row.quantity -= quantity
        if row.quantity == 0:
            order.lines.remove(row)
        add_up(order)
        record(order, "changed", self.actor)
        self.session.flush()

    def wait(self, comment: LiveComment, line: Asked) -> None:
        """Put a viewer into the queue for a line."""
        wait = LiveWait(
            session_id=self.live.id, comment_id=comment.id, comment=comment, code=self.codes[line.code],
            code_id=self.codes[line.code].id, quantity=line.quantity, because=line.because[:500], state="waiting",
        )  # fmt: skip
        self.session.add(wait)
        self.session.flush()
        self.waits.append(wait)
        self.waits.sort(key=lambda each: each.comment.turn)

    def held(self, author: str, code: LiveCode) -> list[tuple[Order, LiveHold]]:
        """The author's orders that have packs by this code."""
        held = ((order, self.holds[order.id].get(code.id)) for order in self.orders[author])
        return [(order, hold) for order, hold in held if hold is not None and hold.quantity]

    def waits_of(self, author: str) -> dict[str, list[LiveWait]]:
        """What an author waits for, by code."""
        found: dict[str, list[LiveWait]] = defaultdict(list)
        for wait in self.waits:
            if wait.comment.author_id == author:
                found[wait.code.code].append(wait)
        return found

    def _learn_phones(self, authors: Iterable[str]) -> None:
        """The numbers that these authors gave; of several, the latest."""
        given = (
            select(LiveComment.author_id, LiveDecision.phone)
            .join(LiveDecision, LiveDecision.comment_id == LiveComment.id)
            .where(
                LiveComment.session_id == self.live.id,
                LiveComment.author_id.in_(list(authors)),
                or_(
                    LiveDecision.decision.in_((Decision.ORDER, Decision.WAITLIST)),
                    LiveDecision.reason.in_(("phone", "phone-kept")),
                ),
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
            self.count(code, -hold.quantity)
            hold.quantity = 0
        self.session.flush()
