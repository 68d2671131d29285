"""What must be true after an evening: no comment lost, none that counts twice, stock exact, first come first served."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from shop.live.models import Decision, LiveCode, LiveComment, LiveDecision, LiveHold, LiveWait
from shop.orders.models import Order, Status
from shop.stock.audit import audit
from shop.stock.models import StockLot
from tests.support.evening.script import Meaning, Spoken
from village.db import db, in_parts

EXPECTED: Mapping[Meaning, frozenset[str]] = {
    "order": frozenset(("order", "waitlist")),
    "more": frozenset(("order", "waitlist")),
    "cancel": frozenset(("cancel",)),
    "phone": frozenset(("change", "ignored")),
    "question": frozenset(("question",)),
    "chatter": frozenset(("ignored",)),
}
"""What the first decision of a comment may be, by what its writer meant."""


@dataclass(frozen=True)
class Kept:
    """One comment as it stands in our log, with all its decisions."""

    said: Spoken
    row: LiveComment

    @property
    def first(self) -> LiveDecision:
        """What was decided when it came."""
        return self.row.decisions[0]

    @property
    def last(self) -> LiveDecision:
        """What holds."""
        return self.row.decisions[-1]


class Proof:
    """Looks at all that is in the database once an evening is over. Each look tells the faults that it finds."""

    def __init__(self, said: Sequence[Spoken], sessions: Sequence[str]) -> None:
        db.session.rollback()
        self.sessions = sessions
        self.said = {one.id: one for one in said}
        rows: list[LiveComment] = []
        for some in in_parts(sorted(sessions)):
            log = select(LiveComment).where(LiveComment.session_id.in_(some)).order_by(LiveComment.seq)
            rows += db.session.scalars(log.options(selectinload(LiveComment.decisions)))
        self.rows = rows
        self.kept = [Kept(self.said[row.comment_id], row) for row in rows if row.comment_id in self.said]

    def faults(self) -> list[str]:
        """All of them, in words; none when all is well."""
        return [*self.lost(), *self.doubled(), *self.misread(), *self.stock(), *self.overtaken()]

    def lost(self) -> list[str]:
        """Comments that are not in the log as they were said, or of which nothing was decided."""
        times = Counter(row.comment_id for row in self.rows)
        found = [f"{one.id} is {times[one.id]} times in the log" for one in self.said.values() if times[one.id] != 1]
        found += [f"{row.comment_id} was never said" for row in self.rows if row.comment_id not in self.said]
        for kept in self.kept:
            if (kept.row.text, kept.row.author_id) != (kept.said.text, kept.said.author):
                found.append(f"{kept.said.id} is kept as {kept.row.text!r} of {kept.row.author_id}")
            if not kept.row.decisions:
                found.append(f"of {kept.said.id} nothing was decided")
        for session in self.sessions:
            numbers = [row.seq for row in self.rows if row.session_id == session]
            if numbers != list(range(1, len(numbers) + 1)):
                found.append(f"session {session}: receive numbers with gaps")
        return found

    def misread(self) -> list[str]:
        """Comments of which something else was made than their writers meant."""
        found = []
        asked_more: dict[tuple[str, str], int] = {}
        for kept in self.kept:
            if kept.said.meaning == "more":
                asked_more.setdefault((kept.row.author_id, kept.said.wanted[0][0]), kept.row.seq)
        for kept in self.kept:
            first, said = kept.first, kept.said
            if said.meaning == "order" and first.reason == "repeat":
                # Rightly, where what she wrote next, "one more of it", came before it.
                before = asked_more.get((kept.row.author_id, said.wanted[0][0]))
            else:
                before = None
            if before is not None and before < kept.row.seq:
                continue
            if first.decision.value not in EXPECTED[said.meaning]:
                found.append(f"{said.text!r} became {first.decision.value} ({first.reason})")
            elif said.meaning in ("order", "more"):
                made = sorted((line["code"], line["quantity"]) for line in (*first.lines, *first.waiting))
                if made != sorted(said.wanted):
                    found.append(f"{said.text!r} became {made}")
        return found

    def doubled(self) -> list[str]:
        """Viewers with two open orders, or with other packs than their comments together gave them."""
        orders = db.session.scalars(
            select(Order).where(Order.live_session_id.in_(self.sessions), Order.status != Status.CANCELLED)
        ).all()
        open_orders = Counter((order.live_session_id, order.live_author) for order in orders)
        found = [f"{who} has {count} orders" for who, count in open_orders.items() if count > 1]
        given = self._given()
        codes = {code.id: code for code in self._codes()}
        owners = {order.id: str(order.live_author) for order in orders}
        held: Counter[tuple[str, str]] = Counter()
        for hold in self._holds(list(owners)):
            held[owners[hold.order_id], hold.code_id] += hold.quantity
        for who in given.keys() | held.keys():
            if given[who] != held[who]:
                author, code = who
                found.append(f"{author} was given {given[who]} of {codes[code].code}, and has {held[who]}")
        return found

    def _given(self) -> Counter[tuple[str, str]]:
        """What viewers have by all that was decided: packs by author and code."""
        by_name = {(code.session_id, code.code): code.id for code in self._codes()}
        given: Counter[tuple[str, str]] = Counter()
        for kept in self.kept:
            sign = {Decision.ORDER: 1, Decision.CANCEL: -1}.get(kept.last.decision, 0)
            for line in kept.last.lines if sign else ():
                if not line.get("kept"):
                    given[kept.row.author_id, by_name[kept.row.session_id, line["code"]]] += sign * line["quantity"]
        return given

    def stock(self) -> list[str]:
        """Lots, orders and codes that do not add up."""
        found = [f"lot {line.lot}: {fault}" for line in audit(db.session()) for fault in line.faults]
        found += [f"lot {lot.lot} is oversold" for lot in db.session.scalars(select(StockLot)) if lot.free < 0]
        counted: Counter[str] = Counter()
        orders = select(Order.id).where(Order.live_session_id.in_(self.sessions), Order.status != Status.CANCELLED)
        for hold in self._holds(list(db.session.scalars(orders))):
            counted[hold.code_id] += hold.quantity
        for code in self._codes():
            if counted[code.id] != code.taken:
                found.append(f"{code.code}: {code.taken} counted, orders hold {counted[code.id]}")
            if code.unit_limit is not None and code.taken > code.unit_limit:
                found.append(f"{code.code}: {code.taken} of at most {code.unit_limit}")
        return found

    def overtaken(self) -> list[str]:
        """Viewers who still wait for one pack while somebody who wrote later got one when both had been heard."""
        found = []
        waits = db.session.scalars(
            select(LiveWait).where(LiveWait.session_id.in_(self.sessions), LiveWait.state == "waiting")
        ).all()
        served: dict[tuple[str, str], list[LiveComment]] = defaultdict(list)
        late = {kept.row.id for kept in self.kept if any(each.late for each in kept.row.decisions)}
        for kept in self.kept:
            if kept.first.decision is Decision.ORDER and kept.row.id not in late:
                for line in kept.first.lines:
                    served[kept.row.session_id, line["code"]].append(kept.row)
        codes = {code.id: code.code for code in self._codes()}
        rows = {row.id: row for row in self.rows}
        for wait in waits:
            mine = rows[wait.comment_id]
            if wait.quantity == 1 and mine.id not in late:
                behind = [row for row in served[wait.session_id, codes[wait.code_id]] if row.turn > mine.turn]
                found += [f"{row.comment_id} was served before {mine.comment_id}" for row in behind]
        return found

    def decisions(self) -> Counter[str]:
        """How often each decision holds."""
        return Counter(kept.last.decision.value for kept in self.kept)

    def told_late(self) -> int:
        """Comments that came after later ones had been decided."""
        return sum(any(each.late for each in kept.row.decisions) for kept in self.kept)

    def _codes(self) -> Sequence[LiveCode]:
        return db.session.scalars(select(LiveCode).where(LiveCode.session_id.in_(self.sessions))).all()

    @staticmethod
    def _holds(orders: Sequence[str]) -> Iterable[LiveHold]:
        for some in in_parts(orders):
            yield from db.session.scalars(select(LiveHold).where(LiveHold.order_id.in_(some)))


def unheard_of(told: Sequence[str]) -> list[str]:
    """Storefront orders that nobody was told of, were told twice, or are not there."""
    there = set(db.session.scalars(select(Order.token).where(Order.channel == "web")))
    found = [f"{count} buyers were told of one order" for count in Counter(told).values() if count > 1]
    if missing := set(told) - there:
        found.append(f"{len(missing)} orders were told of and are not there")
    if silent := there - set(told):
        found.append(f"{len(silent)} orders are there that nobody was told of")
    return found
