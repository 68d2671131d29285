"""Sensors: whose key sends what, what is kept of it, what the office sees and hears."""

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from batches.sensors import services
from batches.sensors.alarms import STUCK, alarms, sensor_alarms
from batches.sensors.models import Sensor, SensorKey, SensorQuarter, SensorReading
from batches.sensors.reduce import series
from batches.sensors.rows import MOST_ROWS
from batches.sensors.schemas import sensor_fields
from batches.sensors.tidy import tidy
from tests.support.serving import environment
from tests.support.village import Village
from trace.keeper import duties
from trace.keeper.place import Place, Turn, stamp
from trace.keeper.schedule import TIDY
from village import clock
from village.db import db
from village.forms import Form
from village.settings import ROOT

NOW = dt.datetime(2026, 11, 20, 5, tzinfo=dt.UTC)
SEND = "/api/sensors/readings"


def add(village: Village, name: str = "Lò trong", type_: str = "Temperature", **more: str) -> tuple[str, str]:
    """A sensor at household A's place; its id and key."""
    fields = {"name": name, "site": village.site().id, "type": type_, **more}
    return services.add_sensor(village.actor("office"), sensor_fields(Form(fields)))


def send(client: FlaskClient, key: str, rows: Sequence[Any]) -> dict[str, Any]:
    answer = client.post(SEND, json={"readings": list(rows)}, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def minutes(sensor: str, count: int, value: float = 50.0, *, ago: int = 0) -> list[dict[str, Any]]:
    """`count` readings a minute apart, the last one `ago` minutes before now."""
    last = clock.now() - dt.timedelta(minutes=ago)
    return [
        {"sensor": sensor, "at": (last - dt.timedelta(minutes=n)).isoformat(), "value": value + n % 7 / 10}
        for n in reversed(range(count))
    ]


def stored() -> list[tuple[int, int]]:
    db.session.rollback()
    return [(at, value) for at, value in db.session.execute(select(SensorReading.at, SensorReading.value))]


def told(answer: dict[str, Any]) -> tuple[int, int, int]:
    return answer["new"], answer["known"], answer["refused"]


def test_readings_come_in_once_however_often_they_are_sent(client: FlaskClient, village: Village) -> None:
    sensor, key = add(village)
    whole = minutes(sensor, 40)
    rows = whole[10:]
    assert told(send(client, key, rows)) == (30, 0, 0)
    assert told(send(client, key, rows)) == (0, 30, 0)
    assert told(send(client, key, [*rows[:5], *whole])) == (10, 35, 0)
    assert len(stored()) == 40


def test_another_value_for_a_known_moment_is_counted_and_never_taken(client: FlaskClient, village: Village) -> None:
    sensor, key = add(village)
    (row,) = minutes(sensor, 1)
    send(client, key, [row])
    before = stored()
    answer = send(client, key, [row, {**row, "value": 99.0}, {**row, "value": row["value"]}])
    assert told(answer) == (0, 2, 1)
    assert answer["problems"] == [{"index": 1, "reason": "another-value"}]
    assert told(send(client, key, [{**row, "value": 98.0}])) == (0, 0, 1)
    assert stored() == before
    it = db.session.scalars(select(Sensor)).one()
    assert (it.conflicts, it.last_value) == (2, before[0][1])


def test_each_bad_row_is_named_and_the_good_ones_are_kept(client: FlaskClient, village: Village) -> None:
    sensor, key = add(village)
    other, _ = add(village, "Lò ngoài")
    now = clock.now()
    good = {"sensor": sensor, "at": now.isoformat(), "value": 48.2}
    bad: list[tuple[Any, str]] = [
        ({**good, "sensor": other}, "unknown-sensor"),
        ({**good, "sensor": "nobody"}, "unknown-sensor"),
        ({**good, "sensor": ["x"]}, "unknown-sensor"),
        ({**good, "at": (now + dt.timedelta(minutes=6)).isoformat()}, "future-time"),
        ({**good, "at": (now - dt.timedelta(days=31)).isoformat()}, "too-old"),
        ({**good, "at": "1970-01-01T00:00:00Z"}, "too-old"),
        ({**good, "at": "2026-11-20T06:30:00"}, "bad-time"),
        ({**good, "at": "9999-12-31T23:59:59-14:00"}, "future-time"),
        ({**good, "at": "2026-11-20T06:30:00+99:00"}, "bad-time"),
        ({**good, "at": "yesterday" * 100}, "bad-time"),
        ({**good, "at": True}, "bad-time"),
        ({**good, "at": float("inf")}, "bad-time"),
        ({**good, "at": 10**400}, "bad-time"),
        ({**good, "value": float("nan")}, "not-a-number"),
        ({**good, "value": "48"}, "not-a-number"),
        ({**good, "value": False}, "not-a-number"),
        ({**good, "value": None}, "not-a-number"),
        ({**good, "value": float("-inf")}, "too-large"),
        ({**good, "value": 1e300}, "too-large"),
        ({**good, "value": 10**400}, "too-large"),
        ({"sensor": sensor, "at": good["at"]}, "no-reading"),
        ({**good, "more": 1}, "no-reading"),
        (None, "no-reading"),
        ([1, 2, 3, 4], "no-reading"),
    ]
    answer = send(client, key, [good, *(row for row, _ in bad), {**good, "at": now.timestamp() - 60}])
    assert told(answer) == (2, 0, len(bad))
    assert answer["problems"] == [{"index": n, "reason": why} for n, (_, why) in enumerate(bad, start=1)]
    assert len(stored()) == 2


@pytest.mark.parametrize(
    ("mimetype", "body", "outcome", "reasons"),
    [
        ("text/csv", "sensor,at,value\n{s},{a},48.2\n{s},{b},48.3\n", (2, 0, 0), []),
        ("text/csv", "at,value\n{a},48.2\n{b},-1e1\n", (2, 0, 0), []),
        ("text/csv", "{s},{a},48.2\n{s},{b},4", (1, 0, 1), ["cut-off"]),
        ("text/csv", "{s},{a},nan\n{s},{a},1_0\n{s}\n{s},{b},48\r\n", (1, 0, 3), ["not-a-number"] * 2 + ["no-reading"]),
        ("application/x-ndjson", '{{"sensor":"{s}","at":"{a}","value":48.2}}\n["{s}",{b},48]\n', (2, 0, 0), []),
        ("application/x-ndjson", '["{a}",48]\n{{"at":\n["{b}",4', (1, 0, 2), ["no-reading", "cut-off"]),
    ],
)
def test_lines_and_tables_are_read_as_well(
    client: FlaskClient, village: Village, mimetype: str, body: str, outcome: tuple[int, ...], reasons: list[str]
) -> None:
    sensor, key = add(village)
    now = clock.now()
    a, b = (now - dt.timedelta(minutes=1)).isoformat(), int(now.timestamp())
    answer = client.post(
        SEND, data=body.format(s=sensor, a=a, b=b).encode(), content_type=mimetype,
        headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert told(answer.get_json()) == outcome
    assert [one["reason"] for one in answer.get_json()["problems"]] == reasons


@pytest.mark.parametrize(
    ("mimetype", "body", "status"),
    [
        ("application/json", b'{"readings": [{"at": "2026-11-', 400),
        ("application/json", b'{"rows": []}', 422),
        ("application/json", b"[]", 422),
        ("application/json", b'{"readings": [' + b"[0,0]," * MOST_ROWS + b"[0,0]]}", 422),
        ("text/csv", b"0,0\n" * (MOST_ROWS + 5), 422),
        ("text/csv", b"\xff\xfe0,0\n", 422),
        ("text/plain", b"48", 415),
    ],
)
def test_half_a_body_leaves_nothing_behind(
    client: FlaskClient, village: Village, mimetype: str, body: bytes, status: int
) -> None:
    _, key = add(village)
    answer = client.post(SEND, data=body, content_type=mimetype, headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    assert stored() == []


def test_only_a_good_key_of_a_sensor_opens_the_door(client: FlaskClient, village: Village) -> None:
    sensor, key = add(village)
    who = village.actor("office")
    rows = {"readings": minutes(sensor, 1)}

    def status(bearer: str) -> int:
        return client.post(SEND, json=rows, headers={"Authorization": bearer} if bearer else {}).status_code

    wrong = ("", "Bearer ", "Bearer x", f"Basic {key}", f"Bearer {village.token('office')}")
    assert [status(bearer) for bearer in wrong] == [401] * 5
    # A sensor's key is nobody's token either.
    assert client.get("/api/sites", headers={"Authorization": f"Bearer {key}"}).status_code == 401
    assert status(f"Bearer {key}") == 200
    newer = services.replace_key(who, sensor)
    assert (status(f"Bearer {key}"), status(f"Bearer {newer}")) == (401, 200)
    services.revoke_key(who, sensor)
    assert status(f"Bearer {newer}") == 401
    kept = db.session.scalars(select(SensorKey)).all()
    assert all(key not in (one.digest, one.tail) and len(one.tail) == 4 for one in kept)


def test_a_gateway_speaks_for_the_sensors_of_its_place_alone(client: FlaskClient, village: Village) -> None:
    who = village.actor("office")
    first, _ = add(village)
    second, _ = add(village, "Ẩm kế", "RelativeHumidity")
    away, _ = services.add_sensor(
        who, sensor_fields(Form({"name": "Bể", "site": village.site("Nhà Hộ B").id, "type": "Temperature"}))
    )
    gateway = services.add_gateway(who, village.site().id, "Hộp góc nhà")
    rows = [{**minutes(first, 1)[0], "sensor": one} for one in (first, second, away)]
    answer = send(client, gateway, rows)
    assert told(answer) == (2, 0, 1) and answer["problems"] == [{"index": 2, "reason": "unknown-sensor"}]
    assert send(client, gateway, [{"at": rows[0]["at"], "value": 1}])["problems"][0]["reason"] == "unknown-sensor"
    services.use_sensor(who, second, False)
    assert send(client, gateway, rows[1:2])["problems"][0]["reason"] == "closed-sensor"
    (key,) = services.gateway_keys_of(who.cooperative_id)
    services.revoke_gateway(who, key.digest)
    assert client.post(SEND, json={"readings": rows}, headers={"Authorization": f"Bearer {gateway}"}).status_code == 401


def test_readings_that_come_late_change_nothing_of_what_is_newest(client: FlaskClient, village: Village) -> None:
    sensor, key = add(village)
    send(client, key, minutes(sensor, 1, 60.0))
    newest = db.session.scalars(select(Sensor)).one().last_at
    send(client, key, minutes(sensor, 5, 40.0, ago=120))
    db.session.rollback()
    it = db.session.scalars(select(Sensor)).one()
    assert (it.last_at, it.last_value) == (newest, 60_000)
    assert len(stored()) == 6


CROWD = """
import sys
from batches.sensors.intake import sender_of, take_in
from wsgi import create_app

with create_app().app_context():
    sender, start = sender_of(sys.argv[1]), float(sys.argv[2])
    sys.stdin.readline()
    taken = [take_in(sender, [[start - n, n % 50] for n in range(part, part + 400)]) for part in range(0, 500, 100)]
    print(sum(one.new for one in taken), sum(len(one.problems) for one in taken))
"""


@pytest.mark.processes
def test_two_that_send_the_same_at_once_write_it_once(app: Flask, village: Village) -> None:
    _, key = add(village)
    command = [sys.executable, "-c", CROWD, key, str(int(clock.now().timestamp()))]
    settings = app.extensions["soi"]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
                         env=environment(settings, settings.port))
        for _ in range(2)
    ]  # fmt: skip
    said = []
    for one in both:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in both:
        out, _ = one.communicate(timeout=60)
        said.append([int(number) for number in out.split()])
    assert sum(new for new, _ in said) == 800 == len(stored())
    assert [problems for _, problems in said] == [0, 0]


def test_old_readings_become_quarters_and_a_curve_stays_the_same(client: FlaskClient, village: Village) -> None:
    with clock.fixed(NOW - dt.timedelta(days=40)):
        sensor, key = add(village, high="90")
        send(client, key, [*minutes(sensor, 600), {"at": clock.now().timestamp() - 30, "value": 110}])
        start = int(clock.now().timestamp()) // 900 * 900 - 9 * 3600
        it = db.session.scalars(select(Sensor)).one()
        before = series(db.session(), it, start, start + 8 * 3600 + 1800, least=900)
        with_bad = series(db.session(), it, start, start + 10 * 3600, least=900)
        assert with_bad.left_out == 1 and with_bad.summary().high < 90_000
    with clock.fixed(NOW):
        send(client, key, minutes(sensor, 10))
        assert tidy(-1) == (0, False)
        assert tidy(60) == (601, True)
        assert tidy(60) == (0, True)
        db.session.rollback()
        after = series(db.session(), db.session.scalars(select(Sensor)).one(), start, start + 8 * 3600 + 1800)
        assert len(stored()) == 10
        assert after == before
        assert db.session.scalar(select(func.sum(SensorQuarter.left_out))) == 1
        # What was thinned cannot be told again: nobody could see that it is the same.
        row = {"at": (NOW - dt.timedelta(days=40)).isoformat(), "value": 1}
        assert send(client, key, [row])["problems"] == [{"index": 0, "reason": "too-old"}]


def test_a_silent_sensor_is_an_alarm_only_while_a_batch_is_there(client: FlaskClient, village: Village) -> None:
    sensor, key = add(village)
    coop = village.actor("office").cooperative_id
    send(client, key, minutes(sensor, 3, ago=60))
    assert sensor_alarms(db.session(), coop) == 0
    village.made("harvest", "tuber", 100_000, days_ago=0.5)
    assert [alarm.kind for alarm in alarms(db.session(), coop)] == ["silent"]
    assert alarms(db.session(), village.actor("office-other").cooperative_id) == []
    send(client, key, minutes(sensor, 1))
    db.session.rollback()
    assert sensor_alarms(db.session(), coop) == 0
    metrics = client.get("/metrics").get_data(as_text=True)
    assert 'soi_sensor_alarms{kind="silent"} 0.0' in metrics and "soi_sensors 1.0" in metrics


def test_a_sensor_that_is_out_of_bounds_or_stuck_is_an_alarm(client: FlaskClient, village: Village) -> None:
    sensor, key = add(village, low="0", high="90")
    send(client, key, minutes(sensor, 1, 110.0))
    db.session.rollback()
    assert [alarm.kind for alarm in alarms(db.session())] == ["bounds"]
    other, other_key = add(village, "Lò ngoài")
    last = clock.now()
    times = [last - STUCK - dt.timedelta(minutes=1), last - dt.timedelta(hours=1), last]
    send(client, other_key, [[time.isoformat(), 40.0] for time in times])
    db.session.rollback()
    assert {(alarm.sensor.id, alarm.kind) for alarm in alarms(db.session())} == {(sensor, "bounds"), (other, "stuck")}


def test_the_office_registers_a_sensor_and_sees_its_key_once(client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "office")
    form = {"name": "Lò sấy", "site": village.site().id, "type": "Temperature", "usual_low": "30", "usual_high": "60,5"}
    page = client.post("/coop/sensors/new", data=form)
    assert page.status_code == 200
    found = re.search(r"soi-do-[\w-]{32}", page.get_data(as_text=True))
    assert found is not None
    again = client.post("/coop/sensors/new", data=form)
    assert again.status_code == 422 and "soi-do-" not in again.get_data(as_text=True)
    db.session.rollback()
    sensor = db.session.scalars(select(Sensor)).one()
    assert (sensor.usual_low, sensor.usual_high, sensor.unit) == (30_000, 60_500, "CEL")
    send(client, found.group(), minutes(sensor.id, 300))
    spans = [f"/coop/sensors/{sensor.id}?span={span}" for span in ("day", "week", "month", "x")]
    for path in ("/coop/sensors", *spans):
        shown = client.get(path).get_data(as_text=True)
        assert "50" in shown and "Lò sấy" in shown and "soi-do-" not in shown, path
    edited = client.post(f"/coop/sensors/{sensor.id}/edit", data={**form, "name": "Lò sấy mới", "high": "80"})
    assert edited.status_code == 302
    page = client.post(f"/coop/sensors/{sensor.id}/key")
    assert "soi-do-" in page.get_data(as_text=True)
    gateway = client.post("/coop/sensors/gateways/new", data={"label": "Hộp", "site": village.site().id})
    assert gateway.status_code == 200
    db.session.rollback()
    assert f"…{db.session.scalars(select(SensorKey.tail).where(SensorKey.label == 'Hộp')).one()}" in client.get(
        "/coop/sensors"
    ).get_data(as_text=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"name": "…"}, {"type": "Speed"}, {"site": "nowhere"}, {"low": "60", "high": "50"},
        {"usual_low": "40"}, {"usual_low": "40", "usual_high": "4000"}, {"silent_minutes": "0"}, {"low": "1e5"},
        {"low": "٣"},
    ],
)  # fmt: skip
def test_a_sensor_that_makes_no_sense_is_told_so(client: FlaskClient, village: Village, wrong: dict[str, str]) -> None:
    village.sign_in(client, "office")
    form = {"name": "Lò sấy", "site": village.site().id, "type": "Temperature", **wrong}
    answer = client.post("/coop/sensors/new", data=form)
    assert (answer.status_code, 'class="error"' in answer.get_data(as_text=True)) == (422, True)


