"""How the log grew, day by day, for its drawing."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trace.ledger.models import LedgerEntry
from village import clock

DAYS = 60


@dataclass(frozen=True)
class Bar:
    """One day of the drawing: entries added, and its height in hundredths of the tallest day."""

    day: dt.date
    entries: int
    height: int


def growth(session: Session, days: int = DAYS) -> list[Bar]:
    """The last `days` days in the village's zone, oldest first, quiet days included."""
    today = clock.today()
    first = today - dt.timedelta(days=days - 1)
    since = dt.datetime.combine(first, dt.time(), clock.VN).astimezone(dt.UTC)
    # Vietnam is seven hours ahead all year round.
    shifted = (
        func.date(LedgerEntry.recorded_at, "+7 hours")
        if session.get_bind().dialect.name == "sqlite"
        else func.to_char(func.timezone("Asia/Ho_Chi_Minh", LedgerEntry.recorded_at), "YYYY-MM-DD")
    )
    rows = session.execute(
        select(shifted, func.count()).where(LedgerEntry.recorded_at >= since).group_by(shifted)
    )
    counts = {str(day): int(count) for day, count in rows}
    tallest = max(counts.values(), default=1)
    wanted = [first + dt.timedelta(days=n) for n in range(days)]
    return [Bar(d, n := counts.get(d.isoformat(), 0), -(-100 * n // tallest)) for d in wanted]
