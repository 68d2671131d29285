"""Beginning a recall and taking it back. Each is one transaction: holds, ledger, stock, orders and messages together.

Order of locks: the ledger's (so that no batch is made or sent meanwhile), batches by id, then stock in the shop's own
order. What a checkout had reserved before is found and stopped; what comes after finds the lots on hold.
"""

import time
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import literal_column, select, update
from sqlalchemy.orm import Session

from trace import signals
from trace.lots.held import batch_of
from trace.lots.models import Batch
from trace.lots.services import listed, spoilt
from trace.recalls import entries
from trace.recalls.answers import answer
from trace.recalls.models import Recall, RecallLot, RecallStep, What
from trace.recalls.reach import Call, Reach
from trace.recalls.reading import elsewhere, mine
from trace.recalls.scope import Lot, Scope, checked, find
from trace.recalls.telling import take_back, tell_offices
from village import clock, idempotency
from village.db import db, insert_later, insert_now, write
from village.errors import Conflict
from village.i18n import lazy_gettext as _l
from village.i18n import marked
from village.ids import uuid7
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.places.models import Cooperative
from village.text import clean_line

REASON_MAX = 200
SPOILT = marked("Một mẻ làm nên lô này chưa đạt khi kiểm tra.")
"""Why a lot is held again after its recall was lifted, where nobody had said why before."""


def preview(who: Actor, batches: Sequence[object]) -> tuple[Scope, Reach]:
    """What a recall of these would take in and whom it would reach; nothing is changed. Raises as `start`."""
    office_only(who)
    session = db.session()
    scope = find(session, who, checked(batches))
    return scope, _asked(session, scope)


def start(
    who: Actor, batches: Sequence[object], reason: object, *, drill: bool, idempotency_key: str | None
) -> dict[str, Any]:
    """Recall these lots and all that came of them, or only say what that would do (`drill`); the contract's answer.

    Once for each key. Raises Forbidden for who is not of an office and for another cooperative's lots, NotFound,
    BadInput, and Conflict when a recall stops all of it already, or the key was used for another one.
    """
    office_only(who)
    began = time.perf_counter()
    key = idempotency.check_key(idempotency_key)
    ids = checked(batches)
    why = clean_line(reason, "reason", REASON_MAX)
    body = {"batches": ids, "reason": why, "drill": drill}
    # A drill looks before it takes its turn: nobody has to wait while it walks.
    looked = _look(who, ids) if drill else None
    with write(ledger=not drill) as session:
        before = idempotency.recall(session, f"recalls:{who.id}", key, body)
        if before is not None:
            return answer(session, before.body["id"])
        scope = looked or find(session, who, ids, lock=True)
        call = Call(uuid7(), who.cooperative_id, why, drill, frozenset(lot.id for lot in _stopped(scope, drill)))
        index = {} if drill else _stop(session, who, scope.fresh, call)
        reached = _begun(session, call)
        _keep(session, who, scope, call, reached, index)
        if not drill:
            tell_offices(session, call, scope)
        idempotency.remember(session, f"recalls:{who.id}", key, body, 201, {"id": call.id})
        insert_now(session)
        elapsed = int((time.perf_counter() - began) * 1000)
        _step(session, call.id, who, What.STARTED, units=scope.packed, elapsed_ms=elapsed)
        insert_now(session)
        return answer(session, call.id, reached)


def lift(who: Actor, recall_id: str, note: object, step_id: str) -> None:
    """It was a mistake: its lots are free again, but for those that another recall, or a failed inspection, stops.

    The ledger says so as well. Sent twice, done once. Conflict for a drill, or one that has ended.
    """
    office_only(who)
    why = clean_line(note, "why", 300)
    with write(ledger=True) as session:
        recall = mine(session, who, recall_id, lock=True)
        if session.get(RecallStep, step_id) is not None:
            return
        must_be_open(recall)
        lots = _to_free(session, recall.id)
        coop = session.get_one(Cooperative, who.cooperative_id)
        entries.append(
            session, lots, recall_id=recall.id, gln=coop.gln, member_id=who.id, reason=why, lifted=True
        )  # fmt: skip
        _free(session, recall.id, lots)
        _step(session, recall.id, who, What.LIFTED, step_id=step_id, note=why)
        insert_now(session)
        take_back(session, recall.id)
        signals.recall_ended.send(None, session=session, recall=recall, batches=frozenset(lot.id for lot in lots))


def office_only(who: Actor) -> None:
    """Refuse whoever is not of an office."""
    if not who.has(Role.OFFICE):
        raise wrong_role()


def must_be_open(recall: Recall) -> None:
    """Conflict for a drill, and for a recall that was lifted or closed."""
    if recall.drill:
        raise Conflict("only-a-drill", _l("Đây là buổi diễn tập, không có gì phải thu về."))
    if not recall.open:
        raise Conflict("recall-ended", _l("Đợt thu hồi này đã xong rồi, không ghi thêm được."))


def _look(who: Actor, ids: Sequence[str]) -> Scope:
    db.session.rollback()
    found = find(db.session(), who, ids)
    db.session.rollback()
    return found