def test_nobody_touches_another_cooperatives_sensors(client: FlaskClient, village: Village) -> None:
    sensor, _ = add(village)
    services.add_gateway(village.actor("office"), village.site().id, "Hộp")
    digest = db.session.scalars(select(SensorKey.digest).where(SensorKey.label == "Hộp")).one()
    form = {"name": "Của tôi", "site": village.site().id, "type": "Temperature", "label": "Hộp"}
    posts = ("edit", "open", "close", "key", "key/revoke")
    addresses = [f"/coop/sensors/{sensor}/{act}" for act in posts] + [f"/coop/sensors/gateways/{digest}/revoke"]
    for who, status in (("office-other", 404), ("producer", 403), ("auditor", 403)):
        village.sign_in(client, who)
        assert [client.post(path, data=form).status_code for path in addresses] == [status] * len(addresses)
    village.sign_in(client, "office-other")
    assert client.get(f"/coop/sensors/{sensor}").status_code == 404
    assert client.get(f"/coop/sensors/{sensor}/edit").status_code == 404
    for path in ("/coop/sensors/new", "/coop/sensors/gateways/new"):
        assert client.post(path, data=form).status_code == 422
    assert "Lò trong" not in client.get("/coop/sensors").get_data(as_text=True)
    village.sign_in(client, "auditor")
    assert client.get(f"/coop/sensors/{sensor}").status_code == 200


