"""The office's page on the log, the alarm on its every page, and the figures: they tell when something is wrong."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, event, text

from tests.support.serving import environment
from tests.support.village import Village
from trace.keeper import services
from trace.keeper.loop import Keeper
from trace.keeper.place import Place, Turn, stamp
from trace.keeper.schedule import CHECK
from trace.ledger import store
from trace.ledger.audit.resume import Progress
from trace.ledger.models import Evidence, LedgerEntry, SelfCheck, WitnessSeen
from trace.ledger.note import COSIGNATURE, Signer
from village import clock
from village.db import db, write
from village.settings import Settings

pytestmark = pytest.mark.slow_once

PAGE = "/coop/ledger"
ALARM = 'class="message recall"'


@pytest.fixture
def raw(app: Flask, settings: Settings, village: Village) -> Iterator[Engine]:
    """A small log, and the database as a program sees it that is not ours."""
    village.packs(20)
    db.session.remove()
    engine = create_engine(settings.database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def check(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has the keeper check the log now, as after the button."""
    for name, value in environment(settings, 1).items():
        monkeypatch.setenv(name, value)

    def now() -> None:
        services.ask_check()
        assert Keeper(app, [CHECK]).once()
        _forget(app)

    return now


def _forget(app: Flask) -> None:
    """The alarm looks again, as it does after some seconds."""
    db.session.rollback()
    app.extensions.pop(services.CACHE, None)


