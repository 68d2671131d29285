"""Cases of packs: their numbers, what lies in them, and that no pack is in two places.

Everything that writes works inside its caller's `write(ledger=True)`, where one writes at a time. The events are the
caller's business; here are the rows that follow them.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from flask import current_app
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from trace.gs1.errors import Gs1Error
from trace.gs1.gtin import parse_sscc, sscc_of, sscc_room
from trace.lots.models import Batch, LogisticUnit, LogisticUnitPart, SsccCounter, UnitStatus
from village.db import insert_now
from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.places.models import Cooperative, Household

MOST = 200
"""Cases on one page."""


def number(sscc: str, field: str = "facts.sscc") -> str:
    """The 18 digits of a case's number, or BadInput."""
    try:
        return parse_sscc(sscc)
    except Gs1Error as error:
        raise BadInput(
            "bad-sscc", _l("Số thùng phải đủ 18 chữ số và đúng số kiểm tra."), field=field, sscc=sscc[:20]
        ) from error


def find(session: Session, sscc: str) -> LogisticUnit:
    """The case with what lies in it, or NotFound."""
    found = session.scalar(
        select(LogisticUnit)
        .where(LogisticUnit.sscc == sscc)
        .options(
            joinedload(LogisticUnit.parts).joinedload(LogisticUnitPart.batch).joinedload(Batch.product),
            joinedload(LogisticUnit.household),
        )
    )
    if found is None:
        raise NotFound("no-case", _l("Không có thùng nào mang số %(sscc)s."), sscc=sscc[:20])
    return found


def contents(session: Session, sscc: str, cooperative_id: str) -> dict[str, int]:
    """Packs by batch of this cooperative's case, whatever became of it; empty when there is none."""
    insert_now(session)
    rows = session.execute(
        select(LogisticUnitPart.batch_id, LogisticUnitPart.units)
        .join(LogisticUnit, LogisticUnit.sscc == LogisticUnitPart.sscc)
        .where(LogisticUnit.sscc == sscc, LogisticUnit.cooperative_id == cooperative_id)
        .order_by(LogisticUnitPart.batch_id)
    )
    return {batch_id: units for batch_id, units in rows}


def packed_in(session: Session, batch_ids: Iterable[str]) -> dict[str, int]:
    """Packs of these batches that lie in closed cases; a batch that has none is not there."""
    rows = session.execute(
        select(LogisticUnitPart.batch_id, func.sum(LogisticUnitPart.units))
        .join(LogisticUnit, LogisticUnit.sscc == LogisticUnitPart.sscc)
        .where(LogisticUnitPart.batch_id.in_(list(batch_ids)), LogisticUnit.status == "closed")
        .group_by(LogisticUnitPart.batch_id)
    )
    return {batch_id: int(units) for batch_id, units in rows}


def refuse_cased(batch: Batch, units: int, cased: int, field: str | None = None) -> None:
    """Conflict when taking `units` packs of a batch would need some that lie in closed cases."""
    left = batch.left_units or 0
    if cased and units > left - cased:
        raise Conflict(
            "in-closed-cases",
            _l(
                "Lô %(lot)s còn %(left)s gói, trong đó %(cased)s gói nằm trong thùng đã đóng."
                " Bác mở thùng ra, hoặc ghi cả thùng, rồi hãy lấy."
            ),
            field=field,
            lot=batch.lot,
            left=left,
            cased=cased,
        )


def refuse_uncovered(session: Session, batches: Sequence[Batch]) -> None:
    """Conflict when fewer packs of a batch are left than lie in closed cases, as after a correction."""
    counted = [batch for batch in batches if batch.made_units is not None]
    cased = packed_in(session, [batch.id for batch in counted]) if counted else {}
    for batch in counted:
        refuse_cased(batch, 0, cased.get(batch.id, 0))


def check_closed(session: Session, who: Actor, sscc: str, takes: Mapping[str, int | None]) -> LogisticUnit:
    """The closed case whose whole content `takes` is, and for which this member works; else what speaks against it."""
    unit = find(session, sscc)
    if not who.works_for(unit.household_id, unit.cooperative_id):
        # Another's case: its number says nothing to who may not work with it.
        raise NotFound("no-case", _l("Không có thùng nào mang số %(sscc)s."), field="facts.sscc", sscc=sscc)
    if unit.status != "closed":
        raise Conflict(
            "case-not-closed", _l("Thùng %(sscc)s không còn đóng nữa."), field="facts.sscc", sscc=sscc,
            status=unit.status,
        )  # fmt: skip
    if dict(takes) != {part.batch_id: part.units for part in unit.parts}:
        raise BadInput("not-the-case", _l("Trong thùng không phải là những gói này."), field="inputs", sscc=sscc)
    return unit


