"""What the office hears of phones: stages that are stuck on them and why, and phones that were long not heard of."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, contains_eager

from batches.devices.models import Device, Status
from batches.field.models import PhoneHeard, RefusedRecord
from batches.processes.catalogue import all_processes
from trace.events.models import Event
from trace.lots.models import Batch
from village import clock
from village.db import db, write
from village.errors import NotFound
from village.i18n import in_language
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.people.models import Member

SILENT = dt.timedelta(days=7)
"""After so long without a word a phone is shown to the office; with work still on it, much sooner."""
SILENT_WITH_WORK = dt.timedelta(days=2)
SHOWN = 200


@dataclass(frozen=True)
class Stuck:
    """A record that somebody's phone keeps because it was refused."""

    record: RefusedRecord
    stage: str
    """The stage's name, for a reader."""
    help: str
    """What the office can do about it."""
    batches: tuple[Batch, ...]
    """The batches it names that the village has."""


def stuck(who: Actor) -> list[Stuck]:
    """What is stuck on the phones of the cooperative's members, the oldest first."""
    rows = _unsettled(who.cooperative_id).options(contains_eager(RefusedRecord.member))
    records = db.session.scalars(rows.order_by(RefusedRecord.first_at, RefusedRecord.event_id).limit(SHOWN)).all()
    epcs = {epc for one in records for epc in one.batches}
    named = select(Batch).where(Batch.epc.in_(epcs), Batch.cooperative_id == who.cooperative_id)
    known = {batch.epc: batch for batch in db.session.scalars(named)} if epcs else {}
    return [
        Stuck(
            one, _stage_name(one), str(HELP.get(one.slug, _OTHERWISE)),
            tuple(known[epc] for epc in one.batches if epc in known),
        )
        for one in records
    ]  # fmt: skip


def stuck_count(session: Session, cooperative_id: str) -> int:
    """How many records are stuck on the phones of this cooperative's members."""
    rows = _unsettled(cooperative_id).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def silent_phones(who: Actor) -> Sequence[PhoneHeard]:
    """Phones that sign and were not heard of for days, the longest silent first."""
    now = clock.now()
    rows = (
        select(PhoneHeard)
        .join(PhoneHeard.device)
        .join(Device.member)
        .options(contains_eager(PhoneHeard.device).contains_eager(Device.member))
        .where(
            Member.cooperative_id == who.cooperative_id,
            Device.status == Status.ENROLLED,
            (PhoneHeard.heard_at < now - SILENT)
            | ((PhoneHeard.waiting > 0) & (PhoneHeard.heard_at < now - SILENT_WITH_WORK)),
        )
        .order_by(PhoneHeard.heard_at)
        .limit(SHOWN)
    )
    return db.session.scalars(rows).all()


def hear(who: Actor, key: str, waiting: int, oldest: dt.datetime | None) -> None:
    """A phone tells how much it still keeps."""
    with write() as session:
        device = session.get(Device, key, with_for_update=True)
        if device is None or device.member_id != who.id:
            raise NotFound("no-device", _l("Không có khoá máy nào như vậy."))
        row = session.get(PhoneHeard, key)
        if row is None:
            row = PhoneHeard(key=key)
            session.add(row)
        row.heard_at, row.waiting, row.oldest_at = clock.now(), waiting, oldest


def _unsettled(cooperative_id: str) -> Select[RefusedRecord]:
    return (
        select(RefusedRecord)
        .join(RefusedRecord.member)
        .where(
            Member.cooperative_id == cooperative_id,
            RefusedRecord.dropped_at.is_(None),
            ~select(Event.id).where(Event.id == RefusedRecord.event_id).exists(),
        )
    )


def _stage_name(record: RefusedRecord) -> str:
    process = all_processes().get(record.process)
    for stage in process.stages if process else ():
        if stage.key == record.stage:
            return in_language(stage.name.vi, stage.name.en)
    return record.stage


_AMOUNT = _l(
    "Bà con xem lại số cân trên máy. Nếu lần ghi khác mới sai thì văn phòng sửa lần ghi ấy, rồi bà con gửi lại."
)
_BATCH = _l("Mẻ này không còn dùng được. Bà con chọn mẻ khác trên máy, hoặc bỏ lần ghi này.")
_TIME = _l("Ngày giờ trên điện thoại sai. Bà con chỉnh lại đồng hồ rồi sửa giờ của lần ghi.")
_KEY = _l("Khoá của máy không dùng nữa. Bà con làm khoá mới, văn phòng duyệt, rồi máy ký lại.")
_GONE = _l("Văn phòng xem lại quy trình, sản phẩm và nơi làm: có thứ lần ghi này cần đã bị bỏ đi.")
_OTHERWISE = _l("Gọi cho bà con, cùng xem lần ghi này trên máy: sửa, gửi lại, hoặc bỏ đi.")
HELP = {
    "not-enough-left": _l(
        "Máy khác đã lấy trước nên không còn đủ. Hai bên xem lại ai lấy bao nhiêu; lần ghi nào sai thì sửa lần ấy."
    ),
    "on-hold": _l("Mẻ đang tạm giữ. Xem xong, thả ra được thì bà con gửi lại."),
    "reason-needed": _l("Số khác mọi khi. Bà con ghi thêm lý do rồi gửi lại."),
    "no-batch": _BATCH,
    "not-your-batch": _BATCH,
    "future-time": _TIME,
    "too-old": _TIME,
    "before-its-making": _TIME,
    "device-revoked": _KEY,
    "device-lost": _KEY,
    "device-refused": _KEY,
    "device-number-used": _l(
        "Số thứ tự này máy đã dùng cho lần ghi khác, như khi dữ liệu máy bị chép lại. Bà con bấm ký lại."
    ),
    "lot-taken": _l("Mã lô đã có mẻ khác dùng. Bà con bấm ký lại, máy tự lấy mã mới."),
    "yield-above-bound": _AMOUNT,
    "yield-below-bound": _AMOUNT,
    "overall-above-bound": _AMOUNT,
    "overall-below-bound": _AMOUNT,
    "packed-more-than-there-is": _AMOUNT,
    "unknown-process": _GONE,
    "unknown-stage": _GONE,
    "unknown-site": _GONE,
    "unknown-product": _GONE,
    "wrong-product": _GONE,
}
"""What helps against each problem, by its name."""
