"""Held batches: by a failed inspection, a failed report or the office, with all that came of them, until released."""

from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from batches.evidence import holds
from batches.stages.corrections import Correction, correct
from batches.stages.services import record_dispatch
from batches.stages.wanted import Make, Measure, Take
from shop.stock.errors import OutOfStock
from shop.stock.services import available, reserve
from tests.support.village import Village
from trace.events.models import Event
from trace.gs1.digital_link import DigitalLink
from trace.ledger.canonical import parse
from trace.ledger.models import LedgerEntry
from trace.lots.services import reachable
from village.db import db, write
from village.errors import BadInput, Conflict, Forbidden, NotFound
from village.ids import uuid7

DRY = (Measure("Moisture", Decimal("13.2"), "P1"),)


def inspect(village: Village, batch_id: str, *, passed: bool, days_ago: float) -> None:
    village.record("inspect", inputs=(Take(batch_id),), days_ago=days_ago, passed=passed, readings=DRY)


def hold(village: Village, batch_id: str, who: str = "office", reason: str = "Mùi lạ") -> str:
    event_id = uuid7()
    holds.hold(village.actor(who), village.batch(batch_id).lot, reason, event_id)
    return event_id


def release(village: Village, batch_id: str, who: str = "office") -> None:
    holds.release(village.actor(who), batch_id, "Đã xem lại", uuid7())


@pytest.fixture
def chain(village: Village) -> tuple[str, str, str]:
    """Tubers, the starch of half of them, and its sheets."""
    tuber = village.made("harvest", "tuber", 200_000, days_ago=9)
    starch = village.made("settle", "wet-starch", 25_000, (tuber, 100_000), days_ago=8)
    sheets = village.made("steam", "sheets", 10_000, (starch, 10_000), days_ago=7)
    return tuber, starch, sheets


def states(village: Village, *batch_ids: str) -> list[str]:
    return [village.batch(one).hold for one in batch_ids]


def test_the_office_holds_a_batch_and_all_that_came_of_it(village: Village, chain: tuple[str, str, str]) -> None:
    tuber, starch, sheets = chain
    event_id = hold(village, starch)
    assert states(village, tuber, starch, sheets) == ["none", "held", "held"]
    event = db.session.get_one(Event, event_id)
    told = parse(db.session.get_one(LedgerEntry, event.entry_index).body)["event"]
    assert (told["action"], told["bizStep"], told["soi:stage"]) == ("OBSERVE", "holding", "office-hold")
    assert "Mùi lạ" not in str(told), "why is the cooperative's own business"
    (one,) = holds.held(village.actor("office"))
    assert (one.batch.id, one.event.note, one.descendants_in_all) == (starch, "Mùi lạ", 1)
    assert (one.packs, one.grams) == (0, 25_000)
    assert holds.held_count(db.session(), village.actor("office").cooperative_id) == 2
    assert holds.held_count(db.session(), village.actor("office-other").cooperative_id) == 0


def test_what_is_held_is_not_used_until_it_is_released(village: Village, chain: tuple[str, str, str]) -> None:
    tuber, starch, sheets = chain
    hold(village, tuber)
    with pytest.raises(Conflict, match="tạm giữ"):
        village.made("steam", "sheets", 5_000, (starch, 5_000), days_ago=1)
    release(village, tuber)
    assert states(village, tuber, starch, sheets) == ["none"] * 3
    new = village.made("steam", "sheets", 5_000, (starch, 5_000), days_ago=1)
    hold(village, tuber)
    assert states(village, new) == ["held"], "what was made in between is held as well"


def test_a_households_own_inspection_does_not_lift_what_the_office_holds(
    village: Village, chain: tuple[str, str, str]
) -> None:
    dried = _noodles(village)
    hold(village, dried)
    inspect(village, dried, passed=True, days_ago=0)
    assert states(village, dried) == ["held"]
    release(village, dried)
    assert states(village, dried) == ["none"]


