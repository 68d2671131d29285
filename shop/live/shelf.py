"""What one transaction may promise of the lots behind a session's codes: held, read once, and shared out in memory.

Comments come by the hundred and most want the same few lots: what they took is written back with one statement.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from shop.catalogue.combos import Parts, parts_of
from shop.live.models import LiveAside, LiveCode
from shop.orders.lines import Reserve
from shop.stock import services as stock
from shop.stock.models import StockLot
from shop.stock.services import FIRST_OUT, FREE, HAS_LEFT, Part, sellable
from village import clock
from village.db import core

_BEHIND = (
    select(StockLot.batch_id, StockLot.product_id, StockLot.lot, FREE)
    .where(StockLot.product_id.in_(bindparam("products", expanding=True)), sellable(bindparam("today")))
    .order_by(*FIRST_OUT)
    .with_for_update()
)
_LOTS = _BEHIND.where(HAS_LEFT)
_LOTS_AND = _BEHIND.where(or_(HAS_LEFT, StockLot.batch_id.in_(bindparam("also", expanding=True))))


@dataclass(slots=True)
class _Lot:
    batch_id: str
    lot: str
    free: int


class Shelf:
    """The packs that a session's codes can be filled with: those that are free, and those set aside for a code."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._codes: dict[str, LiveCode] = {}
        self._combos: dict[str, Parts] = {}
        self._returns: set[str] = set()
        self._lots: dict[str, list[_Lot]] = {}
        self._aside: dict[tuple[str, str], list[_Lot]] = {}
        self._promised: Counter[tuple[str, str]] = Counter()
        self._opened: Counter[tuple[str, str]] = Counter()

    def hold(self, codes: Iterable[LiveCode], *, returns: Collection[str] | None) -> None:
        """Hold the lots behind these codes to the transaction's end and count them.

        `returns`: the lots (batch ids) that packs may come back to in this transaction, besides those that have some
        left: then all are held, in the one order. None where nothing comes back.
        """
        self._codes = {code.id: code for code in codes}
        self._returns = set(returns or ())
        products = {code.product_id for code in self._codes.values()}
        self._combos = parts_of(self._session, {c.product_id for c in self._codes.values() if c.product.combo})
        if returns is not None and products:
            stock.lock(self._session, products | {part for parts in self._combos.values() for part, _ in parts})
        self.count()

    def count(self) -> None:
        """Count what is there: again after something else has changed it."""
        assert not self._promised and not self._opened
        products = {part for code in self._codes.values() for part, _ in self._parts(code)}
        self._lots = {product_id: [] for product_id in products}
        if not products:
            return
        kept_for = [code.id for code in self._codes.values() if code.set_aside]
        kept = {}
        if kept_for:
            query = select(LiveAside.code_id, LiveAside.batch_id, LiveAside.units)
            rows = self._session.execute(query.where(LiveAside.code_id.in_(kept_for), LiveAside.units > 0))
            kept = {(code_id, batch_id): units for code_id, batch_id, units in rows}
        self._aside = {}
        also = self._returns | {lot for _, lot in kept}
        query_lots = _LOTS_AND if also else _LOTS
        values = {"products": sorted(products), "today": clock.today(), "also": sorted(also)}
        for batch_id, product_id, lot, free in core(self._session).execute(query_lots, values):
            self._lots[product_id].append(_Lot(batch_id, lot, free))
            for code_id in kept_for:
                if units := kept.get((code_id, batch_id)):
                    self._aside.setdefault((code_id, product_id), []).append(_Lot(batch_id, lot, units))

    def reach(self, code: LiveCode) -> int:
        """How many packs this code could give now; of a combo, whole ones."""
        return min(
            (self._free(part_id) + self._kept(code.id, part_id)) // each for part_id, each in self._parts(code)
        )

    def has(self, wanted: Sequence[tuple[LiveCode, int]]) -> bool:
        """True when all of it can be had together. Each code stands there once."""
        need: Counter[str] = Counter()
        for code, quantity in wanted:
            for part_id, each in self._parts(code):
                need[part_id] += max(0, quantity * each - self._kept(code.id, part_id))
        return all(units <= self._free(part_id) for part_id, units in need.items())

    def reserve(self, wanted: Sequence[tuple[LiveCode, int]]) -> Reserve:
        """What gives these packs out, after `has` said yes: first what is set aside for their code."""

        def give(_session: Session, product_id: str, units: int) -> list[Part]:
            parts: list[Part] = []
            for code, quantity in wanted:
                mine = sum(quantity * each for part_id, each in self._parts(code) if part_id == product_id)
                for part in _out_of(self._aside.get((code.id, product_id), ()), mine):
                    self._opened[code.id, part.batch_id] += part.units
                    units -= part.units
                    parts.append(part)
            for part in _out_of(self._lots[product_id], units):
                self._promised[part.batch_id, part.lot] += part.units
                units -= part.units
                parts.append(part)
            assert units == 0
            return parts

        return give

    def put_back(self, parts: Iterable[Part]) -> None:
        """Promised packs come back, to lots that `hold` was told of or that had some left."""
        lots = {lot.batch_id: lot for some in self._lots.values() for lot in some}
        for part in parts:
            self._promised[part.batch_id, part.lot] -= part.units
            if part.batch_id in lots:  # else it may not be sold today
                lots[part.batch_id].free += part.units

    def settle(self) -> None:
        """Write down what was given out and what came back."""
        promised, self._promised = self._promised, Counter()
        opened, self._opened = self._opened, Counter()
        parts = [Part(batch_id, lot, units) for (batch_id, lot), units in promised.items()]
        stock.give_back(self._session, [part._replace(units=-part.units) for part in parts if part.units < 0])
        stock.promise(self._session, [part for part in parts if part.units > 0])
        # They are reserved already, and from now on for an order.
        for (code_id, batch_id), units in opened.items():
            core(self._session).execute(
                update(LiveAside)
                .where(LiveAside.code_id == code_id, LiveAside.batch_id == batch_id)
                .values(units=LiveAside.units - units)
            )

    def _parts(self, code: LiveCode) -> Parts:
        return self._combos.get(code.product_id, ((code.product_id, 1),))

    def _free(self, product_id: str) -> int:
        return sum(lot.free for lot in self._lots.get(product_id, ()))

    def _kept(self, code_id: str, product_id: str) -> int:
        return sum(lot.free for lot in self._aside.get((code_id, product_id), ()))


def _out_of(lots: Iterable[_Lot], units: int) -> list[Part]:
    """Up to so many packs out of these lots, first expiry first."""
    parts = []
    for lot in lots:
        count = min(lot.free, units)
        if count > 0:
            lot.free -= count
            units -= count
            parts.append(Part(lot.batch_id, lot.lot, count))
    return parts
