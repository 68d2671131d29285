"""Serial numbers for packs: given only for packs that the ledger says were made."""

import secrets
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trace.gs1.lots import READABLE
from trace.lots.models import Batch
from trace.units.models import SERIAL_LENGTH, Unit
from village import clock
from village.db import insert_later, insert_now
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.ids import uuid7

_ALL = len(READABLE) ** SERIAL_LENGTH
_NOTHING_YET = {"voided_at": None, "sold_at": None, "first_scan_at": None, "scans": 0, "again": False, "alarm": ""}


def new_serial() -> str:
    """A serial number that nobody can guess from others: 12 characters that cannot be mistaken for one another."""
    drawn, letters = secrets.randbelow(_ALL), []
    for _place in range(SERIAL_LENGTH):
        drawn, letter = divmod(drawn, len(READABLE))
        letters.append(READABLE[letter])
    return "".join(letters)


def left(session: Session, batch: Batch) -> int:
    """How many packs of a lot have no label with a number of its own (those whose label was voided have none)."""
    live = select(func.count()).select_from(Unit).where(Unit.batch_id == batch.id, Unit.voided_at.is_(None))
    return (batch.made_units or 0) - (session.scalar(live) or 0)


def issue(session: Session, batch: Batch, count: int, run_id: str) -> list[str]:
    """`count` new serial numbers for a packed lot, in the caller's `write()`; `run_id` is already in the session.

    BadInput for no count at all; Conflict `not-packed`, or `more-than-packed` with what is `left`: then none is given.
    """
    if count < 1:
        raise BadInput("bad-count", _l("Bác ghi cần bao nhiêu tem, từ 1 trở lên."), field="count")
    session.flush()
    insert_now(session)
    # Of two printings at once the second waits here, and counts what the first has taken. The run's own row has the
    # batch's key locked for both: a lock that asked for the key as well would have them wait for each other.
    batch = session.get_one(Batch, batch.id, with_for_update={"key_share": True}, populate_existing=True)
    if batch.made_units is None or batch.void:
        raise Conflict("not-packed", _l("Mẻ %(lot)s chưa đóng gói nên chưa có số riêng từng gói."), lot=batch.lot)
    free = left(session, batch)
    if count > free:
        raise Conflict(
            "more-than-packed",
            _l("Lô %(lot)s có %(made)s gói, chỉ còn %(left)s gói chưa có số riêng, không cấp được %(count)s số."),
            lot=batch.lot, made=batch.made_units, left=free, count=count,
        )  # fmt: skip
    # One taken already is refused by the database, and all with it: once in some ten thousand villages' lifetimes.
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        drawn.update(dict.fromkeys(islice(iter(new_serial, ""), count - len(drawn))))
    now = clock.now()
    # In the order in which they were drawn, so that a run's labels can be read again in the order of its print.
    ids = sorted(uuid7() for _one in drawn)
    rows = [
        {"id": one_id, "batch_id": batch.id, "gtin": batch.gtin, "serial": one, "run_id": run_id, "issued_at": now}
        | _NOTHING_YET
        for one_id, one in zip(ids, drawn, strict=True)
    ]
    insert_later(session, Unit.__table__, rows)
    insert_now(session)
    return list(drawn)
