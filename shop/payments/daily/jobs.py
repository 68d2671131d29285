"""Every morning the day before is fetched and compared, once for each account; and so on demand."""

import datetime as dt
from typing import Any

import requests
from flask import url_for
from sqlalchemy import select

from shop.payments.bank.models import BankAccount, Reconciliation
from shop.payments.bank.told import Unreadable
from shop.payments.daily import services
from shop.payments.daily.services import DAY, can_fetch, reconcile
from village import clock
from village.clock import VN
from village.db import db, write
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind
from village.jobs.models import Job
from village.jobs.services import ask
from village.jobs.work import Work

AFTER = dt.time(2, 30)
"""Banks have closed the day before by then."""
TRIES = 6
"""Jobs for one day of one account that may fail, an hour between them, before a person has to ask."""
PAUSE = dt.timedelta(hours=1)


@kind(DAY, name=_l("Đối chiếu với ngân hàng"), where=lambda job: url_for("payment_desk.bank"))
def compare_day(work: Work) -> dict[str, Any]:
    """Fetch a day and compare it. Done again, it finds nothing new."""
    work.progress(0, 1, _("Đang hỏi ngân hàng…"), now=True)
    try:
        made = reconcile(work.args["cooperative"], dt.date.fromisoformat(work.args["day"]))
    except (requests.RequestException, Unreadable) as error:
        # Its text may hold an address with a key in it; its kind says enough.
        raise RuntimeError(f"the day could not be fetched: {type(error).__name__}") from None
    return {"lines": made.lines, "missing": made.missing, "unknown": made.unknown, "faults": made.faults}


def ask_for_yesterday() -> None:
    """Ask for the day before, where it was not compared yet; called every few seconds, and nearly always finds that
    there is nothing to ask for."""
    now = clock.now().astimezone(VN)
    if now.time() < AFTER:
        return
    day = services.yesterday()
    done = select(Reconciliation.cooperative_id).where(Reconciliation.day == day, Reconciliation.source != "statement")
    accounts = db.session.scalars(select(BankAccount).where(BankAccount.cooperative_id.not_in(done))).all()
    wanted = [account.cooperative_id for account in accounts if can_fetch(account)]
    asked = db.session.execute(
        select(Job.args, Job.made_at).where(Job.kind == DAY, Job.made_at >= clock.now() - dt.timedelta(days=1))
    ).all() if wanted else []  # fmt: skip
    db.session.remove()
    for cooperative_id in wanted:
        made = [when for args, when in asked if args == {"cooperative": cooperative_id, "day": day.isoformat()}]
        if len(made) < TRIES and all(when < clock.now() - PAUSE for when in made):
            with write() as session:
                ask(session, DAY, None, {"cooperative": cooperative_id, "day": day.isoformat()})
