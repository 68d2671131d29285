"""Splits, blends, losses, purchases and by-products: what they take and give, and who may."""

from decimal import Decimal
from typing import Any

import pytest

from batches.stages.wanted import Make, Measure, Take
from tests.batches.test_corrections import take_back, tell_again
from tests.support.village import Village
from trace.events.models import Event
from trace.ledger import store
from trace.ledger.canonical import parse
from trace.ledger.verify import verify
from trace.lots.services import reachable
from village.db import db
from village.errors import BadInput, Conflict, Forbidden


def harvest(village: Village, grams: int = 1_000_000, username: str = "producer", **more: Any) -> str:
    return village.made("harvest", "tuber", grams, username=username, **{"days_ago": 9, **more})


def bought(village: Village, grams: int = 100_000, origin: str = "Na Rì, Bắc Kạn", **more: Any) -> str:
    answer = village.record(
        "buy-wet-starch",
        outputs=(Make(village.product("wet-starch").id, grams),),
        facts={"origin": origin},
        **{"days_ago": 8, **more},
    )
    return str(answer["batches"][0]["id"])


def event_of(answer: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = parse(store.entry(answer["entry"]["index"]).body)["event"]
    return told


def split(village: Village, batch: str, material: str, *grams: int, **more: Any) -> dict[str, Any]:
    product = village.product(material).id
    return village.record(
        "split", inputs=(Take(batch, sum(grams)),), outputs=tuple(Make(product, one) for one in grams), **more
    )


def test_a_split_keeps_what_it_was_and_shares_its_origins_out(village: Village) -> None:
    tuber = harvest(village, 1_000_001)
    starch = village.made("settle", "wet-starch", 250_001, (tuber, 1_000_001), days_ago=5)
    answer = split(village, starch, "wet-starch", 100_000, 100_001, 50_000)
    parts = [village.batch(one["id"]) for one in answer["batches"]]
    whole = village.batch(starch)
    assert [one.made_grams for one in parts] == [100_000, 100_001, 50_000]
    assert {(one.product_id, one.material, one.outside) for one in parts} == {(whole.product_id, "wet-starch", None)}
    assert sum(one.origins["tuber"] for one in parts) == 1_000_001
    assert (whole.left_grams, len({one.lot for one in parts})) == (0, 3)
    told = event_of(answer)
    assert (told["type"], len(told["outputQuantityList"])) == ("TransformationEvent", 3)
    assert verify().holds


def test_a_split_gives_no_more_than_there_was_and_no_other_product(village: Village) -> None:
    tuber = harvest(village)
    product, starch = village.product("tuber").id, village.product("wet-starch").id
    with pytest.raises(BadInput, match="100"):
        village.record(
            "split", inputs=(Take(tuber, 100_000),), outputs=(Make(product, 60_000), Make(product, 40_001))
        )
    with pytest.raises(BadInput) as refused:
        village.record("split", inputs=(Take(tuber, 100_000),), outputs=(Make(product, 50_000), Make(starch, 50_000)))
    assert refused.value.slug == "wrong-product"
    with pytest.raises(BadInput) as refused:
        village.record("split", inputs=(Take(tuber, 100_000),), outputs=(Make(product, 100_000),))
    assert refused.value.slug == "two-parts"


def test_the_office_blends_batches_of_several_households_and_a_producer_may_not(village: Village) -> None:
    mine, theirs = harvest(village), harvest(village, username="producer-b", site=village.site("Nhà Hộ B").id)
    product = village.product("tuber").id
    takes = (Take(mine, 400_000), Take(theirs, 200_000))
    with pytest.raises(Forbidden):
        village.record("merge", inputs=takes, outputs=(Make(product, 600_000),))
    with pytest.raises(Forbidden):
        village.record("merge", "office-other", inputs=takes, outputs=(Make(product, 600_000),))
    answer = village.record(
        "merge", "office", inputs=takes, outputs=(Make(product, 600_000),), site=village.site("Nhà Hộ B").id
    )
    blend = village.batch(answer["batches"][0]["id"])
    assert (blend.household.name, blend.made_grams) == ("Hộ B", 600_000)
    assert reachable(db.session(), [blend.id], "up") == {mine, theirs}
    assert village.batch(mine).left_grams == 600_000


def test_a_blend_is_of_one_material_and_of_two_batches_at_least(village: Village) -> None:
    tuber, starch = harvest(village), bought(village)
    product = village.product("tuber").id
    for takes, slug in (
        ((Take(tuber, 1000), Take(starch, 1000)), "several-materials"),
        ((Take(tuber, 1000),), "one-batch"),
        ((Take(tuber, 1000), Take(tuber, 1000)), "batch-twice"),
    ):
        with pytest.raises(BadInput) as refused:
            village.record("merge", inputs=takes, outputs=(Make(product, 1000),))
        assert refused.value.slug == slug


def test_what_was_bought_says_where_from_and_its_parts_say_so_too(village: Village) -> None:
    starch = bought(village)
    batch = village.batch(starch)
    assert (batch.outside, batch.origins, batch.household.name) == ("Na Rì, Bắc Kạn", {}, "Hộ A")
    answer = split(village, starch, "wet-starch", 60_000, 40_000)
    assert {village.batch(one["id"]).outside for one in answer["batches"]} == {"Na Rì, Bắc Kạn"}
    own = village.made("settle", "wet-starch", 25_000, (harvest(village), 100_000), days_ago=5)
    blend = village.made("merge", "wet-starch", 50_000, (answer["batches"][0]["id"], 25_000), (own, 25_000))
    assert village.batch(blend).outside is None
    assert village.batch(blend).origins["tuber"] == 100_000


def test_a_purchase_needs_its_origin_and_its_event_tells_it(village: Village) -> None:
    product = village.product("wet-starch").id
    with pytest.raises(BadInput) as refused:
        village.record("buy-wet-starch", outputs=(Make(product, 50_000),))
    assert (refused.value.slug, refused.value.field) == ("no-origin", "facts.origin")
    with pytest.raises(BadInput) as refused:
        village.record(
            "buy-wet-starch", outputs=(Make(product, 50_000),), facts={"origin": "Na Rì", "reason": "spilt"}
        )
    assert refused.value.slug == "no-such-fact"
    answer = village.record(
        "buy-wet-starch", outputs=(Make(product, 50_000),), facts={"origin": "Na Rì"}, value_dong=900_000
    )
    told = event_of(answer)
    assert (told["type"], told["action"], told["bizStep"], told["soi:origin"]) == (
        "ObjectEvent", "ADD", "receiving", "Na Rì",
    )  # fmt: skip
    assert "cbvmda:countryOfOrigin" not in told["ilmd"] and "900000" not in str(told)
    assert db.session.get_one(Event, answer["id"]).value_dong == 900_000


def test_a_loss_needs_its_reason_and_takes_what_is_there(village: Village) -> None:
    tuber = harvest(village)
    with pytest.raises(BadInput) as refused:
        village.record("lose", inputs=(Take(tuber, 1000),), facts={"reason": "ma-quỷ"})
    assert refused.value.slug == "no-reason"
    answer = village.record("lose", inputs=(Take(tuber, 1000),), facts={"reason": "rain"})
    assert village.batch(tuber).left_grams == 999_000
    told = event_of(answer)
    assert (told["type"], told["action"], told["disposition"]) == ("ObjectEvent", "DELETE", "destroyed")
    assert (told["quantityList"][0]["quantity"], told["soi:reason"]) == (1000, "rain")
    with pytest.raises(Conflict):
        village.record("lose", inputs=(Take(tuber, 1_000_000),), facts={"reason": "rain"})
    tell_again(village, answer["id"], inputs=(Take(tuber, 5000),))
    assert village.batch(tuber).left_grams == 995_000


def test_packs_that_are_lost_leave_the_shops_shelf_and_come_back_with_the_correction(village: Village) -> None:
    from shop.stock.models import StockLot

    packs = village.packs(40)
    answer = village.record("lose", inputs=(Take(packs, units=5),), facts={"reason": "animals"})
    assert db.session.get_one(StockLot, packs).free == 35
    told = tell_again(village, answer["id"], inputs=(Take(packs, units=3),))
    db.session.rollback()
    assert db.session.get_one(StockLot, packs).free == 37
    take_back(village, told["id"])
    db.session.rollback()
    assert db.session.get_one(StockLot, packs).free == 40
    assert village.batch(packs).left_units == 40


def test_packs_that_are_promised_cannot_be_lost(village: Village) -> None:
    from shop.stock.services import reserve
    from village.db import write

    packs = village.packs(40)
    with write() as session:
        reserve(session, village.product("packs", 500).id, 38)
    with pytest.raises(Conflict) as refused:
        village.record("lose", inputs=(Take(packs, units=3),), facts={"reason": "spilt"})
    assert refused.value.slug == "promised-to-orders"
    assert village.batch(packs).left_units == 40


def test_the_residue_is_a_batch_of_its_own_beside_the_starch(village: Village) -> None:
    tuber = harvest(village)
    outputs = (Make(village.product("wet-starch").id, 250_000), Make(village.product("residue").id, 600_000))
    answer = village.record("settle", inputs=(Take(tuber, 1_000_000),), outputs=outputs)
    starch, residue = (village.batch(one["id"]) for one in answer["batches"])
    assert (starch.origins["tuber"], residue.origins) == (1_000_000, {})
    assert reachable(db.session(), [residue.id], "up") == {tuber}
    with pytest.raises(BadInput) as refused:
        village.record("settle", inputs=(Take(harvest(village), 1_000_000),), outputs=outputs[1:])
    assert refused.value.slug == "no-main-output"


def test_a_correction_of_a_blend_waits_for_what_was_made_of_it(village: Village) -> None:
    one, two = harvest(village), harvest(village)
    answer = village.record(
        "merge", inputs=(Take(one, 500_000), Take(two, 500_000)),
        outputs=(Make(village.product("tuber").id, 1_000_000),), days_ago=5,
    )  # fmt: skip
    blend = answer["batches"][0]["id"]
    starch = village.record(
        "settle", inputs=(Take(blend, 1_000_000),), outputs=(Make(village.product("wet-starch").id, 250_000),)
    )
    with pytest.raises(Conflict) as refused:
        take_back(village, answer["id"])
    assert refused.value.slug == "already-used"
    take_back(village, starch["id"])
    take_back(village, answer["id"])
    assert (village.batch(one).left_grams, village.batch(two).left_grams) == (1_000_000, 1_000_000)
    assert (village.batch(blend).void, reachable(db.session(), [one], "down")) == (True, set())
    assert verify().holds


def test_a_corrected_origin_goes_on_to_every_part(village: Village) -> None:
    answer = village.record(
        "buy-wet-starch", outputs=(Make(village.product("wet-starch").id, 100_000),), facts={"origin": "Na Rì"},
        days_ago=5,
    )  # fmt: skip
    parts = split(village, answer["batches"][0]["id"], "wet-starch", 60_000, 40_000)["batches"]
    tell_again(village, answer["id"], facts={"origin": "Đà Bắc"})
    assert {village.batch(one["id"]).outside for one in parts} == {"Đà Bắc"}


def test_a_held_batch_is_looked_at_or_lost_and_nothing_else(village: Village) -> None:
    noodles = village.packs(40)
    (dried,) = [b for b in reachable(db.session(), [noodles], "up") if village.batch(b).material == "noodles"]
    moisture = (Measure("Moisture", Decimal("13.2"), "P1"),)
    village.record("inspect", inputs=(Take(dried),), passed=False, readings=moisture)
    assert village.batch(noodles).hold == "held"
    refused = (
        ("dispatch", (Take(noodles, units=1),), ()),
        ("case", (Take(noodles, units=1),), ()),
    )
    for stage, inputs, outputs in refused:
        with pytest.raises(Conflict) as error:
            village.record(stage, inputs=inputs, outputs=outputs)
        assert error.value.slug == "on-hold"
    village.record("lose", inputs=(Take(noodles, units=40),), facts={"reason": "spoilt"})
    assert village.batch(noodles).left_units == 0


def test_a_batch_of_another_process_does_not_go_in(village: Village) -> None:
    tuber = harvest(village)
    with pytest.raises(BadInput) as refused:
        village.record("lose", process="gao-seng-cu", inputs=(Take(tuber, 1000),), facts={"reason": "rain"})
    assert refused.value.slug in ("other-process", "no-reason", "unknown-stage")


def test_no_batch_becomes_its_own_ancestor_by_its_code(village: Village) -> None:
    tuber = harvest(village)
    batch = village.batch(tuber)
    with pytest.raises(Conflict) as refused:
        village.record(
            "split", inputs=(Take(tuber, 1000),),
            outputs=(Make(batch.product_id, 500, lot=batch.lot), Make(batch.product_id, 500)),
        )  # fmt: skip
    assert refused.value.slug == "lot-taken"
