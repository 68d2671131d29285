"""Writing down what became of the packs of a recall, and closing it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trace.lots.models import Batch
from trace.recalls.account import Account, Counted, Impossible, reckon
from trace.recalls.models import Recall, RecallLot, RecallStep, Source, What
from trace.recalls.reading import mine
from trace.recalls.services import must_be_open, office_only
from village import clock
from village.db import write
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.people.access import Actor
from village.text import clean_line

COUNTS = (What.FOUND, What.RETURNED, What.DESTROYED)
UNITS_MAX = 10_000_000


@dataclass(frozen=True)
class Count:
    """So many packs found, come back or destroyed. `lot` is a code or empty (of all lots together); `units` below
    nought takes back what was written before."""

    id: str
    what: What
    source: Source | None
    lot: str
    units: int
    note: str


def count(who: Actor, recall_id: str, given: Count) -> None:
    """Write a count down. Sent twice, done once. BadInput where there cannot be so many."""
    office_only(who)
    if not is_uuid(given.id):
        raise BadInput("bad-id", _l("Mã của lần ghi phải là một UUID viết thường."), field="step_id")
    if given.units == 0 or abs(given.units) > UNITS_MAX:
        raise BadInput("no-units", _l("Bác ghi số gói, khác 0."), field="units")
    if (given.what is What.DESTROYED) != (given.source is not None):
        raise BadInput("which-source", _l("Huỷ ở đâu thì bác chọn giúp một chỗ."), field="source")
    note = clean_line(given.note, "note", 300, required=False)
    with write() as session:
        recall = mine(session, who, recall_id, lock=True)
        if session.get(RecallStep, given.id) is not None:
            return
        must_be_open(recall)
        lot = _lot(session, recall_id, given.lot)
        new = Counted(given.what.value, given.source.value if given.source else None, given.units)
        _check(recall, lot, new)
        session.add(
            RecallStep(
                id=given.id, recall_id=recall_id, what=given.what, source=given.source, at=clock.now(),
                member_id=who.id, batch_id=lot.batch_id if lot else None, units=given.units, note=note,
            )
        )  # fmt: skip


def close_in(session: Session, who: Actor, recall_id: str, note: object, step_id: str, told: int) -> None:
    """Nothing more is looked for: keep how many packs are accounted for. In the caller's `write()`; once for each id.

    `told` are the packs that had left to buyers who were told since, as the shop knows.
    """
    office_only(who)
    why = clean_line(note, "note", 300, required=False)
    if not is_uuid(step_id):
        raise BadInput("bad-id", _l("Mã của lần ghi phải là một UUID viết thường."), field="step_id")
    recall = mine(session, who, recall_id, lock=True)
    if session.get(RecallStep, step_id) is not None:
        return
    must_be_open(recall)
    session.add(
        RecallStep(
            id=step_id, recall_id=recall_id, what=What.CLOSED, at=clock.now(), member_id=who.id, note=why,
            units=account(recall, told).accounted,
        )
    )  # fmt: skip


def account(recall: Recall, told: int) -> Account:
    """Where all its packs are by now."""
    return reckon(recall.packed, recall.in_stock, told, counted(recall.steps))


def counted(steps: Iterable[RecallStep], batch_id: str | None = None) -> list[Counted]:
    """The figures among its steps; with `batch_id`, those about one lot."""
    return [
        Counted(step.what.value, step.source.value if step.source else None, step.units or 0)
        for step in steps
        if step.what in COUNTS and (batch_id is None or step.batch_id == batch_id)
    ]


def _lot(session: Session, recall_id: str, code: str) -> RecallLot | None:
    text = code.strip()
    if not text:
        return None
    found = session.scalars(
        select(RecallLot)
        .join(Batch, Batch.id == RecallLot.batch_id)
        .where(RecallLot.recall_id == recall_id, RecallLot.packed > 0, func.upper(Batch.lot) == text.upper())
        .limit(2)
    ).all()
    if len(found) != 1:
        raise BadInput(
            "no-such-lot", _l("Đợt thu hồi này không có lô gói nào mang mã %(lot)s."), field="lot", lot=text[:60]
        )
    return found[0]


def _check(recall: Recall, lot: RecallLot | None, new: Counted) -> None:
    try:
        reckon(recall.packed, recall.in_stock, 0, [*counted(recall.steps), new])
        if lot is not None:
            reckon(lot.packed, lot.in_stock, 0, [*counted(recall.steps, lot.batch_id), new])
    except Impossible as error:
        if new.units < 0:
            raise Conflict(
                "less-than-none", _l("Trừ đi như vậy thì thành số âm. Bác xem lại những lần đã ghi nhé."), field="units"
            ) from error
        raise BadInput(
            "more-than-there-are", _l("Không thể nhiều như vậy: ở chỗ ấy nhiều nhất chỉ có %(most)s gói."),
            field="units", most=error.most,
        ) from error
