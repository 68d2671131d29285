"""Writing a sheet's rows into the ledger: a few hundred in a transaction, in order, each once however often it is sent.

Nobody else waits longer than for one such transaction. After a crash, a cancellation or a second try the rows that are
there already are found by their ids and passed over.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from batches.processes.models import Kind
from batches.sheets.lines import Fault
from batches.sheets.plan import Origin, Planned
from batches.sheets.planning import outputs_of, recorded
from batches.sheets.wanting import Misfit, column_of_field, wanted_of
from batches.stages.services import record_in
from trace.ledger import store
from trace.lots.held import HELD, Held
from village.db import write
from village.errors import SoiError
from village.i18n import gettext as _
from village.jobs.work import Work
from village.people.access import Actor
from village.reference import reference

AT_ONCE = 500
"""Rows in a transaction."""
SOURCE = {"source": "sheet"}
"""What each of these events says besides, in public: it was copied from a spreadsheet, not logged as it happened."""


class Missing(SoiError):
    """A row that takes from one which could not be recorded."""

    status = 409


@dataclass
class Written:
    """How far it came."""

    written: int = 0
    known: int = 0
    faults: list[Fault] = field(default_factory=list)


class Recording:
    """Records a plan's rows in the name of one member."""

    def __init__(self, who: Actor, work: Work) -> None:
        self._who = who
        self._work = work
        self._made: dict[int, list[str]] = {}
        """Batches by the row that made them."""
        self._seen = 0
        self.outcome = Written()

    def run(self, rows: Iterable[Planned]) -> Written:
        """Record all rows but those that are there already."""
        for some in _chunks(rows):
            try:
                self._twice(some)
            except (SoiError, Misfit, IntegrityError) as error:
                if isinstance(error, SoiError) and error.status >= 500:
                    raise
                # Something came in between: each stands alone then, and what does not hold is told.
                for one in some:
                    self._alone(one)
            self._seen += len(some)
            self._work.progress(self._seen)
        return self.outcome

    def _twice(self, rows: Sequence[Planned]) -> None:
        """Once more where a lot code that was drawn by chance was taken."""
        try:
            self._together(rows)
        except IntegrityError:
            self._together(rows)

    def _together(self, rows: Sequence[Planned]) -> None:
        made: dict[int, list[str]] = {}
        with write(ledger=True) as session:
            there = recorded(session, [row.id for row in rows])
            known = outputs_of(session, sorted(there))
            made |= {row.line.number: known.get(row.id, []) for row in rows if row.id in there}
            fresh = [row for row in rows if row.id not in there]
            held = Held(SOURCE)
            session.info[HELD] = held
            self._take_up(session, held, fresh, made)
            for row in fresh:
                made[row.line.number] = self._record(session, held, row, made)
            held.write_back(session)
            self._work.note(session, self._seen + len(rows))
        self._made |= made
        self.outcome.written += len(fresh)
        self.outcome.known += len(there)

    def _alone(self, row: Planned) -> None:
        try:
            self._twice([row])
        except Misfit as error:
            self._fault(row, error.column, str(error.reason))
        except SoiError as error:
            if error.status >= 500:
                raise
            self._fault(row, column_of_field(error.field), str(error))
        except IntegrityError:
            self._fault(row, "", _("Có mã trùng với cái đã có trong sổ."))

    def _fault(self, row: Planned, column: str, reason: str) -> None:
        self.outcome.faults.append(Fault(row.line.number, column, "", reason[:600]))

    def _take_up(self, session: Session, held: Held, rows: Sequence[Planned], made: dict[int, list[str]]) -> None:
        """Read all that these rows take, and which lot codes are taken, in a few queries."""
        ids = {self._batch(one, made) for row in rows for one in row.origins}
        held.read(session, sorted(ids - {""}))
        store.look_up(session, [batch.epc for batch in held.all().values()])
        products = reference(session).products
        lots = {
            (product.gtin, one.lot)
            for row in rows
            for one in row.line.results
            if one.lot and (product := products.get(one.product or "")) is not None
        }
        held.read_lots(session, lots)

    def _batch(self, origin: Origin, made: dict[int, list[str]]) -> str:
        """The id of what a row takes; empty where it was not made."""
        if origin.batch:
            return origin.batch
        there = made.get(origin.row) or self._made.get(origin.row, [])
        return there[origin.place] if origin.place < len(there) else ""

    def _record(self, session: Session, held: Held, row: Planned, made: dict[int, list[str]]) -> list[str]:
        ids = [self._batch(one, made) for one in row.origins]
        found = held.found(session, [one for one in ids if one])
        if len(found) != len(set(ids)):
            raise Missing("source-missing", _("Mẻ mà dòng này lấy chưa có trong sổ."), field="inputs")
        products = reference(session).products
        wanted = wanted_of(row, [found[one] for one in ids], products)
        done = record_in(session, self._who, wanted)
        for share in done.happening.outputs:
            held.put(share.batch, products[share.batch.product_id])
        if row.line.kind is Kind.INSPECT and (
            done.happening.passed is False or any(share.batch.hold != "none" for share in done.happening.about)
        ):
            held.refresh_holds(session)
        return [share.batch.id for share in done.happening.outputs]


def _chunks(rows: Iterable[Planned]) -> Iterator[list[Planned]]:
    iterator = iter(rows)
    while some := list(islice(iterator, AT_ONCE)):
        yield some
