"""What asks for the office's eye, counted: one place for it all, the urgent first."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select

from batches.balance.outliers import open_flags
from batches.devices.models import Device, Status
from batches.devices.services import WAITS
from batches.evidence.holds import held_count
from batches.evidence.reports import ending_count
from batches.field.stuck import stuck_count
from batches.office import corrected
from batches.sensors.alarms import sensor_alarms
from trace.capture.claims import personal_count
from trace.questions.answering import questions_count, serious_questions_count
from trace.recalls.reading import recall_count
from trace.units.office import copies_count
from village import clock
from village.certificates.models import Certificate
from village.db import db
from village.i18n import gettext as _
from village.outbox.services import outbox_count
from village.people.models import Member

SOON = 90
"""Days before its end that a certificate asks for attention."""


@dataclass(frozen=True)
class Matter:
    """Something to look at: how many of it, in words, where, and with which drawing."""

    count: int
    words: str
    url: str
    picture: str
    urgent: bool = False


def matters(cooperative_id: str, day_limit: int = SOON) -> list[Matter]:
    """Everything that waits for this cooperative's office; nothing that counts nought."""
    found = [
        Matter(count, words(count), url, picture, urgent)
        for count, words, url, picture, urgent in _asked(cooperative_id, day_limit)
        if count
    ]
    return sorted(found, key=lambda one: not one.urgent)


def _asked(coop: str, days: int) -> list[tuple[int, Callable[[int], str], str, str, bool]]:
    return [
        (
            _devices(coop),
            lambda n: _("%(count)s điện thoại xin được ký", count=n),
            "/coop/devices", "account", False,
        ),
        (
            recall_count(db.session(), coop),
            lambda n: _("%(count)s cuộc thu hồi đang làm", count=n),
            "/coop/recalls", "recall", True,
        ),
        (
            serious_questions_count(db.session(), coop),
            lambda n: _("%(count)s người mua báo chuyện gấp", count=n),
            "/coop/questions", "voice", True,
        ),
        (
            copies_count(db.session(), coop),
            lambda n: _("%(count)s dấu hiệu tem bị sao chép", count=n),
            "/coop/copies", "scan", True,
        ),
        (
            outbox_count(db.session(), coop),
            lambda n: _("%(count)s tin cần gọi điện hoặc gửi không được", count=n),
            "/coop/outbox", "dispatch", True,
        ),
        (
            personal_count(db.session(), coop),
            lambda n: _("%(count)s lời của đối tác có thể có tên người", count=n),
            "/coop/claims", "people", False,
        ),
        (
            questions_count(db.session(), coop),
            lambda n: _("%(count)s câu người mua hỏi chưa ai trả lời", count=n),
            "/coop/questions", "voice", False,
        ),
        (
            held_count(db.session(), coop),
            lambda n: _("%(count)s mẻ đang tạm giữ", count=n),
            "/coop/holds", "recall", True,
        ),
        (
            open_flags(db.session(), coop),
            lambda n: _("%(count)s con số lạ, nên hỏi lại", count=n),
            "/coop/outliers", "scales", True,
        ),
        (
            stuck_count(db.session(), coop),
            lambda n: _("%(count)s việc kẹt lại trong điện thoại của bà con", count=n),
            "/coop/stuck", "phone-offline", True,
        ),
        (
            sensor_alarms(db.session(), coop),
            lambda n: _("%(count)s cảm biến im lặng hoặc đo lạ", count=n),
            "/coop/sensors", "sensor", True,
        ),
        (
            corrected.unseen_count(coop),
            lambda n: _("%(count)s lần sửa chưa ai xem lại", count=n),
            "/coop/corrections", "pencil", False,
        ),
        (
            _ending(coop, days),
            lambda n: _("%(count)s giấy chứng nhận đã hoặc sắp hết hạn trong %(days)s ngày tới.", count=n, days=days),
            "/coop/certificates", "seal", False,
        ),
        (
            ending_count(db.session(), coop),
            lambda n: _("%(count)s phiếu kiểm nghiệm sắp hết hạn", count=n),
            "/coop/reports", "proof", False,
        ),
    ]  # fmt: skip


def _devices(coop: str) -> int:
    asking = select(func.count()).select_from(Device).join(Member, Member.id == Device.member_id)
    asking = asking.where(Member.cooperative_id == coop, Device.status == Status.PENDING)
    return db.session.scalar(asking.where(Device.asked_at > clock.now() - WAITS)) or 0


def _ending(coop: str, days: int) -> int:
    ends = clock.today() + dt.timedelta(days=days)
    query = select(func.count()).select_from(Certificate)
    return db.session.scalar(query.where(Certificate.cooperative_id == coop, Certificate.expires_on <= ends)) or 0
