"""`POST /api/events`: what it takes, what it refuses, and that nothing is half-written."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.support.village import Village
from trace.events.models import Event
from trace.ledger.models import LedgerEntry
from trace.ledger.verify import verify
from trace.lots.models import Batch
from village import clock
from village.db import db
from village.ids import uuid7

Post = Callable[..., Any]


@pytest.fixture
def post(client: FlaskClient, village: Village) -> Post:
    """Post an event as a member; gives the response."""

    def send(body: dict[str, Any], username: str = "producer") -> Any:
        return client.post("/api/events", json=body, headers={"Authorization": f"Bearer {village.token(username)}"})

    return send


def harvest(village: Village, grams: int = 1_250_000, **changes: Any) -> dict[str, Any]:
    """A harvest as a phone would send it."""
    return {
        "id": uuid7(),
        "process": "mien-dong",
        "stage": "harvest",
        "occurred_at": (clock.now() - dt.timedelta(hours=3)).astimezone(clock.VN).isoformat(),
        "site": village.site().id,
        "inputs": [],
        "outputs": [{"product": village.product("tuber").id, "grams": grams, "units": None}],
        "readings": [],
        "photos": [],
        "note": "",
    } | changes


def counts() -> tuple[int, int, int]:
    """How many events, entries and batches there are."""
    db.session.rollback()
    return tuple(db.session.scalar(select(func.count()).select_from(t)) for t in (Event, LedgerEntry, Batch))  # type: ignore[return-value]  # three counts


def test_a_harvest_gives_a_batch_with_its_entry_and_scan_address(post: Post, village: Village) -> None:
    answer = post(harvest(village))
    assert answer.status_code == 201
    body = answer.get_json()
    (batch,) = body["batches"]
    assert (batch["grams"], batch["units"]) == (1_250_000, None)
    assert batch["scan_url"].endswith(f"/01/{batch['gtin']}/10/{batch['lot']}")
    assert body["entry"]["index"] == 1
    assert body["warnings"] == []


def test_the_same_id_and_body_give_the_same_answer_and_write_once(post: Post, village: Village) -> None:
    body = harvest(village)
    first, before = post(body), counts()
    second = post(body)
    assert (second.status_code, second.get_json()) == (201, first.get_json())
    assert counts()[1] == before[1]


def test_the_same_id_with_another_body_is_refused(post: Post, village: Village) -> None:
    body = harvest(village)
    post(body)
    again = post(body | {"note": "khác"})
    assert again.status_code == 409
    assert again.get_json()["type"].endswith("/problems/idempotency-key-reused")


@pytest.mark.parametrize(
    ("change", "status", "slug"),
    [
        ({"occurred_at": "2199-01-01T00:00:00+07:00"}, 422, "future-time"),
        ({"occurred_at": "1999-01-01T00:00:00+07:00"}, 422, "too-old"),
        ({"occurred_at": "2026-01-01T00:00:00"}, 422, "invalid"),
        ({"occurred_at": "9999-12-31T23:59:59+07:00"}, 422, "future-time"),
        ({"occurred_at": "0001-01-01T00:00:00+07:00"}, 422, "too-old"),
        ({"occurred_at": "2026-11-01T06:30:00+23:59"}, 422, "bad-offset"),
        ({"occurred_at": "2026-11-01T06:30:00+07:00:30"}, 422, "bad-offset"),
        ({"photos": ["a" * 64 + "\n"]}, 422, "invalid"),
        ({"process": "bun"}, 422, "unknown-process"),
        ({"stage": "fly"}, 422, "unknown-stage"),
        ({"site": "nowhere"}, 422, "unknown-site"),
        ({"id": "1"}, 422, "bad-id"),
        ({"id": "0191E8A0-0000-7000-8000-000000000000"}, 422, "bad-id"),
        ({"outputs": []}, 422, "no-output"),
        ({"outputs": [{"product": "none", "grams": 1}]}, 422, "unknown-product"),
        ({"outputs": "x"}, 422, "invalid"),
        ({"note": "x" * 501}, 422, "invalid"),
        ({"note": "a\u0000b"}, 422, "bad-character"),
        ({"extra": 1}, 422, "invalid"),
        ({"device": {"key": "k", "seq": 1, "signature": "s"}}, 422, "unknown-device"),
        ({"photos": ["zz"]}, 422, "invalid"),
    ],
)
def test_a_bad_value_is_named_and_nothing_is_written(
    post: Post, village: Village, change: dict[str, Any], status: int, slug: str
) -> None:
    before = counts()
    answer = post(harvest(village) | change)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["type"].endswith(f"/problems/{slug}"), answer.get_json()
    assert counts() == before


@pytest.mark.parametrize("grams", [0, -5, 1.5, "100", True, 10**13, None])
def test_grams_are_whole_and_positive(post: Post, village: Village, grams: object) -> None:
    before = counts()
    answer = post(harvest(village, grams))  # type: ignore[arg-type]  # wrong on purpose
    assert answer.status_code == 422
    assert counts() == before


def test_what_is_not_json_is_said_so(client: FlaskClient, village: Village) -> None:
    token = village.token("producer")
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.post("/api/events", data=b"{", headers=headers, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


def test_starch_beyond_its_bound_is_refused_in_vietnamese(post: Post, village: Village) -> None:
    tuber = post(harvest(village)).get_json()["batches"][0]["id"]
    before = counts()
    answer = post(
        harvest(village, 700_000, stage="settle")
        | {
            "occurred_at": clock.now().astimezone(clock.VN).isoformat(),
            "inputs": [{"batch": tuber, "grams": 1_250_000}],
            "outputs": [{"product": village.product("wet-starch").id, "grams": 700_000}],
        }
    )
    problem = answer.get_json()
    assert (answer.status_code, problem["type"].rsplit("/", 1)[1]) == (422, "yield-above-bound")
    assert "1.250\u00a0kg" in problem["detail"] and "45\u00a0%" in problem["detail"]
    assert problem["field"] == "outputs.0.grams"
    assert counts() == before


def test_a_doubtful_yield_needs_a_reason_and_then_shows_as_a_warning(post: Post, village: Village) -> None:
    tuber = post(harvest(village)).get_json()["batches"][0]["id"]
    body = harvest(village, stage="settle") | {
        "occurred_at": clock.now().astimezone(clock.VN).isoformat(),
        "inputs": [{"batch": tuber, "grams": 1_000_000}],
        "outputs": [{"product": village.product("wet-starch").id, "grams": 120_000}],
    }
    refused = post(body)
    assert refused.status_code == 422
    assert refused.get_json()["type"].endswith("/problems/reason-needed")
    taken = post(body | {"id": uuid7(), "note": "Mưa, mất một bể"})
    assert taken.status_code == 201
    assert [w["type"] for w in taken.get_json()["warnings"]] == ["yield-unusual"]
    assert village.batch(tuber).left_grams == 250_000


def test_no_more_than_is_left_can_go_in(post: Post, village: Village) -> None:
    tuber = post(harvest(village, 100_000)).get_json()["batches"][0]["id"]
    answer = post(
        harvest(village, stage="settle")
        | {
            "occurred_at": clock.now().astimezone(clock.VN).isoformat(),
            "inputs": [{"batch": tuber, "grams": 100_001}],
            "outputs": [{"product": village.product("wet-starch").id, "grams": 25_000}],
        }
    )
    assert (answer.status_code, answer.get_json()["left"]) == (409, 100_000)
    assert village.batch(tuber).left_grams == 100_000


def test_a_batch_of_another_household_cannot_be_used(post: Post, village: Village) -> None:
    tuber = post(harvest(village, 100_000)).get_json()["batches"][0]["id"]
    body = harvest(village, stage="settle") | {
        "occurred_at": clock.now().astimezone(clock.VN).isoformat(),
        "site": village.site("Nhà Hộ B").id,
        "inputs": [{"batch": tuber, "grams": 100_000}],
        "outputs": [{"product": village.product("wet-starch").id, "grams": 25_000}],
    }
    assert post(body, "producer-b").status_code == 403
    assert post(body, "producer-other").status_code == 403
    assert village.batch(tuber).left_grams == 100_000


@pytest.mark.parametrize("username", ["seller", "auditor"])
def test_only_producers_and_their_office_record(post: Post, village: Village, username: str) -> None:
    assert post(harvest(village), username).status_code == 403


def test_a_stranger_records_nothing(client: FlaskClient, village: Village) -> None:
    assert client.post("/api/events", json=harvest(village)).status_code == 401


def test_another_cooperatives_office_may_not_use_our_site(post: Post, village: Village) -> None:
    assert post(harvest(village), "office-other").status_code == 403


def test_several_batches_merge_and_one_splits(village: Village) -> None:
    first = village.made("harvest", "tuber", 100_000, days_ago=5)
    second = village.made("harvest", "tuber", 300_000, days_ago=5)
    from batches.stages.wanted import Make, Take

    starch = village.product("wet-starch").id
    answer = village.record(
        "settle",
        inputs=(Take(first, 100_000), Take(second, 200_000)),
        outputs=(Make(starch, 50_000), Make(starch, 25_000)),
        days_ago=4,
    )
    halves = [village.batch(b["id"]) for b in answer["batches"]]
    assert [h.origins["tuber"] for h in halves] == [200_000, 100_000]
    assert village.batch(second).left_grams == 100_000
    assert verify().holds


def test_the_id_of_a_dispatch_is_not_taken_over(post: Post, village: Village) -> None:
    from batches.stages.services import record_dispatch
    from village.db import write

    packed, who = village.packs(10), village.actor("seller")
    with write(ledger=True) as session:
        (sent,) = record_dispatch(session, who, [(packed, 2)], buyer="ai đó")
    before = counts()
    answer = post(harvest(village, id=sent.event_id))
    assert (answer.status_code, answer.get_json()["type"].rsplit("/", 1)[1]) == (409, "id-taken")
    assert counts() == before
