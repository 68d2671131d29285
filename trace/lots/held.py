"""Batches held in one hand: a long row of events in one transaction reads each batch once and writes it once.

Whoever records many events (an import of a season) puts a `Held` into the session's info under `HELD`. The checks and
the making of batches then look here first. The batches belong to no session; what changed of them is written by
`write_back`, before anything else in the transaction reads their rows and before it ends.
"""

from collections.abc import Collection, Iterable, Mapping
from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.orm import Session

from trace.lots.models import Batch
from village.db import core, insert_now, kept_back
from village.products.models import Product
from village.reference import reference

HELD = "soi.held"
MANY = 500
_COLUMNS = Batch.__table__.c
_KEYS = tuple(column.key for column in _COLUMNS)
_CHANGING = ("left_grams", "left_units", "moisture")
_CHANGEABLE = itemgetter(*_CHANGING)
_WHOLE = itemgetter(*_KEYS)
_UPDATE = (
    update(Batch)
    .where(_COLUMNS.id == bindparam("batch"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)


class Held:
    """The batches in hand. `facts`: what every event says besides that is recorded meanwhile. `lock`: False for
    who only looks."""

    def __init__(self, facts: Mapping[str, str] | None = None, *, lock: bool = True) -> None:
        self.facts: Mapping[str, str] = facts or {}
        self._lock = lock
        self._batches: dict[str, Batch] = {}
        self._before: dict[str, tuple[Any, ...]] = {}
        self._free: set[tuple[str, str]] = set()
        self._taken: set[tuple[str, str]] = set()

    def read(self, session: Session, ids: Iterable[str]) -> None:
        """Take these batches in hand; those that are none are left out."""
        missing = [one for one in ids if one not in self._batches]
        products = reference(session).products if missing else {}
        for start in range(0, len(missing), MANY):
            query = select(*_COLUMNS).where(_COLUMNS.id.in_(missing[start : start + MANY])).order_by(_COLUMNS.id)
            rows = core(session).execute(query.with_for_update() if self._lock else query)
            for row in rows.mappings():
                self.put(batch_of(dict(row)), products[row["product_id"]])

    def put(self, batch: Batch, product: Product) -> None:
        """Take a batch in hand that was just read, or just made; with its product, since nothing more is loaded."""
        vars(batch)["product"] = product
        self._batches[batch.id] = batch
        self._before[batch.id] = _state(batch)
        self._taken.add((batch.gtin, batch.lot))

    def drop(self, batch_id: str) -> None:
        """Let go of one that nobody needs any more and that was not changed."""
        self._batches.pop(batch_id, None)
        self._before.pop(batch_id, None)

    def found(self, session: Session, ids: Collection[str]) -> dict[str, Batch]:
        """These batches by id; those that are none are left out."""
        if any(one not in self._batches for one in ids):
            self.read(session, ids)
        return {one: self._batches[one] for one in ids if one in self._batches}

    def all(self) -> Mapping[str, Batch]:
        """All that are in hand, by id."""
        return self._batches

    def read_lots(self, session: Session, lots: Collection[tuple[str, str]]) -> None:
        """Learn which of these (GTIN, lot) are taken, so that nobody need ask for each."""
        unknown = sorted(set(lots) - self._taken - self._free)
        for start in range(0, len(unknown), MANY):
            some = unknown[start : start + MANY]
            rows = core(session).execute(
                select(_COLUMNS.gtin, _COLUMNS.lot).where(tuple_(_COLUMNS.gtin, _COLUMNS.lot).in_(some))
            )
            self._taken.update((gtin, lot) for gtin, lot in rows)
            self._free.update(some)

    def lot_taken(self, gtin: str, lot: str) -> bool | None:
        """Whether a batch has this code; None where nobody asked yet."""
        if (gtin, lot) in self._taken:
            return True
        return False if (gtin, lot) in self._free else None

    def write_back(self, session: Session) -> None:
        """Write what changed."""
        self._finish_new(session)
        insert_now(session)
        changed = []
        for batch in self._batches.values():
            now = _state(batch)
            if now != self._before[batch.id]:
                self._before[batch.id] = now
                changed.append(
                    {"batch": batch.id, **dict(zip((f"new_{name}" for name in _CHANGING), now, strict=True))}
                )
        if changed:
            core(session).execute(_UPDATE, changed)

    def _finish_new(self, session: Session) -> None:
        """Rows that are yet to be inserted get what is left by now, and need no second statement."""
        for _before, table, rows in kept_back(session):
            for row in rows if table is Batch.__table__ else ():
                batch = self._batches.get(row["id"])
                if batch is not None:
                    now = _state(batch)
                    row.update(zip(_CHANGING, now, strict=True))
                    self._before[batch.id] = now

    def refresh_holds(self, session: Session) -> None:
        """See which are on hold now, after something changed that without asking here."""
        ids = list(self._batches)
        for start in range(0, len(ids), MANY):
            rows = core(session).execute(
                select(_COLUMNS.id, _COLUMNS.hold, _COLUMNS.hold_reason).where(
                    _COLUMNS.id.in_(ids[start : start + MANY])
                )
            )
            for batch_id, hold, reason in rows:
                self._batches[batch_id].hold, self._batches[batch_id].hold_reason = hold, reason


def batch_of(row: Mapping[str, Any]) -> Batch:
    """A batch with all of a row's values that belongs to no session, whose bookkeeping for each value would cost more
    than all that is done with it. It is written past the session, too."""
    batch = Batch()
    vars(batch).update(row)
    return batch


def row_of(batch: Batch) -> dict[str, Any]:
    """The whole row of such a batch."""
    return dict(zip(_KEYS, _WHOLE(vars(batch)), strict=True))


def _state(batch: Batch) -> tuple[Any, ...]:
    found: tuple[Any, ...] = _CHANGEABLE(vars(batch))
    return found


def in_hand(session: Session) -> Held | None:
    """What the transaction holds; None for an ordinary one."""
    held: Held | None = session.info.get(HELD)
    return held
