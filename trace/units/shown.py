"""What a pack's page says of this one pack, in one query, and which of it is counted."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, select

from trace.lots.models import Batch
from trace.units.models import Unit
from village import clock
from village.db import read_once
from village.places.models import Cooperative

UNKNOWN, OTHER_LOT, VOIDED, FIRST, SEEN = "never-issued", "other-lot", "voided", "first", "seen"

_STATE = (
    select(
        Batch.id.label("batch_id"), Batch.hold, Batch.best_before, Cooperative.phone,
        Unit.id.label("unit_id"), Unit.batch_id.label("unit_batch"), Unit.voided_at, Unit.sold_at, Unit.first_scan_at,
        Unit.scans, Unit.alarm,
    )
    .join(Cooperative, Cooperative.id == Batch.cooperative_id)
    .outerjoin(Unit, and_(Unit.gtin == Batch.gtin, Unit.serial == bindparam("serial")))
    .where(Batch.gtin == bindparam("gtin"), Batch.lot == bindparam("lot"))
)  # fmt: skip


@dataclass(frozen=True)
class State:
    """One label's standing: its lot, and its pack if there is one."""

    batch_id: str
    hold: str
    best_before: dt.date | None
    phone: str
    """Of the cooperative that answers for the lot."""
    unit_id: str | None
    """None for a number that was never issued, or issued for another lot."""
    word: str
    """`never-issued`, `other-lot`, a rule's slug (`voided` among them), `first` or `seen`."""
    sold_at: dt.datetime | None
    first_scan_at: dt.datetime | None
    scans: int

    @property
    def recalled(self) -> bool:
        """The lot was called back."""
        return self.hold == "recalled"

    @property
    def expired(self) -> bool:
        """Past its date."""
        return self.best_before is not None and self.best_before < clock.today()

    @property
    def doubtful(self) -> bool:
        """True where the buyer is asked to look twice."""
        return self.word not in (FIRST, SEEN)


def state(gtin: str, lot: str, serial: str) -> State | None:
    """The state of the pack that an address names; None when there is not even the lot."""
    rows = read_once(_STATE, {"gtin": gtin, "lot": lot, "serial": serial})
    if not rows:
        return None
    row = rows[0]
    mine = row.unit_id is not None and row.unit_batch == row.batch_id
    if not mine:
        word = UNKNOWN if row.unit_id is None else OTHER_LOT
        return State(row.batch_id, row.hold, row.best_before, row.phone, None, word, None, None, 0)
    word = VOIDED if row.voided_at else row.alarm or (SEEN if row.first_scan_at else FIRST)
    return State(
        row.batch_id, row.hold, row.best_before, row.phone, row.unit_id, word, row.sold_at, row.first_scan_at, row.scans
    )