def test_the_offices_release_lifts_a_failed_inspection(village: Village) -> None:
    dried = _noodles(village)
    inspect(village, dried, passed=False, days_ago=1)
    assert states(village, dried) == ["held"]
    release(village, dried)
    assert states(village, dried) == ["none"] and holds.held(village.actor("office")) == []
    inspect(village, dried, passed=False, days_ago=0)
    assert states(village, dried) == ["held"], "a new inspection counts anew"


def test_two_reasons_hold_until_both_are_gone(village: Village, chain: tuple[str, str, str]) -> None:
    tuber, starch, sheets = chain
    hold(village, tuber)
    hold(village, starch)
    release(village, tuber)
    assert states(village, tuber, starch, sheets) == ["none", "held", "held"]
    release(village, starch)
    assert states(village, starch, sheets) == ["none", "none"]


def _noodles(village: Village) -> str:
    tuber = village.made("harvest", "tuber", 100_000, days_ago=9)
    starch = village.made("settle", "wet-starch", 25_000, (tuber, 100_000), days_ago=8)
    sheets = village.made("steam", "sheets", 25_000, (starch, 25_000), days_ago=7)
    rested = village.made("rest", "rested-sheets", 14_000, (sheets, 25_000), days_ago=6)
    return village.made("dry", "noodles", 12_000, (rested, 14_000), days_ago=5, note="Cân lại rồi", readings=DRY)


def test_packs_on_hold_are_neither_sold_nor_sent(village: Village, client: FlaskClient) -> None:
    packs = village.packs(40)
    product = village.product("packs", 500).id
    assert available(db.session(), [product]) == {product: 40}
    hold(village, packs)
    assert available(db.session(), [product]) == {product: 0}
    with pytest.raises(OutOfStock), write() as session:
        reserve(session, product, 1)
    with pytest.raises(Conflict, match="tạm giữ"), write(ledger=True) as session:
        record_dispatch(session, village.actor("office"), [(packs, 1)], buyer="x")
    with pytest.raises(Conflict, match="tạm giữ"):
        village.record("dispatch", inputs=(Take(packs, units=1),))
    (one,) = holds.held(village.actor("office"))
    assert one.packs == 40
    batch = village.batch(packs)
    page = client.get(DigitalLink(batch.gtin, lot=batch.lot).path).text
    assert "đang tạm giữ" in page and "Hợp tác xã giữ lại để xem" in page and "sợi còn nguyên" in page.lower()
    release(village, packs)
    assert available(db.session(), [product]) == {product: 40}
    assert "cho dùng lại" in client.get(DigitalLink(batch.gtin, lot=batch.lot).path).text


def test_a_packed_batch_of_a_held_one_is_held_before_it_is_sold(village: Village) -> None:
    packs = village.packs(40)
    noodles = reachable(db.session(), [packs], "up")
    root = min(noodles, key=lambda one: village.batch(one).made_at)
    hold(village, root)
    assert states(village, packs) == ["held"]
    (one,) = holds.held(village.actor("office"))
    assert (one.packs, one.descendants_in_all) == (40, len(noodles))


@pytest.mark.parametrize("who", ["producer", "seller", "auditor"])
def test_only_the_office_holds_and_releases(village: Village, chain: tuple[str, str, str], who: str) -> None:
    with pytest.raises(Forbidden):
        hold(village, chain[0], who)
    hold(village, chain[0])
    with pytest.raises(Forbidden):
        release(village, chain[0], who)
    assert states(village, chain[0]) == ["held"]


def test_another_cooperatives_office_neither_sees_holds_nor_releases(
    village: Village, chain: tuple[str, str, str], client: FlaskClient
) -> None:
    with pytest.raises(BadInput, match="không có lô"):
        hold(village, chain[0], "office-other")
    hold(village, chain[0])
    with pytest.raises(NotFound):
        release(village, chain[0], "office-other")
    village.sign_in(client, "office-other")
    assert village.batch(chain[0]).lot not in client.get("/coop/holds").text
    assert client.get(f"/coop/holds/{chain[0]}/release").status_code == 404


