"""The office's work on sensors and their keys. Each may touch only its own cooperative's."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from batches.sensors.models import Sensor, SensorKey
from batches.sensors.schemas import NAME_MAX, SensorFields
from village import clock
from village.db import db, write
from village.errors import BadInput, NotFound
from village.i18n import lazy_gettext as _l
from village.ids import secret_token, token_digest
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.places.models import Site
from village.places.services import flush
from village.text import clean_name

PREFIX = "soi-do-"
"""How every key of a sensor begins, so that one found lying about is known for what it is."""


def sensors_of(cooperative_id: str) -> Sequence[Sensor]:
    """A cooperative's sensors with their places, those in use first."""
    return db.session.scalars(
        select(Sensor)
        .where(Sensor.cooperative_id == cooperative_id)
        .options(joinedload(Sensor.site))
        .order_by(Sensor.active.desc(), Sensor.site_id, Sensor.name)
    ).all()


def sensor_of(who: Actor, sensor_id: str) -> Sensor:
    """One sensor of the asker's cooperative; NotFound for any other."""
    return _own(db.session(), who, sensor_id)


def with_ids(ids: Iterable[str]) -> Sequence[Sensor]:
    """The sensors of these ids."""
    return db.session.scalars(select(Sensor).where(Sensor.id.in_(list(ids)))).all()


def gateway_keys_of(cooperative_id: str) -> Sequence[SensorKey]:
    """The gateways' keys that are good, newest first."""
    return db.session.scalars(
        select(SensorKey)
        .where(SensorKey.cooperative_id == cooperative_id, SensorKey.site_id.is_not(None))
        .where(SensorKey.revoked_at.is_(None))
        .options(joinedload(SensorKey.site))
        .order_by(SensorKey.made_at.desc(), SensorKey.digest)
    ).all()


def key_of(sensor: Sensor) -> SensorKey | None:
    """A sensor's own key, if it has a good one."""
    return db.session.scalar(
        select(SensorKey).where(SensorKey.sensor_number == sensor.number, SensorKey.revoked_at.is_(None)).limit(1)
    )


def add_sensor(who: Actor, fields: SensorFields) -> tuple[str, str]:
    """Register a sensor; gives its id, and its key, which nobody is shown again."""
    _office(who)
    with write() as session:
        _own_site(session, who, fields.site_id)
        sensor = Sensor(cooperative_id=who.cooperative_id, site_id=fields.site_id)
        sensor.type, sensor.unit = fields.measure.type, fields.measure.unit
        _fill(session, sensor, fields)
        session.add(sensor)
        flush(session)
        return sensor.id, _new_key(session, who, sensor_number=sensor.number)


def edit_sensor(who: Actor, sensor_id: str, fields: SensorFields) -> None:
    """Change a sensor's name and bounds. What it measures and where it stands stay: its readings tell of that."""
    _office(who)
    with write() as session:
        sensor = _own(session, who, sensor_id)
        if (fields.site_id, fields.measure.type) != (sensor.site_id, sensor.type):
            raise BadInput("sensor-stays", _l("Đổi chỗ hay đổi loại thì lập máy đo mới."), field="site")
        _fill(session, sensor, fields)
        flush(session)


def use_sensor(who: Actor, sensor_id: str, active: bool) -> None:
    """Take a sensor out of use, or back; what it told stays."""
    _office(who)
    with write() as session:
        _own(session, who, sensor_id).active = active


def replace_key(who: Actor, sensor_id: str) -> str:
    """A new key for a sensor; the old one is worth nothing from now on. Nobody is shown the new one again."""
    _office(who)
    with write() as session:
        sensor = _own(session, who, sensor_id)
        _revoke(session, sensor.number)
        return _new_key(session, who, sensor_number=sensor.number)


def revoke_key(who: Actor, sensor_id: str) -> None:
    """A sensor's key is worth nothing from now on."""
    _office(who)
    with write() as session:
        _revoke(session, _own(session, who, sensor_id).number)


def add_gateway(who: Actor, site_id: str, label: str) -> str:
    """A key that speaks for all sensors of one place. Nobody is shown it again."""
    _office(who)
    clean = clean_name(label, "label", NAME_MAX)
    with write() as session:
        _own_site(session, who, site_id)
        return _new_key(session, who, site_id=site_id, label=clean)


def revoke_gateway(who: Actor, digest: str) -> None:
    """A gateway's key is worth nothing from now on."""
    _office(who)
    with write() as session:
        mine = (
            SensorKey.digest == digest,
            SensorKey.cooperative_id == who.cooperative_id,
            SensorKey.site_id.is_not(None),
        )
        if session.scalar(select(SensorKey.digest).where(*mine)) is None:
            raise NotFound("no-such-key", _l("Hợp tác xã không có khoá này."))
        session.execute(update(SensorKey).where(*mine, SensorKey.revoked_at.is_(None)).values(revoked_at=clock.now()))


def _office(who: Actor) -> None:
    if not who.has(Role.OFFICE):
        raise wrong_role()


def _own(session: Session, who: Actor, sensor_id: str) -> Sensor:
    sensor = session.scalar(select(Sensor).where(Sensor.id == sensor_id).options(joinedload(Sensor.site)))
    if sensor is None or sensor.cooperative_id != who.cooperative_id:
        raise NotFound("no-such-sensor", _l("Hợp tác xã không có máy đo này."))
    return sensor


def _own_site(session: Session, who: Actor, site_id: str) -> None:
    site = session.get(Site, site_id)
    if site is None or site.cooperative_id != who.cooperative_id or not site.active:
        raise BadInput("no-such-site", _l("Bác chọn một địa điểm trong danh sách nhé."), field="site")


def _fill(session: Session, sensor: Sensor, fields: SensorFields) -> None:
    others = select(Sensor.id).where(Sensor.site_id == sensor.site_id, Sensor.name == fields.name)
    if session.scalar(others.where(Sensor.id != (sensor.id or "")).limit(1)) is not None:
        raise BadInput("name-taken", _l("Ở đây đã có máy đo mang tên này."), field="name")
    sensor.name, sensor.low, sensor.high = fields.name, fields.low, fields.high
    sensor.usual_low, sensor.usual_high = fields.usual or (None, None)
    sensor.silent_minutes = fields.silent_minutes


def _new_key(
    session: Session, who: Actor, *, sensor_number: int | None = None, site_id: str | None = None, label: str = ""
) -> str:
    key = PREFIX + secret_token()
    session.add(
        SensorKey(
            digest=token_digest(key), tail=key[-4:], label=label, cooperative_id=who.cooperative_id,
            sensor_number=sensor_number, site_id=site_id, made_by=who.id,
        )
    )  # fmt: skip
    return key


def _revoke(session: Session, number: int) -> None:
    mine = (SensorKey.sensor_number == number, SensorKey.revoked_at.is_(None))
    session.execute(update(SensorKey).where(*mine).values(revoked_at=clock.now()))
