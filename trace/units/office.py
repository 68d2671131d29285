"""What the office reads of signs of copying, and what it does about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from trace.lots.models import Batch
from trace.units.drawing import Told
from trace.units.models import LotScan, Sign, Unit, UnitScan, Verdict
from trace.units.writing import judge_units
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.text import clean_text

PAGE = 30
NOTE_MAX = 500
UNKNOWN_SERIALS = "?"
"""The place under which scans of numbers that were never issued are drawn."""


@dataclass(frozen=True)
class Page:
    """Some signs, the newest first."""

    signs: Sequence[Sign]
    more: bool


def copies_count(session: Session, cooperative_id: str) -> int:
    """How many signs of copying nobody in this cooperative's office has looked at."""
    mine = select(func.count()).select_from(Sign).join(Batch, Batch.id == Sign.batch_id)
    return session.scalar(mine.where(Batch.cooperative_id == cooperative_id, Sign.verdict == "open")) or 0


def signs(who: Actor, verdict: Verdict, asked: str, page: int) -> Page:
    """The cooperative's signs; `asked` is a lot or a serial number, or the beginning of one."""
    query = (
        select(Sign)
        .join(Sign.batch)
        .outerjoin(Sign.unit)
        .where(Batch.cooperative_id == who.cooperative_id, Sign.verdict == verdict)
        .options(joinedload(Sign.batch).joinedload(Batch.product), joinedload(Sign.unit), joinedload(Sign.member))
        .order_by(Sign.last_at.desc(), Sign.id)
    )
    if asked:
        text = asked.upper().replace(" ", "")
        query = query.where(Batch.lot.startswith(text, autoescape=True) | Unit.serial.startswith(text, autoescape=True))
    found = list(db.session.scalars(query.offset((page - 1) * PAGE).limit(PAGE + 1)))
    return Page(found[:PAGE], len(found) > PAGE)


def sign(who: Actor, sign_id: str) -> Sign:
    """One sign of the asker's own cooperative; NotFound otherwise."""
    return _mine(db.session(), who, sign_id)


def told(found: Sign) -> list[Told]:
    """The days and places behind a sign: of its pack, or of all packs of its lot."""
    if found.unit_id is not None:
        rows = db.session.execute(
            select(UnitScan.day, UnitScan.place, UnitScan.scans, UnitScan.networks).where(
                UnitScan.unit_id == found.unit_id
            )
        )
        return [Told(day, place, scans, networks) for day, place, scans, networks in rows]
    # Marks of different packs are different secrets' and cannot be put together; two packs are two networks at least.
    packs = db.session.execute(
        select(UnitScan.day, UnitScan.place, func.sum(UnitScan.scans), func.count())
        .join(Unit, Unit.id == UnitScan.unit_id)
        .where(Unit.batch_id == found.batch_id)
        .group_by(UnitScan.day, UnitScan.place)
    )
    days = [Told(day, place, int(scans), 3 if units > 1 else 1) for day, place, scans, units in packs]
    unknown = db.session.execute(
        select(LotScan.day, LotScan.unknown).where(LotScan.batch_id == found.batch_id, LotScan.unknown > 0)
    )
    return days + [Told(day, UNKNOWN_SERIALS, scans, 1) for day, scans in unknown]


def others(found: Sign) -> Sequence[Sign]:
    """The other signs of the same lot, those nobody looked at first."""
    query = (
        select(Sign)
        .where(Sign.batch_id == found.batch_id, Sign.id != found.id)
        .options(joinedload(Sign.unit))
        .order_by(Sign.verdict != "open", Sign.last_at.desc(), Sign.id)
    )
    return db.session.scalars(query.limit(PAGE)).all()


def look(who: Actor, sign_id: str, verdict: object, note: object) -> Sign:
    """The office has looked: `fine` for harmless (buyers are no longer told), `copied` for a copy (they still are)."""
    if verdict not in ("fine", "copied"):
        raise BadInput("bad-verdict", _l("Bác chọn: không sao, hay đúng là bị chép."), field="verdict")
    text = clean_text(note, "note", NOTE_MAX, required=True)
    with write() as session:
        found = _mine(session, who, sign_id)
        found.verdict, found.note = verdict, text
        found.looked_at, found.looked_by = clock.now(), who.id
        session.flush()
        if found.unit_id is not None:
            judge_units(session, [found.unit_id])
        return found


def void(who: Actor, sign_id: str) -> Sign:
    """Call a sign's serial number in: whoever scans it is asked not to use the pack. It is not undone."""
    with write() as session:
        found = _mine(session, who, sign_id)
        if found.unit is None:
            raise BadInput("no-serial", _l("Dấu hiệu này là của cả lô, không có số riêng nào để huỷ."))
        unit = session.get_one(Unit, found.unit.id, with_for_update={"key_share": True}, populate_existing=True)
        if unit.voided_at is not None:
            raise Conflict("voided-before", _l("Số này đã huỷ từ trước rồi."))
        unit.voided_at = clock.now()
        return found


def _mine(session: Session, who: Actor, sign_id: str) -> Sign:
    found = session.scalar(
        select(Sign)
        .join(Sign.batch)
        .where(Sign.id == sign_id, Batch.cooperative_id == who.cooperative_id)
        .options(joinedload(Sign.batch).joinedload(Batch.product), joinedload(Sign.unit), joinedload(Sign.member))
    )
    if found is None:
        raise NotFound("no-sign", _l("Không có dấu hiệu này, hoặc không phải của hợp tác xã mình."))
    return found
