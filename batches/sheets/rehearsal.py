"""Going through all rows as if they were recorded: the same checks over the same batches, and nothing is written.

What rows make and take is kept in hand (trace/lots/held.py), so that each row finds the batches as the rows before it
left them. The transaction only reads, and holds nobody up.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from batches.mass import basis_points
from batches.processes.models import Kind
from batches.sheets.columns import AMOUNT, LOT, NOTE, TAKES, WHEN
from batches.sheets.lines import Fault
from batches.sheets.plan import Plan, Planned, at
from batches.sheets.planning import outputs_of
from batches.sheets.wanting import Misfit, column_of_field, wanted_of
from batches.stages import checks
from batches.stages.making import make
from batches.stages.ready import Ready, make_ready
from batches.stages.services import INSPECTION_FAILED, verdict
from batches.stages.wanted import Wanted
from trace.events.services import Share
from trace.lots.held import HELD, Held
from trace.lots.models import Batch
from trace.lots.services import reachable
from village.db import LATER
from village.errors import SoiError
from village.i18n import gettext as _
from village.i18n import number
from village.people.access import Actor
from village.reference import KEPT, reference


@dataclass
class Totals:
    """What would be written."""

    rows: int = 0
    known: int = 0
    """Rows that were recorded before."""
    lots: int = 0
    doubts: int = 0
    stages: Counter[tuple[str, str]] = field(default_factory=Counter)
    grams: Counter[tuple[str, str]] = field(default_factory=Counter)
    units: Counter[tuple[str, str]] = field(default_factory=Counter)

    def told(self) -> dict[str, Any]:
        """As it is kept in the sheet's summary."""
        return {
            "rows": self.rows,
            "known": self.known,
            "lots": self.lots,
            "doubts": self.doubts,
            "stages": [
                [process, stage, count, self.grams[process, stage], self.units[process, stage]]
                for (process, stage), count in self.stages.items()
            ],
        }


class Rehearsal:
    """Goes through a plan's rows in order. Faults are added to the plan's own."""

    def __init__(self, session: Session, who: Actor, plan: Plan) -> None:
        self._session = session
        self._who = who
        self._plan = plan
        self._held = Held(lock=False)
        session.info[HELD] = self._held
        # The transaction sees one state of the village from its first query to its last.
        session.info[KEPT] = reference(session)
        self._products = reference(session).products
        self._made: dict[int, list[str]] = {}
        self._uses = Counter(origin.row for row in plan.rows for origin in row.origins)
        self._bad = {fault.line for fault in plan.faults}
        self._holds = _Holds(self._held)
        self.totals = Totals()

    def run(self, step: Callable[[int], None]) -> list[Planned]:
        """The rows that are right, with those that were recorded before; `step` hears how many were looked at."""
        known = [row.id for row in self._plan.rows if row.recorded]
        outputs = outputs_of(self._session, known)
        self._held.read(
            self._session,
            {one.batch for row in self._plan.rows if not row.recorded for one in row.origins if one.batch},
        )
        self._held.read_lots(
            self._session,
            {
                (product.gtin, one.lot)
                for row in self._plan.rows
                for one in row.line.results
                if one.lot and (product := self._products.get(one.product or "")) is not None
            },
        )
        wanted: list[Planned] = []
        for at_row, row in enumerate(self._plan.rows):
            if row.recorded:
                self.totals.known += 1
                self._made[row.line.number] = outputs.get(row.id, [])
                wanted.append(row)
            elif row.line.number not in self._bad and (done := self._row(row)) is not None:
                wanted.append(done)
            else:
                self._bad.add(row.line.number)
            if at_row % 200 == 0:
                step(at_row)
        return wanted

    def _row(self, row: Planned) -> Planned | None:
        """The row as it is to be recorded; None when it cannot be."""
        ids: list[str] = []
        for origin, source in zip(row.origins, row.line.sources, strict=True):
            if origin.row in self._bad:
                told = _("Lấy từ dòng %(line)s, mà dòng ấy còn chỗ sai.", line=origin.row)
                self._fault(row, TAKES, source.name, told)
                return None
            made = self._made.get(origin.row, []) if origin.row else [origin.batch]
            place = origin.place if origin.row else 0
            if place >= len(made):
                told = _("Dòng %(line)s không làm ra mẻ nào để lấy.", line=origin.row)
                self._fault(row, TAKES, source.name, told)
                return None
            ids.append(made[place])
        found = self._held.found(self._session, ids)
        batches = [found[one] for one in ids if one in found]
        if len(batches) != len(ids):
            self._fault(row, TAKES, "", _("Có mẻ không còn trong sổ."))
            return None
        row = _after_its_making(row, batches)
        try:
            wanted = wanted_of(row, batches, self._products)
            ready = make_ready(self._session, self._who, wanted)
            shares = make(
                self._session, wanted, ready.process, ready.stage, ready.inputs, ready.products, ready.household,
                ready.site, (),
            )  # fmt: skip
        except Misfit as error:
            self._fault(row, error.column, "", str(error.reason))
            return None
        except SoiError as error:
            self._fault(row, column_of_field(error.field), "", str(error))
            return None
        finally:
            self._session.info.pop(LATER, None)
        self._effects(row, wanted, ready, shares)
        self._count(row, ready, shares)
        self._let_go(row, ids)
        return row

    def _effects(self, row: Planned, wanted: Wanted, ready: Ready, shares: list[Share]) -> None:
        """What recording does to batches, done to those in hand."""
        kind = ready.stage.kind
        if kind not in checks.STAYING:
            for share in ready.inputs:
                share.batch.left_grams -= share.grams or 0
                if share.units is not None:
                    share.batch.left_units = (share.batch.left_units or 0) - share.units
        if kind in checks.LOOKING:
            moisture = next((basis_points(r.value) for r in wanted.readings if r.type == "Moisture"), None)
            for share in ready.inputs:
                share.batch.moisture = share.batch.moisture if moisture is None else moisture
        if kind is Kind.INSPECT:
            passed = verdict(wanted, ready.findings)
            for share in ready.inputs:
                self._holds.inspected(self._session, share.batch, passed)
        for place, share in enumerate(shares):
            self._held.put(share.batch, self._products[share.batch.product_id])
            if not row.line.results[place].lot:
                # The code that was drawn for it is nobody's: a later row is told what its sender calls it.
                share.batch.lot = row.line.ref or _("dòng %(line)s", line=row.line.number)
            self._holds.made(share.batch.id, [one.batch.id for one in ready.inputs])
        self._made[row.line.number] = [share.batch.id for share in shares]

    def _count(self, row: Planned, ready: Ready, shares: list[Share]) -> None:
        key = (ready.process.key, ready.stage.key)
        totals = self.totals
        totals.rows += 1
        totals.lots += len(shares)
        totals.doubts += bool(ready.findings)
        totals.stages[key] += 1
        counted = shares or ready.inputs
        totals.grams[key] += sum(share.grams or 0 for share in counted)
        totals.units[key] += sum(share.units or 0 for share in counted)

    def _let_go(self, row: Planned, ids: list[str]) -> None:
        """Batches that no later row names need not be kept: a season has more of them than memory."""
        for origin, batch_id in zip(row.origins, ids, strict=True):
            if origin.row:
                self._uses[origin.row] -= 1
                if self._uses[origin.row] <= 0:
                    self._made.pop(origin.row, None)
                    self._held.drop(batch_id)
        if not self._uses[row.line.number]:
            for batch_id in self._made.pop(row.line.number, []):
                self._held.drop(batch_id)

    def _fault(self, row: Planned, column: str, value: str, reason: str) -> None:
        self._plan.faults.append(Fault(row.line.number, column, value or _said(row, column), reason[:600]))


