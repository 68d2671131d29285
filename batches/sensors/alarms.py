"""What is the matter with sensors: silent while a batch is there, out of bounds, or stuck at one value."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from batches.processes.catalogue import all_processes
from batches.processes.models import Kind
from batches.sensors.models import Sensor
from trace.lots.models import Batch
from village import clock
from village.db import db

Trouble = Literal["silent", "bounds", "stuck"]
TROUBLES: tuple[Trouble, ...] = ("silent", "bounds", "stuck")
STAYS = dt.timedelta(days=3)
"""A batch that lies longer than this is not being dried any more."""
STUCK = dt.timedelta(hours=6)
"""No dryer or tank keeps the very same thousandth for so long."""
NEWS = dt.timedelta(days=1)
"""What a sensor said longer ago is no alarm of today."""


@dataclass(frozen=True)
class Alarm:
    """One sensor's trouble, and since when; `since` None for a sensor that never sent anything."""

    sensor: Sensor
    kind: Trouble
    since: dt.datetime | None


def alarms(session: Session, cooperative_id: str | None = None) -> list[Alarm]:
    """All of a cooperative's, or of everybody's without one, by sensor's number."""
    query = select(Sensor).where(Sensor.active).options(joinedload(Sensor.site)).order_by(Sensor.number)
    if cooperative_id is not None:
        query = query.where(Sensor.cooperative_id == cooperative_id)
    sensors = session.scalars(query).all()
    since = _at_work(session, {sensor.site_id for sensor in sensors})
    return [alarm for sensor in sensors for alarm in _of(sensor, since.get(sensor.site_id), clock.now())]


def sensor_alarms(session: Session, cooperative_id: str) -> int:
    """How many of a cooperative's sensors have some trouble."""
    return len({alarm.sensor.number for alarm in alarms(session, cooperative_id)})


def moment_of(milliseconds: int | None) -> dt.datetime | None:
    """A reading's moment."""
    return None if milliseconds is None else dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)


class SensorFigures:
    """A collector for /metrics."""

    def collect(self) -> Iterator[Metric]:
        """Alarms by kind, sensors in use, and how often one contradicted itself."""
        found = alarms(db.session())
        told = GaugeMetricFamily("soi_sensor_alarms", "Sensors with a trouble of this kind.", labels=["kind"])
        for kind in TROUBLES:
            told.add_metric([kind], sum(1 for alarm in found if alarm.kind == kind))
        yield told
        count, conflicts = db.session.execute(
            select(func.count(), func.coalesce(func.sum(Sensor.conflicts), 0)).where(Sensor.active)
        ).one()
        yield GaugeMetricFamily("soi_sensors", "Sensors in use.", value=count)
        yield GaugeMetricFamily(
            "soi_sensor_conflicts", "Readings that contradicted one of the same moment.", value=int(conflicts)
        )


def _of(sensor: Sensor, at_work_since: dt.datetime | None, now: dt.datetime) -> Iterator[Alarm]:
    last = moment_of(sensor.last_at)
    if at_work_since is not None:
        quiet_since = max(last, at_work_since) if last else at_work_since
        if now - quiet_since > dt.timedelta(minutes=sensor.silent_minutes):
            yield Alarm(sensor, "silent", last)
    if last is None or now - last > NEWS or sensor.last_value is None:
        return
    if not sensor.low <= sensor.last_value <= sensor.high:
        yield Alarm(sensor, "bounds", last)
    same = moment_of(sensor.same_since)
    if same is not None and last - same >= STUCK:
        yield Alarm(sensor, "stuck", same)


def _at_work(session: Session, sites: set[str]) -> dict[str, dt.datetime]:
    """Places where a batch waits for a stage that is measured, and since when the first one does."""
    if not sites:
        return {}
    rows = session.execute(
        select(Batch.site_id, Batch.process, Batch.material, Batch.made_at).where(
            Batch.site_id.in_(sites), Batch.left_grams > 0, Batch.void.is_(False), Batch.made_at > clock.now() - STAYS
        )
    )
    found: dict[str, dt.datetime] = {}
    for site_id, process, material, made_at in rows:
        if _is_measured_next(process, material):
            found[site_id] = min(made_at, found.get(site_id, made_at))
    return found


def _is_measured_next(process: str, material: str) -> bool:
    known = all_processes().get(process)
    return known is not None and any(
        stage.kind is Kind.TRANSFORM and stage.readings for stage in known.next_stages(material)
    )
