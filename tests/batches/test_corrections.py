"""Nothing is edited: a wrong event is declared wrong, and told again."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from batches.stages.corrections import Correction, as_wanted, correct, event_for
from batches.stages.wanted import Make, Measure, Take
from tests.support.village import Village
from trace.events.models import Event
from trace.ledger import store
from trace.ledger.canonical import parse
from trace.ledger.verify import verify
from trace.lots.services import reachable
from village.db import db
from village.errors import Conflict, Forbidden
from village.ids import uuid7


def take_back(village: Village, event_id: str, username: str = "producer") -> dict[str, Any]:
    wanted = Correction(uuid7(), event_id, "did_not_occur", "ghi nhầm")
    return correct(village.actor(username), wanted, {"id": wanted.id})


def tell_again(village: Village, event_id: str, username: str = "producer", **changes: Any) -> dict[str, Any]:
    told = replace(as_wanted(event_for(village.actor(username), event_id)), **changes)
    wanted = Correction(uuid7(), event_id, "incorrect_data", "cân lại", told)
    return correct(village.actor(username), wanted, {"id": wanted.id})


def test_a_harvest_that_never_was_is_taken_back(village: Village) -> None:
    answer = village.record("harvest", outputs=(Make(village.product("tuber").id, 500_000),))
    told = take_back(village, answer["id"])
    assert village.batch(answer["batches"][0]["id"]).void
    event = db.session.get_one(Event, answer["id"])
    assert (event.stands, event.correction_reason) == (False, "did_not_occur")
    entry = parse(store.entry(told["entry"]["index"]).body)
    original = parse(store.entry(answer["entry"]["index"]).body)
    declaration = entry["event"].pop("errorDeclaration")
    assert entry["event"] == original["event"]
    assert declaration["reason"] == "did_not_occur"
    assert verify().holds


def test_a_wrong_weight_is_told_again_and_the_batch_keeps_its_code(village: Village) -> None:
    answer = village.record("harvest", outputs=(Make(village.product("tuber").id, 500_000),))
    batch_id = answer["batches"][0]["id"]
    village.made("settle", "wet-starch", 25_000, (batch_id, 100_000), days_ago=0.5)
    told = tell_again(village, answer["id"], outputs=(Make(village.product("tuber").id, 450_000),))
    batch = village.batch(batch_id)
    assert (batch.made_grams, batch.left_grams) == (450_000, 350_000)
    assert told["batches"][0]["id"] == batch_id
    db.session.rollback()
    event = db.session.get_one(Event, answer["id"])
    assert event.corrected_by == told["id"]
    assert event.correction_entry is not None
    declared = parse(store.entry(event.correction_entry).body)["event"]["errorDeclaration"]
    assert declared["correctiveEventIDs"] == [f"urn:uuid:{told['id']}"]
    assert verify().holds


def test_less_than_was_already_used_cannot_be_told(village: Village) -> None:
    answer = village.record("harvest", outputs=(Make(village.product("tuber").id, 500_000),))
    village.made("settle", "wet-starch", 100_000, (answer["batches"][0]["id"], 400_000), days_ago=0.5)
    with pytest.raises(Conflict) as refused:
        tell_again(village, answer["id"], outputs=(Make(village.product("tuber").id, 399_000),))
    assert refused.value.slug == "already-used"
    assert village.batch(answer["batches"][0]["id"]).left_grams == 100_000
    with pytest.raises(Conflict):
        take_back(village, answer["id"])


def test_a_correction_gives_back_what_went_in(village: Village) -> None:
    tuber = village.made("harvest", "tuber", 400_000, days_ago=3)
    answer = village.record(
        "settle", inputs=(Take(tuber, 400_000),), outputs=(Make(village.product("wet-starch").id, 100_000),)
    )
    take_back(village, answer["id"])
    assert village.batch(tuber).left_grams == 400_000
    assert reachable(db.session(), [tuber], "down") == set()


def test_a_correction_may_not_make_later_noodles_impossible(village: Village) -> None:
    tuber = village.record("harvest", outputs=(Make(village.product("tuber").id, 160_000),), days_ago=9)
    batch = tuber["batches"][0]["id"]
    starch = village.record(
        "settle",
        inputs=(Take(batch, 160_000),),
        outputs=(Make(village.product("wet-starch").id, 40_000),),
        days_ago=8,
    )
    sheets = village.made("steam", "sheets", 40_000, (starch["batches"][0]["id"], 40_000), days_ago=7)
    rested = village.made("rest", "rested-sheets", 23_000, (sheets, 40_000), days_ago=6)
    village.made(
        "dry", "noodles", 20_000, (rested, 23_000), days_ago=5, readings=(Measure("Moisture", Decimal(13), "P1"),)
    )
    with pytest.raises(Conflict) as refused:
        # 20 kg of noodles cannot come of 90 kg of tubers.
        tell_again(village, starch["id"], inputs=(Take(batch, 90_000),), outputs=(
            Make(village.product("wet-starch").id, 40_000),
        ))
    assert refused.value.slug == "descendant-impossible"
    assert village.batch(batch).left_grams == 0
    assert verify().holds


def test_an_event_is_corrected_once(village: Village) -> None:
    answer = village.record("harvest", outputs=(Make(village.product("tuber").id, 500_000),))
    take_back(village, answer["id"])
    with pytest.raises(Conflict) as refused:
        take_back(village, answer["id"])
    assert refused.value.slug == "already-corrected"


def test_another_household_corrects_nothing(village: Village) -> None:
    answer = village.record("harvest", outputs=(Make(village.product("tuber").id, 500_000),))
    for username in ("producer-b", "office-other"):
        with pytest.raises(Forbidden):
            take_back(village, answer["id"], username)


def test_the_api_corrects(client: FlaskClient, village: Village) -> None:
    answer = village.record("harvest", outputs=(Make(village.product("tuber").id, 500_000),))
    headers = {"Authorization": f"Bearer {village.token('producer')}"}
    body = {
        "id": uuid7(),
        "reason": "incorrect_data",
        "note": "cân lại",
        "event": {"outputs": [{"product": village.product("tuber").id, "grams": 480_000}]},
    }
    told = client.post(f"/api/events/{answer['id']}/corrections", json=body, headers=headers)
    assert told.status_code == 201, told.get_json()
    again = client.post(f"/api/events/{answer['id']}/corrections", json=body, headers=headers)
    assert again.get_json() == told.get_json()
    assert village.batch(answer["batches"][0]["id"]).made_grams == 480_000


def test_a_failed_inspection_holds_the_batch_and_all_that_came_of_it(village: Village) -> None:
    packed = village.packs(20)
    (noodles,) = [b for b in reachable(db.session(), [packed], "up") if village.batch(b).material == "noodles"]
    village.record(
        "inspect", inputs=(Take(noodles),), days_ago=0.2, readings=(Measure("Moisture", Decimal(17), "P1"),),
        note="ẩm lại vì mưa",
    )
    assert village.batch(packed).hold == "held"
    with pytest.raises(Conflict):
        village.record("dispatch", inputs=(Take(packed, units=1),), days_ago=0.1)
    village.record(
        "inspect", inputs=(Take(noodles),), days_ago=0.05, readings=(Measure("Moisture", Decimal(13), "P1"),)
    )
    assert village.batch(packed).hold == "none"
    assert verify().holds


@pytest.mark.parametrize("first_passed", [True, False])
def test_an_inspection_taken_back_counts_no_more(village: Village, first_passed: bool) -> None:
    packed = village.packs(20)
    (noodles,) = [b for b in reachable(db.session(), [packed], "up") if village.batch(b).material == "noodles"]
    good, bad = Measure("Moisture", Decimal(13), "P1"), Measure("Moisture", Decimal(17), "P1")
    first, second = (good, bad) if first_passed else (bad, good)
    village.record("inspect", inputs=(Take(noodles),), days_ago=0.2, readings=(first,), note="đo lần một")
    last = village.record("inspect", inputs=(Take(noodles),), days_ago=0.1, readings=(second,), note="đo lần hai")
    assert village.batch(packed).hold == ("held" if first_passed else "none")
    take_back(village, last["id"])
    assert village.batch(packed).hold == ("none" if first_passed else "held")
    assert village.batch(noodles).hold == village.batch(packed).hold
