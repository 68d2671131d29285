"""Hands that let viewers speak in a livestream of their own, over shelves of its own, any way round and again."""

import datetime as dt
import itertools
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import select

from shop.live import intake, services
from shop.live.log import Said
from shop.live.models import LiveCode, LiveComment, LiveDecision, LiveHold
from shop.live.parser import parse
from shop.live.services import Code
from shop.live.sources.services import add_webhook
from shop.orders.models import Allocation, Order, OrderLine, Status
from shop.stock.models import StockLot
from tests.shop.hands import shelve
from tests.support.village import Village, gtin
from village import clock
from village.db import db, write
from village.ids import uuid7
from village.products.models import Product

T = TypeVar("T")
_worlds = itertools.count(1)


@dataclass(frozen=True)
class Word:
    """One comment: `second` is the platform's."""

    second: float
    author: str
    text: str

    def __repr__(self) -> str:
        return f"{self.second:g} {self.author}: {self.text}"


Batch = Sequence[Word]
"""What comes in one call."""
Made = tuple[str, tuple[tuple[str, int], ...], tuple[tuple[str, int], ...], str]
"""A decision, its lines, what waits, and why."""


@dataclass
class World:
    """A livestream with so many packs behind each code. What two of them are told can be compared."""

    village: Village
    packs: Mapping[str, int]
    limits: Mapping[str, int] = field(default_factory=dict)
    """Packs of a code for the whole session, where not all may be sold in it."""

    def __post_init__(self) -> None:
        self.number = next(_worlds)
        self._began = clock.now() - dt.timedelta(hours=1)
        self._marks: dict[Word, str] = {}
        self.products = {code: self._product(place) for place, code in enumerate(self.packs)}
        codes = [
            Code(code, product.gtin, limit=self.limits.get(code)) for code, product in self.products.items()
        ]
        self.actor = self.village.actor("seller")
        self.id = services.start(self.actor, "Tối thử", "facebook", codes)

    def _product(self, place: int) -> Product:
        code = list(self.packs)[place]
        net = 2_000 + 10 * self.number + place
        like = self.village.product("packs", 500)
        with write() as session:
            session.add(
                Product(
                    gtin=gtin(10 * (2_000 + self.number) + place), slug=f"loi-{self.number}-{place}",
                    name_vi=f"Miến {code}", name_en=f"Noodles {code}", cooperative_id=like.cooperative_id,
                    process=like.process, material=like.material, net_grams=net, price=65_000, picture="pack",
                )
            )  # fmt: skip
        # In two lots, so that an order may have to take of both.
        for lot, packs in (("A", self.packs[code] // 2), ("B", self.packs[code] - self.packs[code] // 2)):
            if packs:
                shelve(self.village, packs, lot=f"L{self.number}{code}{lot}", net=net)
        return self.village.product("packs", net)

    def said(self, word: Word) -> Said:
        """A comment as a reader sends it; the same words are the same comment."""
        mark = self._marks.setdefault(word, f"w{self.number}-{len(self._marks)}-{uuid7()[-6:]}")
        return Said(mark, word.author, word.author.title(), word.text, self._began + dt.timedelta(seconds=word.second))

    def changed(self, word: Word, second: float, text: str | None) -> Said:
        """Her edit of a comment, or without a text its deletion, as a reader sends it."""
        at = self._began + dt.timedelta(seconds=second)
        return Said(self.said(word).id, word.author, "", text or "", at, "deleted" if text is None else "edited")

    def hear(self, *batches: Batch) -> None:
        """Take these comments, each batch in a call of its own."""
        for batch in batches:
            intake.receive(self.actor, self.id, [self.said(word) for word in batch])

    def read(self, batches: Sequence[Sequence[Said]], chance: random.Random) -> None:
        """Take these events, each batch by one of two sources of this livestream."""
        sources = [add_webhook(self.actor, self.id) for _ in range(2)]
        for batch in batches:
            intake.feed(chance.choice(sources), batch)

    def comments(self) -> list[LiveComment]:
        """The log, read afresh, in the order in which it was received."""
        db.session.rollback()
        log = select(LiveComment).where(LiveComment.session_id == self.id).order_by(LiveComment.seq)
        return list(db.session.scalars(log.execution_options(populate_existing=True)))

    def decided(self) -> dict[Word, list[Made]]:
        """All that was decided of each comment, in turn."""
        words = {mark: word for word, mark in self._marks.items()}
        return {words[row.comment_id]: [_made(each) for each in row.decisions] for row in self.comments()}

    def orders(self) -> list[Order]:
        """This session's orders that were not cancelled."""
        mine = select(Order).where(Order.live_session_id == self.id, Order.status != Status.CANCELLED)
        return list(db.session.scalars(mine))

    def faults(self) -> list[str]:
        """What may never be, however comments came."""
        log, found = self.comments(), list[str]()
        if [row.seq for row in log] != list(range(1, len(log) + 1)):
            found.append(f"receive numbers {[row.seq for row in log]}")
        if len({(row.comment_id, row.version) for row in log}) != len(log):
            found.append("an event kept twice")
        found += [f"nothing was decided of {row.text!r}" for row in log if not row.decisions]
        authors = [order.live_author for order in self.orders() if order.status is Status.PLACED]
        if len(set(authors)) != len(authors):
            found.append(f"two open orders of one viewer: {sorted(map(str, authors))}")
        return [*found, *self._stock_faults()]

    def _stock_faults(self) -> list[str]:
        found = []
        codes = db.session.scalars(select(LiveCode).where(LiveCode.session_id == self.id)).all()
        promised = _promised()
        for code in codes:
            holds = db.session.scalars(
                select(LiveHold.quantity).join(Order, Order.id == LiveHold.order_id).where(
                    LiveHold.code_id == code.id, Order.status != Status.CANCELLED
                )
            )
            held = sum(holds)
            lots = list(db.session.scalars(select(StockLot).where(StockLot.product_id == code.product_id)))
            reserved = sum(lot.reserved for lot in lots)
            if not held == code.taken == reserved:
                found.append(f"{code.code}: orders hold {held}, {code.taken} counted, {reserved} reserved")
            if held > min(self.packs[code.code], self.limits.get(code.code, held)):
                found.append(f"{code.code}: {held} promised, which is more than there are")
            found += [f"lot {lot.lot}: {lot.reserved} reserved, orders hold {promised[lot.batch_id]}"
                      for lot in lots if lot.reserved != promised[lot.batch_id]]  # fmt: skip
        return found

    def beyond(self) -> list[str]:
        """Viewers who have more of a code than they ever asked for."""
        asked: dict[tuple[str | None, str], int] = defaultdict(int)
        for row in self.comments():
            reading = parse(row.text, self.products)
            for line in reading.lines if reading.intent == "order" else ():
                asked[row.author_id, self.products[line.code].id] += line.quantity
        return [
            f"{order.live_author} has {line.quantity} of {line.name_vi}"
            for order in self.orders()
            for line in order.lines
            if line.quantity > asked[order.live_author, line.product_id]
        ]


def _promised() -> dict[str, int]:
    rows = db.session.execute(
        select(Allocation.batch_id, Allocation.units)
        .join(OrderLine, OrderLine.id == Allocation.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.status != Status.CANCELLED)
    )
    found: dict[str, int] = defaultdict(int)
    for batch_id, units in rows:
        found[batch_id] += units
    return found


def _made(decision: LiveDecision) -> Made:
    lines, waiting = (
        tuple((line["code"], line["quantity"]) for line in told) for told in (decision.lines, decision.waiting)
    )
    return decision.decision.value, lines, waiting, decision.reason


def cut(words: Sequence[T], chance: random.Random) -> list[list[T]]:
    """These comments as consecutive batches of one to five."""
    left, batches = list(words), []
    while left:
        size = chance.randint(1, 5)
        batches.append(left[:size])
        left = left[size:]
    return batches


def scrambled(batches: Sequence[Batch], chance: random.Random) -> list[list[Word]]:
    """Each batch in any order, with some that come twice, and some that came in a batch before."""
    before: list[Word] = []
    told = []
    for batch in batches:
        before += batch
        mixed = [*batch, *(chance.choice(before) for _ in range(chance.randint(0, 3)))]
        chance.shuffle(mixed)
        told.append(mixed)
    return told
