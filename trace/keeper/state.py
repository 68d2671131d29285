"""How the log stands, as one question to the database, and what of it the office must hear."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, select

from trace.keeper.schedule import ANCHOR_LATE, CHECK_LATE, EVIDENCE_NEWS, WITNESS_LATE
from trace.ledger.models import Anchor, Evidence, LedgerEntry, LedgerState, SelfCheck, WitnessSeen
from trace.ledger.policy import Policy
from village.db import read_once
from village.i18n import date, number
from village.i18n import gettext as _

RESUMED = "resumed"
"""The kind of evidence by which the operator says that what was found before is explained."""


@dataclass(frozen=True)
class Facts:
    """How the log stands. Moments are None where the thing never happened."""

    size: int
    halted: str | None
    born_at: dt.datetime
    check_began: dt.datetime | None
    check_holds: bool | None
    first_bad: int | None
    evidence: int
    """How many pieces in all."""
    found_at: dt.datetime | None
    """When the newest piece was found that nobody explained since."""
    unstamped_since: dt.datetime | None
    """When the oldest entry was recorded that no stamp covers; None when all are covered."""
    unwitnessed_since: dt.datetime | None
    """When the oldest entry was recorded that some witness has not seen; None when all have seen all."""

    @property
    def checked_or_born(self) -> dt.datetime:
        """Since when nobody looked."""
        return self.check_began or self.born_at


def _newest(column: ColumnElement[object]) -> ColumnElement[object]:
    return select(column).order_by(SelfCheck.id.desc()).limit(1).scalar_subquery()


def _question() -> Select[Any]:
    covered = select(func.coalesce(func.max(Anchor.size), literal(0))).scalar_subquery()
    hindmost = (
        select(func.min(func.coalesce(WitnessSeen.size, literal(0))))
        .where(WitnessSeen.vkey.in_(bindparam("witnesses", expanding=True)))
        .scalar_subquery()
    )
    explained = select(func.coalesce(func.max(Evidence.id), literal(0))).where(Evidence.kind == RESUMED)
    born = func.coalesce(
        select(LedgerEntry.recorded_at).where(LedgerEntry.index == 0).scalar_subquery(), LedgerState.signed_at
    )
    return select(
        LedgerState.size,
        LedgerState.halted,
        born.label("born_at"),
        _newest(SelfCheck.__table__.c.began_at).label("check_began"),
        _newest(SelfCheck.__table__.c.holds).label("check_holds"),
        _newest(SelfCheck.__table__.c.first_bad).label("first_bad"),
        select(func.count()).select_from(Evidence).where(Evidence.kind != RESUMED).scalar_subquery().label("evidence"),
        select(func.max(Evidence.found_at))
        .where(Evidence.kind != RESUMED, Evidence.id > explained.scalar_subquery())
        .scalar_subquery()
        .label("found_at"),
        select(LedgerEntry.recorded_at)
        .where(LedgerEntry.index == covered)
        .scalar_subquery()
        .label("unstamped_since"),
        select(LedgerEntry.recorded_at)
        .where(LedgerEntry.index == hindmost)
        .scalar_subquery()
        .label("unwitnessed_since"),
    )


_QUESTION = _question()


def facts(policy: Policy) -> Facts | None:
    """How the log stands with its witnesses of this policy, in one query; None before it is born.

    Past the session: a banner that fails must not spoil the transaction of the page that it stands on.
    """
    rows = read_once(_QUESTION, {"witnesses": [witness.key.vkey for witness in policy.witnesses]})
    return Facts(**rows[0]._asdict()) if rows else None


@dataclass(frozen=True)
class Alarm:
    """Something that the office must hear of, in one sentence."""

    kind: str
    words: str


def alarms(it: Facts, now: dt.datetime, *, stamped: bool) -> list[Alarm]:
    """What is the matter, worst first. `stamped`: whether there is an authority that should stamp the log."""
    tests: tuple[tuple[str, bool, Callable[[], str]], ...] = (
        ("broken", it.check_holds is False, lambda: _broken(it)),
        ("halted", it.halted is not None, lambda: _("Sổ đang dừng ký. Chưa ghi thêm được gì vào sổ.")),
        (
            "evidence",
            it.found_at is not None and now - it.found_at < EVIDENCE_NEWS,
            lambda: _("Có điều trái với sổ của mình mà chưa ai xem lại."),
        ),
        (
            "check-late",
            now - it.checked_or_born > CHECK_LATE,
            lambda: _("Sổ chưa được soi lại từ ngày %(day)s.", day=date(it.checked_or_born)),
        ),
        (
            "witness-late",
            it.unwitnessed_since is not None and now - it.unwitnessed_since > WITNESS_LATE,
            lambda: _("Có người làm chứng hơn một ngày chưa ký tiếp."),
        ),
        (
            "stamp-late",
            stamped and it.unstamped_since is not None and now - it.unstamped_since > ANCHOR_LATE,
            lambda: _("Đã hơn hai ngày sổ chưa được nơi ngoài đóng dấu giờ."),
        ),
    )
    return [Alarm(kind, words()) for kind, raised, words in tests if raised]


def _broken(it: Facts) -> str:
    if it.first_bad is None:
        return _("Sổ không còn nguyên: lần soi gần nhất thấy có chỗ không khớp.")
    return _("Sổ không còn nguyên: dòng %(index)s không khớp với con số đã ký.", index=number(it.first_bad))
