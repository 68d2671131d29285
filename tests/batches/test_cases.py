"""Cases of packs: their numbers, what lies in them, and that no pack is in two places."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from batches.stages.services import record_dispatch
from batches.stages.wanted import Take
from tests.batches.test_corrections import take_back, tell_again
from tests.batches.test_regrouping import event_of
from tests.support.phone import Phone
from tests.support.village import Village
from trace.gs1.gtin import parse_sscc
from trace.ledger.verify import verify
from trace.lots.models import LogisticUnit, LogisticUnitPart
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound
from village.ids import uuid7


@pytest.fixture
def packs(village: Village) -> str:
    return village.packs(40)


def fill(village: Village, packs: str, units: int, **more: Any) -> dict[str, Any]:
    return village.record("case", inputs=(Take(packs, units=units),), **{"days_ago": 2, **more})


def case(sscc: str) -> tuple[str, dict[str, int]]:
    db.session.rollback()
    unit = db.session.get_one(LogisticUnit, sscc)
    return unit.status, {part.batch_id: part.units for part in unit.parts}


def test_a_case_gets_the_cooperatives_next_number_and_takes_nothing_away(village: Village, packs: str) -> None:
    first, second = fill(village, packs, 10), fill(village, packs, 20)
    assert first["sscc"][:13] == "0" + village.batch(packs).household.cooperative.gln[:12]
    assert [parse_sscc(one["sscc"])[13:17] for one in (first, second)] == ["0000", "0001"]
    assert case(first["sscc"]) == ("closed", {packs: 10})
    assert village.batch(packs).left_units == 40
    told = event_of(first)
    assert (told["type"], told["action"]) == ("AggregationEvent", "ADD")
    assert told["parentID"] == f"https://id.gs1.org/00/{first['sscc']}"
    assert told["childQuantityList"][0]["quantity"] == 10
    assert verify().holds


def test_packs_in_closed_cases_are_neither_cased_again_nor_taken_singly(village: Village, packs: str) -> None:
    sscc = fill(village, packs, 30)["sscc"]
    for stage, facts in (("case", {}), ("dispatch", {}), ("lose", {"reason": "spilt"})):
        with pytest.raises(Conflict) as refused:
            village.record(stage, inputs=(Take(packs, units=11),), facts=facts)
        assert refused.value.slug == "in-closed-cases"
    with write(ledger=True) as session, pytest.raises(Conflict) as refused:
        record_dispatch(session, village.actor("office"), [(packs, 11)], buyer="x")
    assert refused.value.slug == "in-closed-cases"
    village.record("dispatch", inputs=(Take(packs, units=10),))
    village.record("uncase", facts={"sscc": sscc})
    assert case(sscc) == ("opened", {packs: 30})
    village.record("dispatch", inputs=(Take(packs, units=30),))
    with pytest.raises(Conflict) as refused:
        village.record("uncase", facts={"sscc": sscc})
    assert refused.value.slug == "case-not-closed"


def test_a_whole_case_is_sent_off_by_its_number(village: Village, packs: str) -> None:
    from shop.stock.models import StockLot

    sscc = fill(village, packs, 30)["sscc"]
    answer = village.record("dispatch", facts={"sscc": sscc})
    told = event_of(answer)
    assert (told["soi:sscc"], told["quantityList"][0]["quantity"]) == (sscc, 30)
    assert (village.batch(packs).left_units, case(sscc)[0]) == (10, "shipped")
    assert db.session.get_one(StockLot, packs).free == 10


def test_a_whole_case_is_lost_and_found_again(village: Village, packs: str) -> None:
    sscc = fill(village, packs, 30)["sscc"]
    answer = village.record("lose", facts={"sscc": sscc, "reason": "rain"})
    assert (village.batch(packs).left_units, case(sscc)[0]) == (10, "lost")
    told = tell_again(village, answer["id"], facts={"sscc": sscc, "reason": "spoilt"})
    assert (village.batch(packs).left_units, case(sscc)[0]) == (10, "lost")
    take_back(village, told["id"])
    assert (village.batch(packs).left_units, case(sscc)[0]) == (40, "closed")
    assert verify().holds


def test_a_packing_is_told_again_or_taken_back_while_the_case_is_closed(village: Village, packs: str) -> None:
    answer = fill(village, packs, 30)
    sscc = answer["sscc"]
    told = tell_again(village, answer["id"], inputs=(Take(packs, units=35),))
    assert (told["sscc"], case(sscc)) == (sscc, ("closed", {packs: 35}))
    with pytest.raises(Conflict) as refused:
        tell_again(village, told["id"], inputs=(Take(packs, units=41),))
    assert refused.value.slug == "not-enough-left"
    opened = village.record("uncase", facts={"sscc": sscc})
    with pytest.raises(Conflict) as refused:
        take_back(village, told["id"])
    assert refused.value.slug == "already-used"
    take_back(village, opened["id"])
    assert case(sscc) == ("closed", {packs: 35})
    take_back(village, told["id"])
    assert case(sscc)[0] == "opened"
    assert fill(village, packs, 40)["sscc"] != sscc, "a number is never given twice"


def test_an_opening_is_not_taken_back_when_the_packs_went_elsewhere(village: Village, packs: str) -> None:
    sscc = fill(village, packs, 30)["sscc"]
    opened = village.record("uncase", facts={"sscc": sscc})
    village.record("dispatch", inputs=(Take(packs, units=20),))
    with pytest.raises(Conflict) as refused:
        take_back(village, opened["id"])
    assert refused.value.slug == "in-closed-cases"
    assert case(sscc)[0] == "opened"


def test_a_packing_of_packs_is_not_corrected_below_what_lies_in_cases(village: Village, packs: str) -> None:
    from trace.events.models import Event, EventBatch

    fill(village, packs, 30)
    made = db.session.scalars(
        select(Event).join(EventBatch).where(EventBatch.batch_id == packs, EventBatch.part == "output")
    ).one()
    from dataclasses import replace

    from batches.stages.corrections import as_wanted, event_for

    told = as_wanted(event_for(village.actor("producer"), made.id))
    with pytest.raises(Conflict) as refused:
        tell_again(village, made.id, outputs=(replace(told.outputs[0], units=29),))
    assert refused.value.slug == "in-closed-cases"
    with pytest.raises(Conflict):
        take_back(village, made.id)


def test_a_phones_own_number_is_the_cooperatives_and_free(village: Village, packs: str) -> None:
    from trace.gs1.gtin import with_check_digit

    prefix = village.batch(packs).household.cooperative.gln[:12]
    mine = with_check_digit(f"0{prefix}0001")
    assert fill(village, packs, 5, facts={"sscc": mine})["sscc"] == mine
    with pytest.raises(Conflict):
        fill(village, packs, 5, facts={"sscc": mine})
    assert fill(village, packs, 5)["sscc"] == with_check_digit(f"0{prefix}0000")
    assert fill(village, packs, 5)["sscc"] == with_check_digit(f"0{prefix}0002"), "one that is taken is passed over"
    for wrong in (with_check_digit("09506999000010001"), mine[:-1] + str((int(mine[-1]) + 1) % 10), "12"):
        with pytest.raises(BadInput):
            fill(village, packs, 5, facts={"sscc": wrong})


def test_weighed_batches_do_not_go_into_cases(village: Village) -> None:
    from batches.stages.wanted import Make

    answer = village.record("harvest", outputs=(Make(village.product("tuber").id, 500_000),))
    with pytest.raises(BadInput):
        village.record("case", inputs=(Take(answer["batches"][0]["id"], 1000),))


def test_another_households_case_is_not_ours_to_open(village: Village, packs: str) -> None:
    sscc = fill(village, packs, 5)["sscc"]
    for username in ("producer-b", "office-other"):
        site = village.site("Nhà Hộ B" if username == "producer-b" else "Nhà Hộ C").id
        with pytest.raises(NotFound):
            village.record("uncase", username, facts={"sscc": sscc}, site=site)
    assert case(sscc)[0] == "closed"
    village.record("uncase", "office", facts={"sscc": sscc})
    assert case(sscc)[0] == "opened"


def test_a_case_named_with_other_contents_is_refused(village: Village, packs: str) -> None:
    sscc = fill(village, packs, 5)["sscc"]
    with pytest.raises(BadInput) as refused:
        village.record("dispatch", inputs=(Take(packs, units=4),), facts={"sscc": sscc})
    assert refused.value.slug == "not-the-case"
    assert db.session.scalar(select(LogisticUnitPart.units)) == 5


def test_a_phone_signs_the_newer_kinds_too(village: Village, packs: str, client: FlaskClient) -> None:
    phone = Phone().enrol(village)
    headers = {"Authorization": f"Bearer {village.token('producer')}"}
    base = {"process": "mien-dong", "site": village.site().gln, "readings": [], "photos": []}

    def send(stage: str, **more: Any) -> Any:
        when = village.wanted(stage, days_ago=1).occurred_at.isoformat(timespec="milliseconds")
        body = {**base, "id": uuid7(), "stage": stage, "occurred_at": when, "inputs": [], "outputs": [], **more}
        answer = client.post("/api/events", json=phone.signed(body), headers=headers)
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()

    bought = [{"product": village.product("wet-starch").gtin, "grams": 90_000, "lot": "BL26M-ABCDEFGH-B"}]
    answer = send("buy-wet-starch", outputs=bought, facts={"origin": "Na Rì"}, value_dong=1_500_000)
    assert answer["batches"][0]["lot"] == "BL26M-ABCDEFGH-B"
    epc = village.batch(packs).epc
    sscc = send("case", inputs=[{"batch": epc, "units": 6}])["sscc"]
    send("dispatch", facts={"sscc": sscc})
    send("lose", inputs=[{"batch": epc, "units": 2}], facts={"reason": "rain"})
    assert village.batch(packs).left_units == 32
    assert verify().holds


def test_the_api_takes_facts_and_answers_with_the_number(village: Village, packs: str, client: FlaskClient) -> None:
    wanted = {
        "id": "01a20177-80f4-7f46-8aa1-0c72942cfa3c", "process": "mien-dong", "stage": "case",
        "occurred_at": village.wanted("case").occurred_at.isoformat(), "site": village.site().id,
        "inputs": [{"batch": packs, "units": 4}],
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {village.token('producer')}"}
    answer = client.post("/api/events", json=wanted, headers=headers)
    assert answer.status_code == 201
    sscc = answer.get_json()["sscc"]
    opening = {**wanted, "id": "01a20177-80f4-7f46-8aa1-0c72942cfa3d", "stage": "uncase", "inputs": []}
    bad = client.post("/api/events", json={**opening, "facts": {"who": "x"}}, headers=headers)
    assert bad.status_code == 422
    good = client.post("/api/events", json={**opening, "facts": {"sscc": sscc}, "value_dong": 5}, headers=headers)
    assert (good.status_code, good.get_json()["sscc"]) == (201, sscc)