def test_a_producer_does_not_declare_the_offices_hold_a_mistake(village: Village, chain: tuple[str, str, str]) -> None:
    event = hold(village, chain[0])
    wrong = Correction(uuid7(), event, "did_not_occur", "Không có")
    with pytest.raises(Forbidden):
        correct(village.actor("producer"), wrong, {})
    assert states(village, chain[0]) == ["held"]
    correct(village.actor("office"), wrong, {})
    assert states(village, *chain) == ["none"] * 3


def test_what_is_not_held_for_itself_is_not_released(village: Village, chain: tuple[str, str, str]) -> None:
    with pytest.raises(NotFound):
        release(village, chain[0])
    hold(village, chain[0])
    with pytest.raises(NotFound):
        release(village, chain[1])


def test_a_form_that_is_sent_twice_holds_once(village: Village, chain: tuple[str, str, str]) -> None:
    event_id = uuid7()
    lot = village.batch(chain[0]).lot
    for _ in range(2):
        holds.hold(village.actor("office"), lot, "Mùi lạ", event_id)
    release(village, chain[0])
    holds.hold(village.actor("office"), lot, "Mùi lạ", event_id)
    assert states(village, chain[0]) == ["none"]


def test_the_office_holds_and_releases_on_its_pages(
    village: Village, chain: tuple[str, str, str], client: FlaskClient
) -> None:
    village.sign_in(client, "office")
    batch = village.batch(chain[0])
    link = "https://soi.example.vn" + DigitalLink(batch.gtin, lot=batch.lot).path
    assert f"lot={batch.lot}" in client.get(f"/batches/{batch.id}").text
    for form, said in (
        ({"lot": "KHONG-CO", "reason": "x", "event_id": uuid7()}, "không có lô nào"),
        ({"lot": batch.lot, "reason": "", "event_id": uuid7()}, "chưa điền"),
        ({"lot": "", "reason": "x", "event_id": uuid7()}, "Bác ghi mã lô"),
        ({"lot": "/01/xyz", "reason": "x", "event_id": uuid7()}, "không có lô nào"),
        ({"lot": batch.lot, "reason": "x", "event_id": "x"}, "UUID"),
    ):
        answer = client.post("/coop/holds/new", data=form)
        assert answer.status_code == 422 and said in answer.text, form
    done = client.post("/coop/holds/new", data={"lot": link, "reason": "Mùi lạ", "event_id": uuid7()})
    assert (done.status_code, done.location) == (302, "/coop/holds")
    page = client.get("/coop/holds").text
    assert all(said in page for said in (batch.lot, "Mùi lạ", "Cho dùng lại", village.batch(chain[2]).lot))
    assert "Mùi lạ" in client.get(f"/coop/holds/{batch.id}/release").text
    client.post(f"/coop/holds/{batch.id}/release", data={"reason": "Đã nếm thử", "event_id": uuid7()})
    assert states(village, *chain) == ["none"] * 3
    assert "Không có mẻ nào đang tạm giữ" in client.get("/coop/holds").text


def test_a_hold_and_its_release_stand_on_the_batchs_page(
    village: Village, chain: tuple[str, str, str], client: FlaskClient
) -> None:
    hold(village, chain[0])
    release(village, chain[0])
    village.sign_in(client, "producer")
    page = client.get(f"/batches/{chain[0]}").text
    assert "Hợp tác xã tạm giữ" in page and "Mùi lạ" in page and "Hợp tác xã cho dùng lại" in page


def test_splitting_what_is_held_is_refused_too(village: Village, chain: tuple[str, str, str]) -> None:
    hold(village, chain[0])
    product = village.product("tuber").id
    parts: dict[str, Any] = {"inputs": (Take(chain[0], 100_000),), "outputs": (Make(product, 50_000),) * 2}
    with pytest.raises((Conflict, BadInput)):
        village.record("split", days_ago=1, **parts)
    assert village.batch(chain[0]).left_grams == 100_000


def test_a_late_word_from_before_does_not_lift_a_hold(village: Village) -> None:
    dried = _noodles(village)
    inspect(village, dried, passed=False, days_ago=1)
    inspect(village, dried, passed=True, days_ago=2)
    assert states(village, dried) == ["held"], "a phone that was out of reach tells an older inspection"