def new_number(session: Session, cooperative_id: str, wanted: str | None) -> str:
    """A case's number: the one that the phone chose, if it is the cooperative's and free; else the next."""
    insert_now(session)
    prefix = prefix_of(session.get_one(Cooperative, cooperative_id).gln)
    if wanted is not None:
        sscc = number(wanted)
        if not sscc[1:].startswith(prefix):
            raise BadInput(
                "foreign-sscc", _l("Số thùng này không phải số GS1 của hợp tác xã mình."), field="facts.sscc", sscc=sscc
            )
        if session.get(LogisticUnit, sscc) is not None:
            raise Conflict("case-taken", _l("Đã có thùng mang số %(sscc)s rồi."), field="facts.sscc", sscc=sscc)
        return sscc
    while True:
        given = _next(session, prefix)
        if given >= sscc_room(prefix):
            raise Conflict(
                "no-more-ssccs",
                _l("Số thùng dưới mã %(prefix)s đã dùng hết. Văn phòng xem lại mã doanh nghiệp GS1 trong cài đặt nhé."),
                prefix=prefix,
            )
        sscc = sscc_of(prefix, given)
        # A phone may have chosen it.
        if session.get(LogisticUnit, sscc) is None:
            return sscc


def prefix_of(gln: str) -> str:
    """The GS1 company prefix of whoever has this GLN, as long as the settings say."""
    digits: int = current_app.extensions["soi"].gs1_prefix_digits
    return gln[:digits]


def _next(session: Session, prefix: str) -> int:
    """One statement, so that whoever comes at the same moment gets the one after."""
    mine = update(SsccCounter).where(SsccCounter.prefix == prefix).values(given=SsccCounter.given + 1)
    given = session.scalar(mine.returning(SsccCounter.given))
    if given is None:
        session.add(SsccCounter(prefix=prefix, given=1))
        session.flush()
        return 0
    return int(given) - 1


def pack(
    session: Session,
    sscc: str,
    household: Household,
    event_id: str,
    made_at: dt.datetime,
    parts: Mapping[str, int],
) -> None:
    """A case is closed over these packs, by batch; or a correction says what lay in it from the first."""
    insert_now(session)
    unit = session.get(LogisticUnit, sscc)
    if unit is None:
        unit = LogisticUnit(
            sscc=sscc, cooperative_id=household.cooperative_id, household_id=household.id, status="closed"
        )
        session.add(unit)
    unit.packed_event, unit.made_at, unit.parts = event_id, made_at, []
    # The old parts go first: the new ones may be of the same batches.
    session.flush()
    unit.parts = [LogisticUnitPart(sscc=sscc, batch_id=batch_id, units=units) for batch_id, units in parts.items()]
    session.flush()


def end(session: Session, sscc: str, event_id: str, status: UnitStatus) -> None:
    """A case is opened, shipped or lost in this event, whose row is there."""
    insert_now(session)
    unit = session.get_one(LogisticUnit, sscc)
    unit.status, unit.opened_event = status, event_id
    session.flush()


def unpack(session: Session, sscc: str, event_id: str) -> None:
    """The packing in this event turned out not to have been. Conflict when more became of the case since."""
    unit = _still_closed(session, sscc)
    unit.status, unit.opened_event = "opened", event_id
    session.flush()


def empty(session: Session, sscc: str) -> None:
    """A closed case, to be packed anew by a correction. Conflict when more became of it since."""
    _still_closed(session, sscc).parts = []
    session.flush()


def _still_closed(session: Session, sscc: str) -> LogisticUnit:
    unit = find(session, sscc)
    if unit.status != "closed":
        raise Conflict(
            "already-used",
            _l("Thùng %(sscc)s đã mở hoặc đã đi rồi. Bác sửa bước sau trước nhé."),
            sscc=sscc,
            status=unit.status,
        )
    return unit


def close_again(session: Session, sscc: str) -> None:
    """What ended the case turned out not to have happened. Conflict when its packs went elsewhere since."""
    unit = find(session, sscc)
    unit.status, unit.opened_event = "closed", None
    session.flush()
    refuse_uncovered(session, [part.batch for part in unit.parts])


def of_cooperative(session: Session, cooperative_id: str, household_id: str | None = None) -> list[LogisticUnit]:
    """A cooperative's cases, or one household's, with what lies in them: closed ones first, then the newest, `MOST`."""
    query = select(LogisticUnit).where(LogisticUnit.cooperative_id == cooperative_id)
    if household_id is not None:
        query = query.where(LogisticUnit.household_id == household_id)
    query = query.order_by(LogisticUnit.status != "closed", LogisticUnit.made_at.desc(), LogisticUnit.sscc)
    return list(
        session.scalars(
            query.limit(MOST).options(
                selectinload(LogisticUnit.parts).joinedload(LogisticUnitPart.batch).joinedload(Batch.product),
                joinedload(LogisticUnit.household),
            )
        )
    )
