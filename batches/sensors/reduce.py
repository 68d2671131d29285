"""A window of one sensor's readings as a series: single ones where they are kept, quarters of an hour where not."""

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from batches.sensors.models import Sensor, SensorQuarter, SensorReading
from trace.series.reduced import Series, joined, step_for

QUARTER = 900
"""Seconds."""

_R, _Q = SensorReading.__table__.c, SensorQuarter.__table__.c


def series(session: Session, sensor: Sensor, start: int, end: int, *, least: int = 60) -> Series:
    """What `sensor` told from `start` to `end` (Unix seconds), in steps of at least `least` seconds. It may have no
    rows. Where the window reaches back to what was thinned, its steps are at least a quarter of an hour."""
    quarters = session.execute(
        select(_Q.at, _Q.low, _Q.total, _Q.high, _Q.count, _Q.left_out).where(
            _Q.sensor_number == sensor.number, _Q.at >= start // QUARTER * QUARTER, _Q.at < end
        )
    ).all()
    step = step_for(start, end, max(least, QUARTER if quarters else 0))
    first = start // step
    fits = and_(_R.value >= sensor.low, _R.value <= sensor.high)
    rows = session.execute(
        select(
            (_R.at // (step * 1000)).label("slot"),
            func.min(case((fits, _R.value))),
            func.sum(case((fits, _R.value), else_=0)),
            func.max(case((fits, _R.value))),
            func.sum(case((fits, 1), else_=0)),
            func.count(),
        )
        .where(_R.sensor_number == sensor.number, _R.at >= start * 1000, _R.at < end * 1000)
        .group_by("slot")
    ).all()
    whole = [(int(at) - first, low, int(total), high, int(good)) for at, low, total, high, good, _all in rows if good]
    whole += [(at // step - first, low, int(total), high, n) for at, low, total, high, n, _out in quarters if n]
    return Series(
        sensor=sensor.id,
        type=sensor.type,
        unit=sensor.unit,
        start=start,
        end=end,
        step=step,
        low=sensor.low,
        high=sensor.high,
        left_out=sum(all_ - int(good) for *_rest, good, all_ in rows) + sum(row.left_out for row in quarters),
        # A quarter that began before the window is told at the window's beginning.
        rows=joined((max(slot, 0), low, total, high, count) for slot, low, total, high, count in whole),
    )
