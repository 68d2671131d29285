"""Whose harvest is in a lot: on its page and in its JSON, with what was bought in plain sight."""

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import update

from batches.stages.wanted import Make, Take
from tests.batches.test_regrouping import bought, harvest
from tests.support.village import Village
from trace.gs1.digital_link import DigitalLink
from trace.lots.models import Batch
from village.db import write


def blended(village: Village) -> str:
    """Starch: 300 kg of household A, 100 kg of household B, 100 kg from outside."""
    mine = village.made("settle", "wet-starch", 300_000, (harvest(village), 1_000_000), days_ago=6)
    there = {"username": "producer-b", "site": village.site("Nhà Hộ B").id}
    theirs = village.made("settle", "wet-starch", 100_000, (harvest(village, 400_000, **there), 400_000),
                          days_ago=6, **there)  # fmt: skip
    answer = village.record(
        "merge", "office", days_ago=5,
        inputs=(Take(mine, 300_000), Take(theirs, 100_000), Take(bought(village), 100_000)),
        outputs=(Make(village.product("wet-starch").id, 500_000),),
    )  # fmt: skip
    return str(answer["batches"][0]["id"])


def read(client: FlaskClient, village: Village, batch: str) -> Any:
    headers = {"Authorization": f"Bearer {village.token('producer')}"}
    return client.get(f"/api/batches/{batch}", headers=headers).get_json()


def page(client: FlaskClient, village: Village, batch_id: str) -> str:
    batch = village.batch(batch_id)
    return client.get(DigitalLink(batch.gtin, lot=batch.lot).path).get_data(as_text=True)


def test_a_blend_tells_its_shares_and_names_only_who_agreed(client: FlaskClient, village: Village) -> None:
    blend = blended(village)
    assert read(client, village, blend)["origins"] == [
        {"name": "Hộ A", "percent": 60, "outside": False},
        {"name": "Tinh bột mua ngoài, từ Na Rì, Bắc Kạn", "percent": 20, "outside": True},
        {"name": "Một hộ ở Bản Thử, Hợp tác xã Một", "percent": 20, "outside": False},
    ]
    shown = page(client, village, blend)
    assert "Tinh bột mua ngoài, từ Na Rì, Bắc Kạn" in shown and "Hộ B" not in shown
    assert "sợi còn nguyên" in shown.lower()


def test_what_is_all_our_own_speaks_of_nothing_bought(client: FlaskClient, village: Village) -> None:
    packs = village.packs(40)
    assert read(client, village, packs)["origins"] == [{"name": "Hộ A", "percent": 100, "outside": False}]
    assert "mua ngoài" not in page(client, village, packs).lower()


def test_different_materials_are_compared_by_what_comes_of_them(client: FlaskClient, village: Village) -> None:
    # Steaming takes wet starch at 80 to 160 % and dry starch at 120 to 240 %: a kilo of dry counts half as much again.
    mine = village.made("settle", "wet-starch", 300_000, (harvest(village), 1_000_000), days_ago=6)
    answer = village.record(
        "buy-dry-starch", outputs=(Make(village.product("dry-starch").id, 200_000),), facts={"origin": "Đà Bắc"},
        days_ago=6,
    )  # fmt: skip
    dry = answer["batches"][0]["id"]
    sheets = village.made("steam", "sheets", 550_000, (mine, 300_000), (dry, 200_000), days_ago=5)
    assert [(one["percent"], one["outside"]) for one in read(client, village, sheets)["origins"]] == [
        (50, False), (50, True),
    ]  # fmt: skip


def test_a_place_of_purchase_changed_in_the_rows_cuts_the_strand(client: FlaskClient, village: Village) -> None:
    starch = bought(village)
    with write() as session:
        session.execute(update(Batch).where(Batch.id == starch).values(outside=None))
    assert "không khớp với sổ" in page(client, village, starch)


def test_a_harvest_that_rows_call_bought_cuts_the_strand(client: FlaskClient, village: Village) -> None:
    tuber = harvest(village)
    with write() as session:
        session.execute(update(Batch).where(Batch.id == tuber).values(outside="Na Rì"))
    assert "không khớp với sổ" in page(client, village, tuber)


def test_every_kind_of_stage_keeps_the_strand_whole(client: FlaskClient, village: Village) -> None:
    packs = village.packs(40)
    village.record("lose", inputs=(Take(packs, units=2),), facts={"reason": "animals"})
    first, second = (village.record("case", inputs=(Take(packs, units=n),))["sscc"] for n in (5, 6))
    village.record("uncase", facts={"sscc": first})
    village.record("dispatch", facts={"sscc": second})
    shown = page(client, village, packs)
    assert "Sợi còn nguyên" in shown
    assert "2 gói" in shown and "chuột, gà ăn mất" in shown and "được đóng vào 2 thùng" in shown
