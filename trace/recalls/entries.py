"""A recall on the ledger: as few entries as there must be, each within its size and linked to every lot in it."""

import datetime as dt
from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from trace.epcis import events as epcis
from trace.ledger import store
from trace.ledger.erasure import MEMBER, NOTE
from trace.recalls.scope import Lot
from village import clock
from village.ids import uuid7

TYPE = "recall"
"""The entries' type: they stand in no household's story, as an event would."""
ROOM = 14_000
"""Bytes of an entry that its lots may take, of the 16 KiB that it may have."""
EACH = 150
"""Bytes of a lot's link and quantity besides its name, which stands in both."""


def append(
    session: Session, lots: Sequence[Lot], *, recall_id: str, gln: str, member_id: str, reason: str,
    lifted: bool = False,
) -> dict[str, int]:  # fmt: skip
    """Write the recall (or that it was lifted) into the ledger; the entry's index by the lot's id."""
    parts = list(_parts(lots))
    if not parts:
        return {}
    store.look_up(session, [lot.epc for lot in lots])
    now = clock.now().astimezone(clock.VN)
    drafts = [
        store.Draft(
            TYPE,
            _event(part, now, gln, recall_id, f"{number}/{len(parts)}", lifted),
            tuple(lot.epc for lot in part),
            {MEMBER: member_id, NOTE: reason},
        )
        for number, part in enumerate(parts, start=1)
    ]
    appended = store.append(session, drafts)
    return {lot.id: entry.index for part, entry in zip(parts, appended, strict=True) for lot in part}


def _parts(lots: Sequence[Lot]) -> Iterator[list[Lot]]:
    part: list[Lot] = []
    room = ROOM
    for lot in lots:
        need = 2 * len(lot.epc) + EACH
        if part and need > room:
            yield part
            part, room = [], ROOM
        part.append(lot)
        room -= need
    if part:
        yield part


def _event(
    lots: Sequence[Lot], when: dt.datetime, gln: str, recall_id: str, number: str, lifted: bool
) -> epcis.JsonObject:
    core = epcis.Core(
        id=UUID(uuid7()), time=when, read_point=gln, extra={"soi:recall": recall_id, "soi:part": number}
    )
    amounts = [
        epcis.packs(lot.epc, lot.made_units) if lot.made_units else epcis.grams(lot.epc, lot.made_grams)
        for lot in lots
    ]
    return epcis.lift_recall(core, amounts) if lifted else epcis.recall(core, amounts)
