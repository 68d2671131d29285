"""The office's page on the log: does it hold, who says so, and what is the matter."""

import datetime as dt
from functools import partial
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from trace.keeper import services
from trace.keeper.state import Facts
from trace.ledger import store, witnesses
from trace.ledger.evidence import found, titled
from trace.ledger.models import SelfCheck
from trace.ledger.policy import Policy
from trace.ledger.standing import standing
from trace.ledger.witnesses import PolicyTrouble
from village import clock
from village.db import db
from village.i18n import date, moment, number
from village.i18n import gettext as _
from village.people.access import actor, requires, signed_in
from village.people.models import Role

keeper = Blueprint("keeper", __name__, url_prefix="/coop/ledger", template_folder="templates")
EVIDENCE_SHOWN = 5


@keeper.get("")
@requires(Role.OFFICE, Role.AUDITOR)
def page() -> ResponseReturnValue:
    """How the log stands, in plain words."""
    state = store.ensure_born()
    facts = services.facts_now()
    assert facts is not None, "it was just born"
    try:
        policy = witnesses.policy()
    except PolicyTrouble:
        policy = Policy()  # the alarm above says so
    stands = standing(db.session(), state, policy)
    return render_template(
        "keeper/ledger.html",
        facts=facts,
        state=state,
        stands=stands,
        check=stands.check,
        knots=knots(facts, stands.check),
        checking=services.checking(state.origin),
        witnesses=witnesses.standings(db.session()) if policy.witnesses else [],
        said=witnesses.said,
        evidence=found(db.session())[:EVIDENCE_SHOWN],
        titled=titled,
        office=signed_in().has(Role.OFFICE),
        ago=partial(ago, now=clock.now()),
        alarms=services.alarms_now(),
        stamping=services.stamping(),
    )


@keeper.post("/check")
@requires(Role.OFFICE)
def check() -> ResponseReturnValue:
    """Have the whole log read again, now."""
    services.ask_check()
    flash(_("Đang soi lại cả cuốn sổ. Lát nữa bác mở lại trang này xem nhé."), "done")
    return redirect(url_for("keeper.page"))


def knots(facts: Facts, check: SelfCheck | None) -> list[dict[str, Any]]:
    """The log as one strand, newest entry at the top, the first at the bottom, and in between what the last check
    found: where it ended, or where the strand is cut."""
    last = facts.size - 1
    newest = {
        "title": _("Dòng %(index)s", index=number(last)), "text": _("Dòng mới nhất của sổ"), "picture": "pack",
        "state": "whole",
    }  # fmt: skip
    oldest = {
        "title": _("Dòng 0"), "text": _("Sổ mở từ ngày %(day)s", day=date(facts.born_at)), "picture": "field",
        "state": "whole",
    }  # fmt: skip
    if check is None:
        return [newest | {"state": "doubt", "why": _("Chưa soi lần nào.")}, oldest]
    when = {"when": _("Soi lúc %(when)s", when=moment(check.began_at)), "picture": "proof"}
    if check.holds:
        title = _("Soi đến dòng %(index)s", index=number(check.size - 1))
        since = facts.size - check.size
        after = {"text": _("Từ đó sổ thêm %(count)s dòng", count=number(since)) if since else ""}
        return [newest, {"title": title, "state": "whole"} | when | after, oldest]
    if check.first_bad is None:
        title = _("Cả cuốn sổ")
        why = _("Các dòng đọc được, nhưng có chỗ không khớp với con số đã ký.")
    else:
        title = _("Dòng %(index)s", index=number(check.first_bad))
        why = _("Dòng này không còn đúng như lúc ghi. Từ đây trở lên chưa dám chắc.")
    cut = {"title": title, "state": "cut", "why": why} | when | {"picture": "cut-strand"}
    above = [newest] if check.first_bad is None or check.first_bad < last else []
    below = [oldest] if check.first_bad != 0 else []
    return [*above, cut, *below]


def banner() -> dict[str, object]:
    """For every page's frame: what the office must hear of, or nothing for anybody else."""
    who = actor()
    return {"alarm": _alarm() if who is not None and who.has(Role.OFFICE, Role.AUDITOR) else None}


def _alarm() -> tuple[str, str] | None:
    found = services.alarms_now()
    return (found[0].words, url_for("keeper.page")) if found else None


def ago(then: dt.datetime, now: dt.datetime) -> str:
    """How long since, in the largest unit that fits."""
    seconds = max(int((now - then).total_seconds()), 0)
    if seconds < 90:
        return _("vừa xong")
    if seconds < 90 * 60:
        return _("%(count)s phút trước", count=round(seconds / 60))
    if seconds < 36 * 3600:
        return _("%(count)s giờ trước", count=round(seconds / 3600))
    return _("%(count)s ngày trước", count=round(seconds / 86400))
