"""Packs that were sent off and are there again: an event of no process's stage, on the ledger like any other.

In EPCIS an ObjectEvent OBSERVE, bizStep `receiving`, disposition `returned` (CBV 2.0).
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.events.services import Happening, Recorded, Share, record
from trace.lots.holding import RETURN
from trace.lots.models import Batch
from village import clock
from village.db import insert_now
from village.errors import Conflict
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.people.access import Actor


def record_return(session: Session, who: Actor, parts: Sequence[tuple[str, int]]) -> list[Recorded]:
    """Packs of an order came back, as (batch id, units), in the caller's `write(ledger=True)`; one event for each
    process and household among them. Stock is the caller's business. The packs are left of their batches again.

    Conflict when a batch would have more than it made.
    """
    wanted = dict(parts)
    rows = session.scalars(select(Batch).where(Batch.id.in_(wanted)).order_by(Batch.id).with_for_update()).all()
    groups: dict[tuple[str, str], list[Share]] = {}
    for batch in rows:
        units, net = wanted[batch.id], batch.product.net_grams or 0
        if batch.void or (batch.left_units or 0) + units > (batch.made_units or 0):
            raise Conflict("more-than-made", _l("Lô %(lot)s không có từng ấy gói để nhận lại."), lot=batch.lot)
        groups.setdefault((batch.process, batch.household_id), []).append(Share(batch, units * net, units))
    if len(rows) != len(wanted):
        raise Conflict("no-batch", _l("Có lô không còn trong sổ."))
    for batch in rows:
        batch.left_units = (batch.left_units or 0) + wanted[batch.id]
        batch.left_grams += wanted[batch.id] * (batch.product.net_grams or 0)
    session.flush()
    told = [_record(session, who, group) for group in groups.values()]
    insert_now(session)
    return told


def _record(session: Session, who: Actor, group: list[Share]) -> Recorded:
    first = group[0].batch
    return record(
        session,
        Happening(
            id=uuid7(), kind="observe", process=first.process,
            process_version=max(share.batch.process_version for share in group), stage=RETURN,
            name=("Hàng gửi về lại", "Returned"), story=("", ""), picture="dispatch", biz_step="receiving",
            disposition="returned", occurred_at=clock.now().astimezone(clock.VN), site=first.site,
            household_id=first.household_id, member_id=who.id, about=group,
        ),
    )  # fmt: skip
