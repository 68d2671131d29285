"""A recall finds all that came of a lot, holds it, says so on the ledger; a drill does nothing of it."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from batches.evidence import holds
from tests.shop.hands import row, shelve
from tests.shop.recalling import came_of, messages, of_other_cooperative, recall, refused
from tests.support.village import Village
from trace.ledger.canonical import MAX_ENTRY_BYTES, parse
from trace.ledger.models import LedgerEntry, LedgerLink
from trace.ledger.verify import verify
from trace.lots.models import Batch
from trace.recalls import choosing, drawing, reading, services
from trace.recalls.account import Counted, Impossible, reckon
from trace.recalls.choosing import Wish
from trace.recalls.models import Recall, RecallLot
from village import clock
from village.db import db, write
from village.errors import Forbidden, NotFound
from village.ids import uuid7


def ancestors(village: Village, batch_id: str) -> list[Batch]:
    found = choosing.choose(village.actor("office"), Wish(lot=village.batch(batch_id).lot))
    return list(found.sources)


def states(*batches: str) -> list[str]:
    db.session.rollback()
    return [db.session.get_one(Batch, one, populate_existing=True).hold for one in batches]


def entries() -> list[dict[str, Any]]:
    db.session.rollback()
    bodies = db.session.scalars(select(LedgerEntry.body).order_by(LedgerEntry.index))
    return [record for record in map(parse, bodies) if record["type"] == "recall"]


def post(client: FlaskClient, village: Village, who: str, body: Any, key: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {village.token(who)}", "Idempotency-Key": key or uuid7()}
    return client.post("/api/recalls", json=body, headers=headers)


def test_everything_that_came_of_a_lot_is_held_and_nothing_else(village: Village) -> None:
    packs, other = village.packs(40), village.packs(20)
    tuber, starch, *_ = ancestors(village, packs)
    answer = recall(village, starch.id)
    assert {lot["id"] for lot in answer["lots"]} == {packs, *(one.id for one in ancestors(village, packs))} - {tuber.id}
    assert states(tuber.id, starch.id, packs, other) == ["none", "recalled", "recalled", "none"]
    assert row(packs).on_hold and not row(other).on_hold
    assert answer["units"] == {"packed": 40, "in_stock": 40, "sold": 0, "shipping": 0}
    assert village.batch(packs).hold_reason == "Có mùi lạ khi mở gói."


def test_the_ledger_tells_of_a_recall_in_each_lot_s_chain_and_holds(village: Village, client: FlaskClient) -> None:
    packs = village.packs(40)
    batch = village.batch(packs)
    recall(village, packs)
    (record,) = entries()
    assert record["event"]["persistentDisposition"] == {"set": ["recalled"]}
    assert record["event"]["bizStep"] == "holding"
    assert record["event"]["quantityList"] == [{"epcClass": batch.epc, "quantity": 40}]
    assert [link["batch"] for link in record["chain"]] == [batch.epc]
    assert set(record["commitments"]) == {"member", "note"}
    assert "mùi lạ" not in str(record)
    assert verify().holds
    page = client.get(f"/01/{batch.gtin}/10/{batch.lot}").get_data(as_text=True)
    assert "Gói này đã bị thu hồi, mời bác đừng dùng" in page
    assert "Sợi còn nguyên" in page
    line = reading.of_lot(db.session(), village.batch(packs))
    assert line is not None
    assert f"/ledger/lines/{line.entry_index}" in page
    assert "Thu hồi" in client.get(f"/ledger/lines/{line.entry_index}").get_data(as_text=True)


def test_hundreds_of_lots_stand_in_few_entries_none_too_large(village: Village) -> None:
    source = shelve(village, 1, lot="NGUON")
    children = [shelve(village, 2, lot=f"CON{number:03d}ABCDEFGHIJKLMN") for number in range(150)]
    for child in children:
        came_of(source, child)
    answer = recall(village, source)
    assert len(answer["lots"]) == 151
    sizes = [len(body) for body in db.session.scalars(select(LedgerEntry.body))]
    told = entries()
    assert max(sizes) <= MAX_ENTRY_BYTES
    assert len(told) <= 5
    chained = [link["batch"] for record in told for link in record["chain"]]
    assert len(chained) == len(set(chained)) == 151
    links = select(func.count()).select_from(LedgerLink).where(LedgerLink.batch.in_(chained))
    assert db.session.scalar(links) == 151
    assert verify().holds


def test_a_drill_finds_the_same_and_changes_nothing(village: Village) -> None:
    packs = village.packs(40)
    size = db.session.scalar(select(func.count()).select_from(LedgerEntry))
    drill = recall(village, packs, drill=True)
    assert drill["drill"] is True
    assert states(packs) == ["none"]
    assert not row(packs).on_hold
    assert entries() == []
    assert db.session.scalar(select(func.count()).select_from(LedgerEntry)) == size
    real = recall(village, packs)
    assert {lot["id"] for lot in drill["lots"]} == {lot["id"] for lot in real["lots"]}
    assert drill["units"] == real["units"]
    db.session.rollback()
    assert db.session.scalars(select(Recall.drill).order_by(Recall.started_at)).all() == [True, False]


def test_the_same_key_is_one_recall_and_another_body_under_it_is_refused(village: Village, client: FlaskClient) -> None:
    packs, key = village.packs(40), uuid7()
    body = {"batches": [packs], "reason": "Có mùi lạ.", "drill": False}
    first, again = (post(client, village, "office", body, key) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.get_json() == again.get_json()
    assert len(entries()) == 1
    other = post(client, village, "office", {**body, "reason": "Khác."}, key)
    assert (other.status_code, other.get_json()["type"].rpartition("/")[2]) == (409, "idempotency-key-reused")
    missing = client.post(
        "/api/recalls", json=body, headers={"Authorization": f"Bearer {village.token('office')}"}
    )
    assert missing.status_code == 400


@pytest.mark.parametrize("who", ["producer", "seller", "auditor"])
def test_only_an_office_recalls(village: Village, client: FlaskClient, who: str) -> None:
    packs = village.packs(40)
    assert post(client, village, who, {"batches": [packs], "reason": "x"}).status_code == 403
    assert states(packs) == ["none"]


def test_another_cooperative_s_office_recalls_nothing_of_ours(village: Village, client: FlaskClient) -> None:
    packs = village.packs(40)
    answer = post(client, village, "office-other", {"batches": [packs], "reason": "x"})
    assert (answer.status_code, answer.get_json()["type"].rpartition("/")[2]) == (403, "not-yours")
    found = recall(village, packs)
    for who in ("office-other", "producer"):
        headers = {"Authorization": f"Bearer {village.token(who)}"}
        assert client.get(f"/api/recalls/{found['id']}", headers=headers).status_code in (403, 404)
    headers = {"Authorization": f"Bearer {village.token('office')}"}
    assert client.get(f"/api/recalls/{found['id']}", headers=headers).get_json() == found
    with pytest.raises(NotFound):
        services.lift(village.actor("office-other"), found["id"], "không phải", uuid7())


def test_what_another_cooperative_made_of_it_is_held_and_its_office_told(village: Village) -> None:
    ours, theirs = shelve(village, 5, lot="TA"), shelve(village, 7, lot="HO")
    of_other_cooperative(theirs)
    came_of(ours, theirs)
    answer = recall(village, ours)
    assert {lot["lot"] for lot in answer["lots"]} == {"TA", "HO"}
    assert states(ours, theirs) == ["recalled", "recalled"]
    (told,) = messages()
    assert told.to == "+842133000002"
    assert "1 lô của Hợp tác xã Hai" in str(told.body)
    assert reading.one(village.actor("office-other"), answer["id"]).id == answer["id"]
    with pytest.raises(NotFound):
        services.lift(village.actor("office-other"), answer["id"], "không phải", uuid7())


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"batches": [], "reason": "x"}, 422, "batches"),
        ({"batches": ["khong-co"], "reason": "x"}, 422, "batches.0"),
        ({"batches": [5], "reason": "x"}, 422, "batches.0"),
        ({"batches": ["0190163d-8694-739b-aea5-966c26f8ad91"], "reason": "x"}, 404, "batches.0"),
        ({"batches": ["0190163d-8694-739b-aea5-966c26f8ad91"], "reason": ""}, 422, "reason"),
        ({"batches": ["0190163d-8694-739b-aea5-966c26f8ad91"], "reason": "x" * 201}, 422, "reason"),
        ({"batches": ["0190163d-8694-739b-aea5-966c26f8ad91"]}, 422, "reason"),
        ({"batches": ["0190163d-8694-739b-aea5-966c26f8ad91"], "reason": "x", "drill": "maybe"}, 422, "drill"),
    ],
)
def test_what_cannot_be_recalled_is_refused_by_name(
    village: Village, client: FlaskClient, body: Any, status: int, field: str
) -> None:
    answer = post(client, village, "office", body)
    assert answer.status_code == status
    assert field in str(answer.get_json())


def test_what_is_recalled_already_is_not_recalled_again(village: Village) -> None:
    packs = village.packs(40)
    recall(village, packs)
    with refused("already-recalled"):
        recall(village, packs)
    assert len(entries()) == 1


def test_a_recalled_lot_goes_into_nothing_more(village: Village) -> None:
    tuber = village.made("harvest", "tuber", 100_000)
    recall(village, tuber)
    with refused("on-hold"):
        village.made("settle", "wet-starch", 25_000, (tuber, 100_000))


def test_a_recall_that_was_a_mistake_is_taken_back_and_the_ledger_keeps_both(village: Village) -> None:
    packs = village.packs(40)
    found = recall(village, packs)
    step = uuid7()
    for _ in range(2):
        services.lift(village.actor("office"), found["id"], "Nhầm lô.", step)
    assert states(packs) == ["none"]
    assert not row(packs).on_hold
    assert [record["event"]["persistentDisposition"] for record in entries()] == [
        {"set": ["recalled"]}, {"unset": ["recalled"]},
    ]  # fmt: skip
    assert verify().holds
    with refused("recall-ended"):
        services.lift(village.actor("office"), found["id"], "Nhầm lô.", uuid7())


def test_what_the_office_holds_stays_held_when_a_recall_is_taken_back(village: Village) -> None:
    packs, other = village.packs(40), village.packs(20)
    holds.hold(village.actor("office"), village.batch(packs).lot, "Chờ phiếu kiểm nghiệm.", uuid7())
    why = village.batch(packs).hold_reason
    found = recall(village, packs, other)
    services.lift(village.actor("office"), found["id"], "Nhầm lô.", uuid7())
    assert states(packs, other) == ["held", "none"]
    assert village.batch(packs).hold_reason == why
    assert row(packs).on_hold


def test_an_inspection_that_fails_meanwhile_holds_what_a_lifted_recall_would_free(village: Village) -> None:
    noodles = village.made("harvest", "tuber", 100_000)
    found = recall(village, noodles)
    holds.hold(village.actor("office"), village.batch(village.packs(20)).lot, "khác", uuid7())
    with refused("recalled"):
        holds.hold(village.actor("office"), village.batch(noodles).lot, "giữ", uuid7())
    services.lift(village.actor("office"), found["id"], "Nhầm lô.", uuid7())
    assert states(noodles) == ["none"]


def test_a_lot_of_two_recalls_stays_stopped_until_both_are_taken_back(village: Village) -> None:
    source, middle, packs = (shelve(village, 5, lot=lot) for lot in ("A", "B", "C"))
    came_of(source, middle)
    came_of(middle, packs)
    first, second = recall(village, middle), recall(village, source)
    services.lift(village.actor("office"), first["id"], "Nhầm lô.", uuid7())
    assert states(source, middle, packs) == ["recalled"] * 3
    services.lift(village.actor("office"), second["id"], "Nhầm lô.", uuid7())
    assert states(source, middle, packs) == ["none"] * 3


def test_a_drill_can_neither_be_lifted_nor_counted(village: Village) -> None:
    packs = village.packs(20)
    found = recall(village, packs, drill=True)
    with refused("only-a-drill"):
        services.lift(village.actor("office"), found["id"], "Nhầm lô.", uuid7())


def test_lots_are_found_by_place_time_measurement_and_where_they_were_bought(village: Village) -> None:
    office = village.actor("office")
    early, late = village.packs(20, start_days_ago=60), village.packs(20, start_days_ago=20)
    here = village.site().id
    assert {early, late} <= {one.id for one in choosing.choose(office, Wish(site=here)).found}
    since = clock.today() - dt.timedelta(days=30)
    found = {one.id for one in choosing.choose(office, Wish(site=here, since=since)).found}
    assert late in found and early not in found
    until = {one.id for one in choosing.choose(office, Wish(until=since)).found}
    assert early in until and late not in until
    assert choosing.choose(village.actor("office-other"), Wish(site=here)).found == []
    wet = choosing.choose(office, Wish(reading="Moisture", high=Decimal("13")))
    assert {one.material for one in wet.found} == {"noodles"}
    assert choosing.choose(office, Wish(reading="Moisture", high=Decimal("14"))).found == []
    assert len(choosing.choose(office, Wish(reading="Moisture", low=Decimal("14"), since=since)).found) == 1
    with refused("no-bound"):
        choosing.choose(office, Wish(reading="Moisture"))
    assert choosing.choose(office, Wish()).found == ()


def test_a_sensor_s_window_counts_by_its_lowest_and_highest() -> None:
    window = {"type": "Temperature", "value": "50", "low": "35", "high": "81.5"}
    assert choosing.beyond(window, Wish(reading="Temperature", high=Decimal(80)))
    assert choosing.beyond(window, Wish(reading="Temperature", low=Decimal(36)))
    assert not choosing.beyond(window, Wish(reading="Temperature", low=Decimal(35), high=Decimal("81.5")))
    assert not choosing.beyond(window, Wish(reading="Moisture", high=Decimal(1)))
    assert not choosing.beyond({"type": "Temperature", "value": "x"}, Wish(reading="Temperature", high=Decimal(1)))


def test_what_was_bought_is_found_by_where(village: Village) -> None:
    lot = shelve(village, 3, lot="MUA")
    with write() as session:
        session.get_one(Batch, lot).outside = "Chợ Na Rì"
    found = choosing.choose(village.actor("office"), Wish(bought="na rì")).found
    assert [one.id for one in found] == [lot]


def test_the_source_of_a_lot_is_offered_and_recalls_all_that_came_of_it(village: Village) -> None:
    packs = village.packs(20)
    tuber = ancestors(village, packs)[0]
    assert tuber.material == "tuber"
    recall(village, tuber.id)
    assert states(packs) == ["recalled"]


def test_a_small_graph_is_drawn_lot_by_lot_and_a_large_one_by_product(village: Village) -> None:
    packs = village.packs(20)
    family = [*ancestors(village, packs), village.batch(packs)]
    small = drawing.draw(db.session(), [family[0].id], {one.id for one in family})
    assert not small.grouped
    assert len(small.nodes) == len(family)
    assert len(small.edges) == len(family) - 1
    lots = {shelve(village, 1, lot=f"NHIEU{number}") for number in range(drawing.MOST + 1)}
    large = drawing.draw(db.session(), [family[0].id], {*lots, *(one.id for one in family)})
    assert large.grouped
    assert len(large.nodes) == len({one.product_id for one in family})
    assert any(str(node["under"]).startswith(f"{len(lots) + 1} lô") for node in large.nodes)


def test_the_rows_of_a_recall_say_what_was_there_when_it_began(village: Village) -> None:
    packs = village.packs(40)
    found = recall(village, packs)
    db.session.rollback()
    kept = db.session.get_one(RecallLot, (found["id"], packs))
    assert (kept.chosen, kept.hold_before, kept.packed, kept.in_stock) == (True, "none", 40, 40)
    recalled = db.session.get_one(Recall, found["id"])
    assert (recalled.lots, recalled.packed, recalled.buyers, recalled.open) == (1, 40, 0, True)
    assert reading.recall_count(db.session(), village.actor("office").cooperative_id) == 1


@given(
    st.integers(0, 50), st.integers(0, 50), st.integers(0, 60),
    st.lists(
        st.builds(Counted, st.sampled_from(["found", "returned"]), st.none(), st.integers(-5, 20))
        | st.builds(Counted, st.just("destroyed"), st.sampled_from(["store", "returned", "buyer"]), st.integers(-5, 9)),
        max_size=8,
    ),
)  # fmt: skip
def test_every_pack_is_in_one_place_or_the_figures_are_refused(
    in_stock: int, gone: int, told: int, counted: list[Counted]
) -> None:
    try:
        account = reckon(in_stock + gone, in_stock, told, counted)
    except Impossible:
        return
    parts = (account.found, account.returned, account.destroyed, account.told, account.unknown)
    assert min(parts) >= 0
    assert sum(parts) == account.packed
    assert 0 <= account.in_hand <= account.share <= 1


def test_more_than_there_was_cannot_be_found() -> None:
    with pytest.raises(Impossible):
        reckon(10, 6, 0, [Counted("found", None, 7)])
    with pytest.raises(Impossible):
        reckon(10, 6, 0, [Counted("returned", None, 3), Counted("destroyed", "buyer", 2)])
    assert reckon(10, 6, 3, [Counted("found", None, 6), Counted("returned", None, 1)]).unknown == 1


def test_forbidden_is_said_to_who_previews_without_an_office(village: Village) -> None:
    with pytest.raises(Forbidden):
        services.preview(village.actor("seller"), [uuid7()])
