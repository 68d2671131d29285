"""Self-checks: what `flask ledger verify --json` reported, kept in rows."""

import datetime as dt
import json

from sqlalchemy import delete, select

from trace.keeper.schedule import CHECKS_KEPT
from trace.ledger.models import SelfCheck
from village.db import write

MOST_WORDS = 500


class CheckFailed(Exception):
    """The check did not come to an end, so that nothing is known."""


def read_report(said: str, status: int, began: dt.datetime, ended: dt.datetime) -> SelfCheck:
    """What a check that ended with this exit status said, as a row; raises CheckFailed when it did not finish."""
    try:
        told = json.loads(said)
        holds, size, first_bad = told["holds"], told["entries"], told["first_bad"]
        what = str(told["what"] or "")
    except (ValueError, TypeError, KeyError) as error:
        raise CheckFailed(f"the check ended with status {status} and without a report") from error
    whole = type(holds) is bool and type(size) is int and (first_bad is None or type(first_bad) is int)
    if not whole or status != (0 if holds else 1):
        raise CheckFailed(f"the check ended with status {status} and a report that does not fit")
    return SelfCheck(
        began_at=began, ended_at=ended, size=size, holds=holds, first_bad=first_bad, what=what[:MOST_WORDS]
    )


def keep(check: SelfCheck) -> None:
    """Keep it, and let the oldest go."""
    with write() as session:
        session.add(check)
        session.flush()
        old = select(SelfCheck.id).order_by(SelfCheck.id.desc()).offset(CHECKS_KEPT).limit(1).scalar_subquery()
        session.execute(delete(SelfCheck).where(SelfCheck.id <= old))
