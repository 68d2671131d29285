"""Taking numbers back whose labels were spoilt in the printer: their packs may then get others."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.lots.models import Batch
from trace.units.models import Unit
from village import clock
from village.db import in_parts
from village.errors import BadInput
from village.i18n import lazy_gettext as _l


def void_spoilt(session: Session, batch: Batch, serials: Sequence[str]) -> int:
    """Void these serial numbers of a lot, in the caller's `write()`; how many were not void before. It is not undone.

    BadInput names one that was never issued for the lot, or is sold already: then none is voided.
    """
    found: dict[str, Unit] = {}
    for some in in_parts(serials):
        query = select(Unit).where(Unit.batch_id == batch.id, Unit.serial.in_(some)).order_by(Unit.id)
        found |= {unit.serial: unit for unit in session.scalars(query.with_for_update())}
    for serial in serials:
        if serial not in found:
            raise BadInput(
                "no-such-serial", _l("Lô này không có gói nào mang số %(serial)s."), field="serials", serial=serial
            )
        if found[serial].sold_at is not None:
            raise BadInput("serial-sold", _l("Gói số %(serial)s đã bán rồi."), field="serials", serial=serial)
    fresh = [unit for unit in found.values() if unit.voided_at is None]
    now = clock.now()
    for unit in fresh:
        unit.voided_at = now
    return len(fresh)
