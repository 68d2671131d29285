"""Thinning: readings older than SENSOR_RAW_DAYS become quarters of an hour. What went with a batch is kept apart.

One sensor's day at a time, each in a transaction of its own: intake never waits for long, and cut off it goes on later.
"""

import datetime as dt
import time

from flask import current_app
from sqlalchemy import and_, case, delete, func, select
from sqlalchemy.orm import Session

from batches.sensors.intake import milliseconds
from batches.sensors.models import Sensor, SensorQuarter, SensorReading
from batches.sensors.reduce import QUARTER
from village import clock
from village.db import db, insert_later, write

DAY = 86_400_000
"""Milliseconds. Days are UTC's: they only part the work."""
MARGIN = dt.timedelta(days=1)
"""Kept beyond the days that intake still takes: what comes late is compared with what is there."""

_R = SensorReading.__table__.c


def tidy(seconds: float) -> tuple[int, bool]:
    """Thin for at most about `seconds`; how many readings went, and whether all is done."""
    days = dt.timedelta(days=current_app.extensions["soi"].sensor_raw_days) + MARGIN
    # A whole day: no quarter is made twice.
    horizon = milliseconds(clock.now() - days) // DAY * DAY
    numbers = list(db.session.scalars(select(Sensor.number).order_by(Sensor.number)))
    db.session.rollback()
    until = time.monotonic() + seconds
    gone = 0
    for number in numbers:
        while True:
            if time.monotonic() > until:
                return gone, False
            with write() as session:
                thinned = _thin_a_day(session, number, horizon)
            if not thinned:
                break
            gone += thinned
    return gone, True


def _thin_a_day(session: Session, number: int, horizon: int) -> int:
    """Thin the oldest day of one sensor; how many readings went. 0: there is none before the horizon."""
    sensor = session.get_one(Sensor, number, with_for_update=True)
    oldest = session.scalar(select(func.min(_R.at)).where(_R.sensor_number == number, _R.at < horizon))
    if oldest is None:
        return 0
    day = oldest // DAY * DAY
    mine = and_(_R.sensor_number == number, _R.at >= day, _R.at < day + DAY)
    fits = and_(_R.value >= sensor.low, _R.value <= sensor.high)
    rows = session.execute(
        select(
            (_R.at // (QUARTER * 1000)).label("quarter"),
            func.min(case((fits, _R.value))),
            func.sum(case((fits, _R.value), else_=0)),
            func.max(case((fits, _R.value))),
            func.sum(case((fits, 1), else_=0)),
            func.count(),
        )
        .where(mine)
        .group_by("quarter")
    )
    insert_later(
        session,
        SensorQuarter.__table__,
        [
            {
                "sensor_number": number,
                "at": int(quarter) * QUARTER,
                "low": low if good else 0,
                "total": int(total),
                "high": high if good else 0,
                "count": int(good),
                "left_out": whole - int(good),
            }
            for quarter, low, total, high, good, whole in rows
        ],
    )
    return int(session.execute(delete(SensorReading).where(mine)).rowcount)  # type: ignore[attr-defined]  # a DELETE's result counts
