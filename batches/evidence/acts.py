"""The office's own inspections: events of no process's stage, on the ledger like any other."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.events.models import Event
from trace.events.services import Happening, Recorded, Share, record
from trace.gs1.digital_link import parse_path
from trace.gs1.errors import Gs1Error
from trace.lots.holding import HOLD, RELEASE, REPORT
from trace.lots.models import Batch
from trace.lots.services import refresh_holds
from village import clock
from village.db import insert_now
from village.errors import BadInput, NotFound
from village.i18n import lazy_gettext as _l
from village.i18n import marked
from village.ids import is_uuid
from village.people.access import Actor, wrong_role
from village.people.models import Role

HELD_BY_OFFICE = marked("Văn phòng hợp tác xã đang tạm giữ để xem lại.")
REPORT_FAILED = marked("Phiếu kiểm nghiệm chưa đạt.")
"""Why a batch is held; messages' names, translated where they are shown. The office's own words stay in the note."""
_NAMES = {
    HOLD: ("Hợp tác xã tạm giữ", "Put on hold by the cooperative", "recall", "holding"),
    RELEASE: ("Hợp tác xã cho dùng lại", "Released by the cooperative", "proof", "inspecting"),
    REPORT: ("Kiểm nghiệm", "Laboratory test", "inspect", "inspecting"),
}
_WHY = {HOLD: HELD_BY_OFFICE, RELEASE: HELD_BY_OFFICE, REPORT: REPORT_FAILED}
LONGEST = 200


def office_only(who: Actor) -> None:
    """Refuse whoever is not of an office."""
    if not who.has(Role.OFFICE):
        raise wrong_role()


def done_before(session: Session, event_id: str, field: str) -> bool:
    """True for a form that was sent twice. BadInput for an id that is none."""
    if not is_uuid(event_id):
        raise BadInput("bad-id", _l("Mã của lần ghi phải là một UUID viết thường."), field=field)
    return session.get(Event, event_id) is not None


def act(
    session: Session, who: Actor, stage: str, event_id: str, batches: Sequence[Batch], *, passed: bool, note: str = "",
    facts: Mapping[str, str] | None = None,
) -> Recorded:  # fmt: skip
    """Record the office's act on batches of one process and household, in the caller's `write(ledger=True)`, and hold
    or free what follows from it."""
    name_vi, name_en, picture, biz_step = _NAMES[stage]
    first = batches[0]
    recorded = record(
        session,
        Happening(
            id=event_id, kind="inspect", process=first.process, process_version=first.process_version, stage=stage,
            name=(name_vi, name_en), story=("", ""), picture=picture, biz_step=biz_step, disposition=None,
            occurred_at=clock.now().astimezone(clock.VN), site=first.site, household_id=first.household_id,
            member_id=who.id, about=[Share(batch) for batch in batches], note=note, passed=passed, facts=facts or {},
        ),
    )  # fmt: skip
    insert_now(session)
    for batch in batches:
        refresh_holds(session, batch.id, _WHY[stage])
    return recorded


def batches_named(session: Session, who: Actor, text: str, field: str) -> list[Batch]:
    """The cooperative's batches that a field names: lot codes, or what a scan of their labels gave, with blanks or
    commas between them. Locked against other writers."""
    named = dict.fromkeys(text.replace(",", " ").split())
    if not named:
        raise BadInput("which-lot", _l("Bác ghi mã lô in trên tem, hoặc dán địa chỉ quét được."), field=field)
    if len(named) > 50:
        raise BadInput("too-many-lots", _l("Một lần nhiều nhất 50 lô thôi nhé."), field=field)
    return [_batch(session, who, one, field) for one in named]


def _batch(session: Session, who: Actor, name: str, field: str) -> Batch:
    query = select(Batch).where(Batch.cooperative_id == who.cooperative_id, Batch.void.is_(False))
    at = name.find("/01/")
    if at >= 0:
        try:
            link = parse_path(name[at:].partition("?")[0])
        except Gs1Error as error:
            raise _no_lot(name, field) from error
        query = query.where(Batch.gtin == link.gtin, Batch.lot == link.lot)
    else:
        query = query.where(Batch.lot == name)
    found = session.scalars(query.order_by(Batch.id).limit(2).with_for_update()).all()
    if not found:
        raise _no_lot(name, field)
    if len(found) > 1:
        raise BadInput(
            "which-lot", _l("Mã %(lot)s có ở hai sản phẩm. Bác dán địa chỉ quét được từ tem nhé."),
            field=field, lot=name,
        )  # fmt: skip
    return found[0]


def _no_lot(name: str, field: str) -> BadInput:
    return BadInput("no-such-lot", _l("Hợp tác xã không có lô nào mang mã %(lot)s."), field=field, lot=name[:60])


def no_such_hold() -> NotFound:
    """For a batch that is not held for itself, or is another cooperative's."""
    return NotFound("no-hold", _l("Mẻ này không bị tạm giữ, hoặc bị giữ vì một mẻ trước nó."))