def _stopped(scope: Scope, drill: bool) -> Sequence[Lot]:
    if not scope.fresh and not drill:
        raise Conflict("already-recalled", _l("Các lô này đều đã thu hồi từ trước rồi."))
    return scope.fresh


def _stop(session: Session, who: Actor, lots: Sequence[Lot], call: Call) -> dict[str, int]:
    """Hold the lots, say so on the ledger, and have the shop hold its packs."""
    coop = session.get_one(Cooperative, who.cooperative_id)
    session.execute(
        update(Batch)
        .where(Batch.id.in_(listed(session, call.batches)))
        .values(hold="recalled", hold_reason=call.reason)
        .execution_options(synchronize_session=False)
    )
    index = entries.append(
        session, lots, recall_id=call.id, gln=coop.gln, member_id=who.id, reason=call.reason
    )  # fmt: skip
    _hold_packs(session, lots, "recalled")
    return index


def _hold_packs(session: Session, lots: Sequence[Lot], hold: str) -> None:
    """Only packs can be on a shelf."""
    packs = [batch_of({**lot._asdict(), "hold": hold}) for lot in lots if lot.made_units is not None]
    if packs:
        signals.holds_changed.send(None, session=session, batches=packs)


def _asked(session: Session, scope: Scope) -> Reach:
    ids = frozenset(lot.id for lot in scope.fresh)
    answers = signals.recall_asked.send(None, session=session, batches=ids)
    return next((found for _, found in answers), Reach())


def _begun(session: Session, call: Call) -> Reach:
    answers = signals.recall_started.send(None, session=session, call=call)
    return next((found for _, found in answers), Reach())


def _keep(session: Session, who: Actor, scope: Scope, call: Call, reached: Reach, index: dict[str, int]) -> None:
    row = {
        "id": call.id, "cooperative_id": who.cooperative_id, "member_id": who.id, "drill": call.drill,
        "reason": call.reason, "started_at": clock.now(), "lots": len(scope.lots), "packed": scope.packed,
        "in_stock": scope.in_stock, "shipping": reached.shipping, "buyers": reached.buyers,
        "notified": reached.notified,
    }  # fmt: skip
    insert_later(session, Recall.__table__, [row])
    lots = [
        {
            "recall_id": call.id, "batch_id": lot.id, "chosen": lot.id in scope.chosen, "hold_before": lot.hold,
            "reason_before": lot.hold_reason, "packed": lot.packed, "in_stock": lot.in_stock,
            "left_grams": lot.left_grams, "entry_index": index.get(lot.id),
        }
        for lot in scope.lots
    ]  # fmt: skip
    insert_later(session, RecallLot.__table__, lots)


def _step(
    session: Session, recall_id: str, who: Actor, what: What, *, step_id: str = "", note: str = "",
    units: int | None = None, elapsed_ms: int | None = None,
) -> None:  # fmt: skip
    row = {
        "id": step_id or uuid7(), "recall_id": recall_id, "what": what, "at": clock.now(), "member_id": who.id,
        "batch_id": None, "source": None, "units": units, "note": note, "elapsed_ms": elapsed_ms,
    }  # fmt: skip
    insert_later(session, RecallStep.__table__, [row])


def _to_free(session: Session, recall_id: str) -> list[Lot]:
    """Its lots that no other recall stops."""
    still = elsewhere(session, recall_id)
    columns = [Batch.__table__.c[name] for name in Lot._fields]
    rows = session.execute(
        select(*columns)
        .join(RecallLot, RecallLot.batch_id == Batch.id)
        .where(RecallLot.recall_id == recall_id, Batch.hold == literal_column("'recalled'"))
        .order_by(Batch.id)
    )
    return [lot for lot in map(Lot._make, rows) if lot.id not in still]


def _free(session: Session, recall_id: str, lots: Sequence[Lot]) -> None:
    """What an inspection holds stays held, for the reason that it had; the rest goes free."""
    bad = spoilt(session, {lot.id for lot in lots})
    reasons = _reasons_before(session, recall_id, bad)
    groups: dict[tuple[str, str], list[Lot]] = {}
    for lot in lots:
        state = ("held", reasons.get(lot.id) or SPOILT) if lot.id in bad else ("none", "")
        groups.setdefault(state, []).append(lot)
    for (hold, why), some in groups.items():
        session.execute(
            update(Batch)
            .where(Batch.id.in_(listed(session, [lot.id for lot in some])))
            .values(hold=hold, hold_reason=why)
            .execution_options(synchronize_session=False)
        )
        _hold_packs(session, some, hold)


def _reasons_before(session: Session, recall_id: str, ids: Collection[str]) -> dict[str, str]:
    rows = session.execute(
        select(RecallLot.batch_id, RecallLot.reason_before).where(
            RecallLot.recall_id == recall_id,
            RecallLot.hold_before == "held",
            RecallLot.batch_id.in_(listed(session, ids)),
        )
    )
    return {batch: why for batch, why in rows}
