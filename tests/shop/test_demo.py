"""The demo village: one believable season, told once, and true by every measure of the house."""

import datetime as dt
from collections import Counter

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select

from shop.delivery.models import DeliveryState, Shipment
from shop.live.models import LiveComment
from shop.orders.models import Order, PaymentState, Status
from shop.payments.bank.models import Reconciliation, Transfer
from shop.payments.models import PaymentPuzzle, Puzzle, Refund
from shop.stock.audit import audit
from tests.conftest import settings_for
from trace.capture.models import Captured
from trace.events.models import Event
from trace.ledger.models import LedgerEntry
from trace.ledger.verify import verify
from trace.lots.models import Batch
from trace.recalls.models import Recall
from village import clock
from village.db import db
from village.people.models import Member
from wsgi import create_app

pytestmark = pytest.mark.slow_once


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A village of which the demo has been told."""
    instance = tmp_path_factory.mktemp("demo")
    app = create_app(settings_for(f"sqlite:///{instance / 'soi.db'}", instance))
    with app.app_context():
        upgrade()
    told = app.test_cli_runner().invoke(args=["demo"])
    assert told.exit_code == 0, told.output
    return app


def test_the_season_has_all_that_happens_in_a_village(demo: Flask) -> None:
    with demo.app_context():
        stages = Counter((process, stage) for process, stage in db.session.execute(select(Event.process, Event.stage)))
        assert stages["mien-dong", "harvest"] >= 12
        assert stages["che-tam-duong", "pack"] and stages["gao-seng-cu", "pack"]
        assert db.session.scalar(select(func.count()).where(Event.correction_reason == "incorrect_data")) == 1
        failed = db.session.scalars(select(Event).where(Event.passed.is_(False))).one()
        assert db.session.get_one(Batch, failed.parts[0].batch_id).hold == "held"
        assert any(db.session.scalars(select(Event.warnings)))
        assert set(db.session.scalars(select(Order.status))) == set(Status)
        assert set(db.session.scalars(select(Order.payment_state))) == set(PaymentState)
        assert {one.state for one in db.session.scalars(select(Shipment))} >= {
            DeliveryState.CREATED, DeliveryState.TRANSIT, DeliveryState.FAIL_ATTEMPT, DeliveryState.RETURNED,
            DeliveryState.DELIVERED,
        }  # fmt: skip
        desk = db.session.scalars(select(PaymentPuzzle))
        assert {(one.kind, one.resolution) for one in desk} == {
            (Puzzle.UNDER, ""), (Puzzle.DOUBLE, ""), (Puzzle.UNMATCHED, ""), (Puzzle.UNMATCHED, "refunded"),
        }  # fmt: skip
        assert not any(day.unknown or day.faults for day in db.session.scalars(select(Reconciliation)))
        assert {o for o in db.session.scalars(select(Order.channel))} == {"web", "live", "api"}
        assert db.session.scalar(select(func.count()).select_from(LiveComment))
        assert {claim.by for claim in db.session.scalars(select(Captured))} == {"Hãng chuyển hàng mẫu"}
        drill = db.session.scalars(select(Recall)).one()
        assert drill.drill and drill.packed


def test_the_season_holds(demo: Flask) -> None:
    with demo.app_context():
        assert verify().fault is None
        assert [lot for lot in audit(db.session()) if lot.faults] == []


def test_told_again_it_changes_nothing_and_gives_new_links(demo: Flask) -> None:
    with demo.app_context():
        before = db.session.scalar(select(func.count()).select_from(LedgerEntry))
    again = demo.test_cli_runner().invoke(args=["demo"])
    assert again.exit_code == 0
    for username in ("producer", "seller", "office", "auditor"):
        assert f"{username} " in again.output
    assert again.output.count("/sign-in/link/") == 4
    with demo.app_context():
        assert db.session.scalar(select(func.count()).select_from(LedgerEntry)) == before


def _money() -> list[int]:
    """How many transfers, refunds and puzzles there are, and đồng that came and went back."""
    counts = [db.session.scalar(select(func.count()).select_from(one)) for one in (Transfer, Refund, PaymentPuzzle)]
    sums = db.session.execute(select(func.sum(Order.paid), func.sum(Order.refunded))).one()
    return [int(one or 0) for one in (*counts, *sums)]


def test_cut_off_it_goes_on_to_the_same_end(demo: Flask) -> None:
    mark = demo.extensions["soi"].instance / "demo"
    told = Counter[str]()
    with demo.app_context():
        before = db.session.scalar(select(func.count()).select_from(LedgerEntry))
        money = _money()
        told.update(status.value for status in db.session.scalars(select(Order.status)))
        first = db.session.scalars(select(Event.occurred_at).order_by(Event.occurred_at)).first()
    assert first is not None
    # As it is left by a `kill -9`: begun on that morning, not yet marked as told.
    mark.write_text(f"{(first + dt.timedelta(days=44)).astimezone(clock.VN).isoformat()}\n")
    again = demo.test_cli_runner().invoke(args=["demo"])
    assert again.exit_code == 0, again.output
    with demo.app_context():
        assert db.session.scalar(select(func.count()).select_from(LedgerEntry)) == before
        assert Counter(status.value for status in db.session.scalars(select(Order.status))) == told
        assert _money() == money
    assert mark.read_text() == "told\n"


def test_it_never_mixes_with_a_village_of_its_own(app: Flask) -> None:
    members = db.session.scalar(select(func.count()).select_from(Member))
    refused = app.test_cli_runner().invoke(args=["demo"])
    assert refused.exit_code == 1
    assert "members of its own" in refused.output
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Member)) == members
