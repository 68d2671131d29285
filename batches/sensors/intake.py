"""Taking readings in: whose key it is, which rows are good, which of them are new. Nothing is ever overwritten."""

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from flask import current_app, g, request
from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from batches.sensors.models import Sensor, SensorKey, SensorReading
from batches.sensors.rows import Known, Sifted, Unreadable, sift
from village import clock
from village.db import core, read_once, write
from village.errors import BadInput, Unauthenticated
from village.i18n import lazy_gettext as _l
from village.ids import token_digest

P = ParamSpec("P")
R = TypeVar("R")
AHEAD = dt.timedelta(minutes=5)
"""How far a sensor's clock may run ahead."""
SLICE = 500
"""Moments that one query asks for."""
SEEN_EVERY = dt.timedelta(minutes=1)
"""How often it is written down that a key was used."""
UNREADABLE = {
    "no-readings": _l('Cần gửi {"readings": [...]}, hoặc CSV, hoặc mỗi dòng một số đo.'),
    "too-many-readings": _l("Gửi nhiều quá: mỗi lần nhiều nhất 10.000 số đo. Chưa ghi gì cả."),
    "not-utf-8": _l("Dữ liệu gửi lên không phải chữ UTF-8."),
}


@dataclass(frozen=True)
class Sender:
    """Who sends: a key, and the sensors for which it may speak, by public id."""

    digest: str
    used_at: dt.datetime | None
    sensors: Mapping[str, int]
    closed: frozenset[str]
    only: str | None


@dataclass(frozen=True)
class Taken:
    """What became of a request. `problems` are (place, reason), in the order of the rows."""

    new: int
    known: int
    problems: Sequence[tuple[int, str]]


_K, _S = SensorKey.__table__.c, Sensor.__table__.c
_SENDER = (
    select(_K.digest, _K.used_at, _K.sensor_number, _S.id, _S.number, _S.active)
    .select_from(
        SensorKey.__table__.outerjoin(
            Sensor.__table__, or_(_S.number == _K.sensor_number, _S.site_id == _K.site_id)
        )
    )
    .where(_K.digest == bindparam("digest"), _K.revoked_at.is_(None))
)


def sender_of(token: str) -> Sender:
    """Whose key this is. Raises Unauthenticated for a key that never was, or was revoked."""
    rows = read_once(_SENDER, {"digest": token_digest(token)}) if token else ()
    if not rows:
        raise Unauthenticated("bad-sensor-key", _l("Khoá của máy đo không đúng, hoặc đã bị thu lại."))
    known = [row for row in rows if row.id is not None]
    return Sender(
        digest=rows[0].digest,
        used_at=rows[0].used_at,
        sensors={row.id: row.number for row in known},
        closed=frozenset(row.id for row in known if not row.active),
        only=known[0].id if rows[0].sensor_number is not None else None,
    )


def with_sensor_key(view: Callable[P, R]) -> Callable[P, R]:
    """A view for sensors and gateways: `g.sender` is who sends. Members' tokens do not open it, nor the other way."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        authorization = request.authorization
        bearer = authorization is not None and authorization.type == "bearer"
        g.sender = sender_of((authorization.token or "") if authorization is not None and bearer else "")
        return view(*args, **kwargs)

    guarded.required_roles = ()  # type: ignore[attr-defined]  # read by the test of all addresses
    return guarded


def take_in(sender: Sender, rows: Sequence[Any]) -> Taken:
    """Keep the good rows, each once. Sent again they are known; another value for a known moment is counted, and the
    first one stays. Raises BadInput, having kept nothing, for more rows than one request may have."""
    now = clock.now()
    days = current_app.extensions["soi"].sensor_raw_days
    known = Known(
        sender.sensors,
        sender.closed,
        sender.only,
        oldest=milliseconds(now - dt.timedelta(days=days)),
        newest=milliseconds(now + AHEAD),
    )
    try:
        sifted = sift(rows, known)
    except Unreadable as error:
        raise unreadable(error) from error
    problems = [*sifted.refused, *((place, "another-value") for place, _ in sifted.differing)]
    new = 0
    if sifted.good:
        with write() as session:
            new, conflicts = _keep(session, sifted, now)
            problems += [(place, "another-value") for place, _ in conflicts]
            if sender.used_at is None or now - sender.used_at >= SEEN_EVERY:
                session.execute(update(SensorKey).where(SensorKey.digest == sender.digest).values(used_at=now))
    return Taken(new, len(rows) - new - len(problems), sorted(problems))


def unreadable(error: Unreadable) -> BadInput:
    """The refusal of a request that has not even the form of one."""
    return BadInput(str(error), UNREADABLE[str(error)])


def milliseconds(moment: dt.datetime) -> int:
    """Unix milliseconds of a moment."""
    return round(moment.timestamp() * 1000)


def _keep(session: Session, sifted: Sifted, now: dt.datetime) -> tuple[int, list[tuple[int, int]]]:
    """Insert what is new; gives how many, and (place, sensor) of those that contradict what was known."""
    sensors = session.scalars(
        select(Sensor).where(Sensor.number.in_(list(sifted.good))).order_by(Sensor.number).with_for_update()
    ).all()
    # In the order of the key: two requests with the same readings never wait for each other crosswise.
    triples = [
        (number, at, value)
        for number, moments in sorted(sifted.good.items())
        for at, (value, _place) in sorted(moments.items())
    ]
    new = _insert(session, triples)
    conflicts = list[tuple[int, int]]()
    if new < len(triples):
        for number, moments in sifted.good.items():
            conflicts += [(moments[at][1], number) for at in _contradicted(session, number, moments)]
    counted = [number for _, number in (*conflicts, *sifted.differing)]
    refused = {place for place, _ in conflicts}
    for sensor in sensors:
        good = sifted.good[sensor.number]
        _remember(sensor, {at: value for at, (value, place) in good.items() if place not in refused}, now)
        sensor.conflicts += counted.count(sensor.number)
    session.flush()
    return new, conflicts


def _insert(session: Session, triples: Sequence[tuple[int, int, int]]) -> int:
    """Past the library: its work for each row costs more than the database's."""
    connection = core(session)
    if connection.dialect.name == "sqlite":
        into = "INSERT INTO sensor_reading (sensor_number, at, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        return connection.exec_driver_sql(into, list(triples)).rowcount
    into = (
        "INSERT INTO sensor_reading (sensor_number, at, value)"
        " SELECT * FROM unnest(%s::int[], %s::bigint[], %s::int[]) ON CONFLICT DO NOTHING"
    )
    return connection.exec_driver_sql(into, tuple([*column] for column in zip(*triples, strict=True))).rowcount


def _contradicted(session: Session, number: int, moments: Mapping[int, tuple[int, int]]) -> list[int]:
    wanted = sorted(moments)
    found = []
    for start in range(0, len(wanted), SLICE):
        rows = core(session).execute(
            select(SensorReading.at, SensorReading.value).where(
                SensorReading.sensor_number == number, SensorReading.at.in_(wanted[start : start + SLICE])
            )
        )
        found += [at for at, value in rows if value != moments[at][0]]
    return found


def _remember(sensor: Sensor, moments: Mapping[int, int], now: dt.datetime) -> None:
    """How the sensor stands after these readings; older ones that came late change nothing of it."""
    last, value, since = sensor.last_at, sensor.last_value, sensor.same_since
    for at in sorted(at for at in moments if last is None or at > last):
        if moments[at] != value:
            since = at
        last, value = at, moments[at]
    sensor.heard_at, sensor.last_at, sensor.last_value, sensor.same_since = now, last, value, since