def _said(row: Planned, column: str) -> str:
    """What stands in a column of the row, as it was understood."""
    line = row.line
    if column == TAKES:
        return "; ".join(one.name if one.amount is None else f"{one.name} {number(one.amount)}" for one in line.sources)
    if column == AMOUNT:
        return "; ".join(number(one.amount) for one in line.results)
    if column == LOT:
        return "; ".join(one.lot or "" for one in line.results)
    return {WHEN: line.when.strftime("%d/%m/%Y %H:%M"), NOTE: line.note}.get(column, "")


def _after_its_making(row: Planned, batches: list[Batch]) -> Planned:
    """A day alone means: on that day, after what is taken was made."""
    if not row.line.day_only or not batches:
        return row
    latest = max(batch.made_at for batch in batches).astimezone(row.line.when.tzinfo)
    same_day = latest.date() == row.line.when.date()
    return at(row, latest) if same_day and latest > row.line.when else row


class _Holds:
    """Who is on hold while a sheet is gone through, as `trace.lots.services.refresh_holds` would have it."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._parents: dict[str, list[str]] = {}
        self._children: dict[str, list[str]] = {}
        self._failing: set[str] = set()

    def made(self, child: str, parents: list[str]) -> None:
        """A batch was made of others."""
        self._parents[child] = parents
        for parent in parents:
            self._children.setdefault(parent, []).append(child)

    def inspected(self, session: Session, batch: Batch, passed: bool) -> None:
        """A batch was inspected."""
        if passed and batch.id not in self._failing:
            # What holds it was there before the sheet, and may be more than an inspection.
            return
        if passed:
            self._failing.discard(batch.id)
        else:
            self._failing.add(batch.id)
        family = _reach({batch.id}, self._children) | reachable(session, [batch.id], "down")
        for one in family:
            there = self._held.all().get(one)
            if there is not None and there.hold != "recalled":
                bad = bool(self._failing & _reach({one}, self._parents))
                there.hold, there.hold_reason = ("held", INSPECTION_FAILED) if bad else ("none", "")


def _reach(start: set[str], steps: dict[str, list[str]]) -> set[str]:
    found, way = set(start), list(start)
    while way:
        for one in steps.get(way.pop(), ()):
            if one not in found:
                found.add(one)
                way.append(one)
    return found