def test_a_made_up_day_comes_in_through_the_same_door(app: Flask, village: Village) -> None:
    add(village)
    add(village, "Ẩm kế", "RelativeHumidity")
    told = app.test_cli_runner().invoke(args=["sensors", "simulate", "--hours", "8"])
    assert told.exit_code == 0, told.output
    with app.app_context():
        found = db.session.scalars(select(Sensor).order_by(Sensor.number)).all()
        assert all(one.last_value is not None and one.low <= one.last_value <= one.high for one in found)
        assert (db.session.scalar(select(func.count()).select_from(SensorReading)) or 0) > 800
    tidied = app.test_cli_runner().invoke(args=["sensors", "tidy"])
    assert (tidied.exit_code, tidied.output.startswith("0 readings")) == (0, True)


def test_the_keeper_thins_once_a_day(app: Flask, village: Village) -> None:
    place = Place(app.extensions["soi"].instance)
    with clock.fixed(NOW):
        assert duties.due(TIDY, place)
        place.make()
        place.write_slate({TIDY.name: Turn(began=stamp(NOW), ended=stamp(NOW))})
        assert not duties.due(TIDY, place)
        place.write_slate({TIDY.name: Turn(began=stamp(NOW), ended=stamp(NOW), failed="no disk")})
        assert duties.due(TIDY, place)
    place.write_slate({TIDY.name: Turn(began=stamp(NOW), ended=stamp(NOW))})
    with clock.fixed(NOW + dt.timedelta(days=1)):
        assert duties.due(TIDY, place)
    assert duties.command(TIDY, app.extensions["soi"])[-2:] == ["sensors", "tidy"]