def _put(engine: Engine, body: bytes) -> bytes:
    """Put these bytes in entry 3's place, past the guards, which are there again afterwards; what was there before."""
    name, sqlite = LedgerEntry.__tablename__, engine.dialect.name == "sqlite"
    with engine.begin() as connection:
        guard = ""
        if sqlite:
            guard = connection.execute(
                text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": f"{name}_no_update"}
            ).scalar_one()
            connection.execute(text(f"DROP TRIGGER {name}_no_update"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        was = connection.execute(text(f'SELECT body FROM {name} WHERE "index" = 3')).scalar_one()
        connection.execute(text(f'UPDATE {name} SET body = :body WHERE "index" = 3'), {"body": body})
        if sqlite:
            connection.exec_driver_sql(guard)
    return bytes(was)


def _flipped(body: bytes) -> bytes:
    return body[:40] + bytes([body[40] ^ 1]) + body[41:]


def test_one_byte_changed_in_the_database_raises_the_alarm_and_putting_it_right_clears_it(
    app: Flask, client: FlaskClient, village: Village, raw: Engine, check: Callable[[], None]
) -> None:
    village.sign_in(client, "office")
    check()
    page = client.get(PAGE).text
    assert "Sổ còn nguyên" in page and ALARM not in page and 'class="strand whole"' in page
    assert "\nsoi_ledger_selfcheck_holds 1.0\n" in client.get("/metrics").text

    was = _put(raw, b"")
    _put(raw, _flipped(was))
    check()
    page = client.get(PAGE).text
    assert "Sổ bị đứt ở dòng 3" in page and 'class="strand broken"' in page and 'data-state="cut"' in page
    for path in (PAGE, "/coop", "/batches", "/seller", "/me"):
        assert ALARM in client.get(path).text and "dòng 3 không khớp" in client.get(path).text, path
    assert "\nsoi_ledger_selfcheck_holds 0.0\n" in client.get("/metrics").text

    _put(raw, was)
    check()
    assert ALARM not in client.get("/coop").text
    assert "Sổ còn nguyên" in client.get(PAGE).text
    assert "\nsoi_ledger_selfcheck_holds 1.0\n" in client.get("/metrics").text


@pytest.mark.parametrize(
    ("who", "seen", "asked"),
    [("office", 200, 302), ("auditor", 200, 403), ("producer", 403, 403), ("seller", 403, 403), ("", 302, 401)],
)
def test_the_page_is_the_office_s_and_the_auditor_s_and_only_the_office_asks_for_a_check(
    client: FlaskClient, settings: Settings, village: Village, who: str, seen: int, asked: int
) -> None:
    if who:
        village.sign_in(client, who)
    page = client.get(PAGE)
    assert page.status_code == seen
    assert ('action="/coop/ledger/check"' in page.text) == (who == "office")
    assert client.post(f"{PAGE}/check", headers={"Accept": "application/json"}).status_code == asked
    assert Place(settings.instance).check_wished() == (who == "office")


@pytest.mark.parametrize("who", ["producer", "seller", ""])
def test_nobody_but_office_and_auditor_sees_the_alarm(
    app: Flask, client: FlaskClient, village: Village, who: str
) -> None:
    store.halt("thử")
    assert services.alarms_now()
    if who:
        village.sign_in(client, who)
    assert ALARM not in client.get("/me" if who else "/").text


def test_the_button_s_check_is_shown_until_it_is_done(
    app: Flask, client: FlaskClient, village: Village, settings: Settings, check: Callable[[], None]
) -> None:
    village.sign_in(client, "office")
    assert "Chưa soi lần nào" in client.get(PAGE).text
    answer = client.post(f"{PAGE}/check", follow_redirects=True)
    assert "Chờ soi lại" in answer.text and "Máy giữ sổ đang không chạy" in answer.text
    place = Place(settings.instance)
    with place.only_one() as alone:
        assert alone
        place.forget_wish()
        place.write_slate({"check": Turn(began=stamp(clock.now()))})
        page = client.get(PAGE).text
        assert "Đang soi lại" in page and 'action="/coop/ledger/check"' not in page
        _progress(settings, 5000, 3)
        page = client.get(PAGE).text
        assert "3.000 trên 5.000 dòng" in page and 'value="3000" max="5000"' in page
    page = client.get(PAGE).text
    assert "Đang soi lại" not in page, "its keeper is gone"
    check()
    assert "Sổ còn nguyên" in client.get(PAGE).text


def _progress(settings: Settings, size: int, chunks: int) -> None:
    path = Progress(settings.instance / "verify", settings.ledger_origin).path
    path.write_text(f'{{"size": {size}, "chunk": 1000}}\n' + "{}\n" * chunks)


def test_a_check_that_failed_is_told_with_the_time_of_the_next(
    client: FlaskClient, village: Village, settings: Settings
) -> None:
    village.sign_in(client, "office")
    place, now = Place(settings.instance), clock.now()
    place.make()
    turn = Turn(stamp(now), stamp(now), "it took more than 5 s", stamp(now + dt.timedelta(minutes=5)))
    place.write_slate({"check": turn})
    page = client.get(PAGE).text
    assert "dở dang" in page and "it took more than 5 s" in page and "Máy thử lại lúc" in page


def _kinds(app: Flask) -> list[str]:
    _forget(app)
    return [alarm.kind for alarm in services.alarms_now()]


def _checked(ago: dt.timedelta, *, holds: bool = True, first_bad: int | None = None) -> None:
    when = clock.now() - ago
    with write() as session:
        session.add(SelfCheck(began_at=when, ended_at=when, size=1, holds=holds, first_bad=first_bad, what="<b>"))


def test_each_trouble_raises_its_own_alarm_the_worst_first(app: Flask, settings: Settings, village: Village) -> None:
    assert _kinds(app) == [], "a young log needs no check yet"
    later = clock.now() + dt.timedelta(days=3)
    with clock.fixed(later):
        assert _kinds(app) == ["check-late"]
        _checked(dt.timedelta(0))
        assert _kinds(app) == []
        key = Signer.from_seed("lang-ben.example/w", bytes(range(32)), COSIGNATURE).verifier
        settings.ledger_policy.write_text(f"witness ben {key.vkey} http://127.0.0.1:9\nquorum none\n")
        with write() as session:
            seen = WitnessSeen(vkey=key.vkey, name="ben", size=1, asked_at=later, answered_at=later)
            session.add(seen)
        assert _kinds(app) == [], "it has seen all"
        with write() as session:
            session.merge(WitnessSeen(vkey=key.vkey, name="ben", size=0, asked_at=later))
        assert _kinds(app) == ["witness-late"]
        settings.ledger_policy.write_text("quorum none\n")
        assert _kinds(app) == [], "it is no witness of ours any more"
        settings.ledger_policy.write_text("witness\n")
        assert _kinds(app) == ["policy"]
        settings.ledger_policy.unlink()
        with write() as session:
            session.add(Evidence(kind="fork", found_at=later, about="thử"))
        assert _kinds(app) == ["evidence"]
        store.halt("thử")
        _checked(dt.timedelta(0), holds=False)
        assert _kinds(app) == ["broken", "halted", "evidence"]
        store.resume("đã xem lại")
        _checked(dt.timedelta(0))
        assert _kinds(app) == []


def test_evidence_is_news_for_a_week_unless_it_was_explained(app: Flask) -> None:
    now = clock.now()
    with write() as session:
        session.add(Evidence(kind="bad-cosignature", found_at=now, about="thử"))
    assert _kinds(app) == ["evidence"]
    with clock.fixed(now + dt.timedelta(days=8)):
        assert _kinds(app) == ["check-late"]


def test_a_log_without_a_stamp_for_days_is_told_only_where_there_is_an_authority(
    app: Flask, settings: Settings
) -> None:
    with clock.fixed(clock.now() + dt.timedelta(days=3)):
        _checked(dt.timedelta(0))
        assert _kinds(app) == []
        app.extensions["soi"] = replace(settings, tsa_url="https://tsa.example/tsr")
        assert _kinds(app) == ["stamp-late"]


def test_what_a_check_said_is_shown_as_text(client: FlaskClient, village: Village) -> None:
    _checked(dt.timedelta(0), holds=False, first_bad=0)
    village.sign_in(client, "auditor")
    page = client.get(PAGE).text
    assert "&lt;b&gt;" in page and "<b>" not in page and "Sổ bị đứt ở dòng 0" in page


def test_the_alarm_costs_one_query_and_then_none_for_some_seconds(app: Flask) -> None:
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    _forget(app)
    services.alarms_now()
    assert [statement.split()[0] for statement in asked if statement != "BEGIN"] == ["SELECT"]
    asked.clear()
    services.alarms_now()
    assert asked == []


def test_the_alarm_never_breaks_a_page(app: Flask, client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "office")
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE ledger_check RENAME TO elsewhere"))
    _forget(app)
    assert client.get("/me").status_code == 200


def test_the_figures_are_told_of_each_witness(app: Flask, client: FlaskClient, settings: Settings) -> None:
    now = clock.now()
    keys = {n: Signer.from_seed(f"{n}.example/w", bytes([n_]) * 32, COSIGNATURE).verifier for n_, n in enumerate("ab")}
    lines = "".join(f"witness {name} {key.vkey} http://127.0.0.1:9\n" for name, key in keys.items())
    settings.ledger_policy.write_text(lines + "quorum none\n")
    with write() as session:
        answered = now - dt.timedelta(hours=1)
        session.add(WitnessSeen(vkey=keys["a"].vkey, name="a", size=1, asked_at=now, answered_at=answered))
    with clock.fixed(now):
        told = client.get("/metrics").text
    for line in (
        'soi_ledger_witness_lag_entries{witness="a"} 0.0',
        'soi_ledger_witness_lag_entries{witness="b"} 1.0',
        'soi_ledger_witness_age_seconds{witness="a"} 3600.0',
        'soi_ledger_witness_age_seconds{witness="b"} +Inf',
        "soi_ledger_selfcheck_age_seconds +Inf",
        "soi_ledger_halted 0.0",
        "soi_ledger_evidence_total 0.0",
        "soi_ledger_size 1.0",
    ):
        assert f"\n{line}\n" in told, line
    assert "soi_ledger_selfcheck_holds" not in told and "soi_ledger_anchor_age_seconds" not in told
    store.halt("thử")
    _checked(dt.timedelta(minutes=1))
    told = client.get("/metrics").text
    assert "\nsoi_ledger_halted 1.0\n" in told and "\nsoi_ledger_selfcheck_holds 1.0\n" in told


def test_the_figures_of_the_server_are_there_while_the_log_s_cannot_be_read(app: Flask, client: FlaskClient) -> None:
    client.get("/")
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE ledger_check RENAME TO elsewhere"))
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert "soi_requests_total{" in answer.text and "soi_ledger_size" not in answer.text
