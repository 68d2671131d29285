"""The acts beside the usual way, each on its form: bought, split, blended, lost, put into a case and taken out."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from batches.processes.catalogue import all_processes, process_of
from batches.stages import forms
from tests.batches.test_pages import hidden, submit
from tests.support.village import Village
from trace.events.models import Event
from trace.lots.models import Batch
from village.db import db
from village.errors import BadInput

NOODLES = process_of("mien-dong", 2)


@pytest.fixture
def producer(client: FlaskClient, village: Village) -> FlaskClient:
    village.sign_in(client, "producer")
    return client


def last_event() -> Event:
    db.session.rollback()
    return db.session.scalars(select(Event).order_by(Event.entry_index.desc())).first() or pytest.fail("no event")


def test_a_settling_gives_its_residue_too_which_is_sold(producer: FlaskClient, village: Village) -> None:
    tuber = village.made("harvest", "tuber", 1_000_000)
    address = f"/batches/record/mien-dong/settle?batch={tuber}"
    beside = {"by-residue-product": hidden(producer.get(address).text, "by-residue-product"), "by-residue": "500"}
    answer = submit(producer, address, **{f"take-{tuber}": "1.000", "made": "250", **beside})
    assert answer.status_code == 302, answer.text
    starch = village.batch(answer.location.rsplit("/", 1)[1])
    residue = db.session.scalars(select(Batch).where(Batch.material == "residue")).one()
    assert (starch.material, starch.made_grams, residue.made_grams) == ("wet-starch", 250_000, 500_000)
    assert "Tráng bánh" in producer.get("/batches").text, "the residue does not stand in the way of the next step"
    sale = submit(
        producer, f"/batches/record/mien-dong/sell-residue?batch={residue.id}",
        **{f"take-{residue.id}": "500", "value": "250.000"},
    )  # fmt: skip
    assert sale.status_code == 302, sale.text
    assert (last_event().value_dong, village.batch(residue.id).left_grams) == (250_000, 0)
    assert "250.000\u00a0đ" in producer.get(sale.location).text


def test_too_much_residue_is_told_beside_its_field(producer: FlaskClient, village: Village) -> None:
    tuber = village.made("harvest", "tuber", 100_000)
    address = f"/batches/record/mien-dong/settle?batch={tuber}"
    beside = {"by-residue-product": hidden(producer.get(address).text, "by-residue-product"), "by-residue": "500"}
    answer = submit(producer, address, **{f"take-{tuber}": "100", "made": "25", **beside})
    assert answer.status_code == 422
    assert "nhiều nhất là 150" in answer.text and 'aria-describedby="by-residue-hint by-residue-error"' in answer.text


def test_starch_is_bought_with_the_region_it_comes_from(producer: FlaskClient, village: Village) -> None:
    address = "/batches/record/mien-dong/buy-dry-starch"
    assert submit(producer, address, made="50").status_code == 422, "a purchase says where it comes from"
    answer = submit(producer, address, made="50", origin="  Na Rì,  Thái Nguyên ", value="1.400.000")
    assert answer.status_code == 302, answer.text
    starch = village.batch(answer.location.rsplit("/", 1)[1])
    assert (starch.outside, starch.made_grams, last_event().value_dong) == ("Na Rì, Thái Nguyên", 50_000, 1_400_000)
    assert "Mua từ: Na Rì, Thái Nguyên" in producer.get(answer.location).text
    assert "Na Rì, Thái Nguyên" in producer.get(address).text, "the next time it is suggested"
    assert "Mua bột khô" in producer.get("/batches").text


def test_a_batch_is_split_into_as_many_parts_as_are_filled_in(producer: FlaskClient, village: Village) -> None:
    tuber = village.made("harvest", "tuber", 100_000)
    address = f"/batches/record/mien-dong/split?batch={tuber}"
    answer = submit(producer, address, **{f"take-{tuber}": "", "part-0": "30", "part-1": "20,5", "part-4": "10"})
    assert answer.status_code == 302, answer.text
    parts = db.session.scalars(select(Batch.made_grams).where(Batch.id != tuber).order_by(Batch.made_grams)).all()
    assert parts == [10_000, 20_500, 30_000]
    assert village.batch(tuber).left_grams == 39_500, "what is in no part stays where it is"
    alone = submit(producer, address, **{f"take-{tuber}": "30", "part-0": "30"})
    assert alone.status_code == 422
    more = submit(producer, address, **{f"take-{tuber}": "20", "part-0": "15", "part-1": "15"})
    assert more.status_code == 422 and "nhiều hơn số có" in more.text


def test_a_blend_takes_the_batches_that_were_ticked(producer: FlaskClient, village: Village) -> None:
    one, two, three = (village.made("harvest", "tuber", 100_000) for _ in range(3))
    address = f"/batches/record/mien-dong/merge?batch={one}"
    page = producer.get(address).text
    assert page.count('type="checkbox" name="tick-') == 3
    amounts = {f"take-{batch}": "100" for batch in (one, two, three)}
    answer = submit(producer, address, **{**amounts, f"tick-{one}": "1", f"tick-{two}": "1"})
    assert answer.status_code == 302, answer.text
    assert village.batch(answer.location.rsplit("/", 1)[1]).made_grams == 200_000
    assert [village.batch(batch).left_grams for batch in (one, two, three)] == [0, 0, 100_000]
    assert submit(producer, address, **{f"take-{three}": "100", f"tick-{three}": "1"}).status_code == 422


def test_a_loss_says_why_and_can_be_put_right(producer: FlaskClient, village: Village) -> None:
    tuber = village.made("harvest", "tuber", 100_000)
    address = f"/batches/record/mien-dong/lose?batch={tuber}"
    assert "bị mốc, hỏng" in producer.get(address).text
    assert submit(producer, address, **{f"take-{tuber}": "5"}).status_code == 422, "a loss has a reason"
    assert submit(producer, address, **{f"take-{tuber}": "5", "reason": "bored"}).status_code == 422
    answer = submit(producer, address, **{f"take-{tuber}": "5", "reason": "rain"})
    assert answer.status_code == 302, answer.text
    assert "bị mưa ướt" in producer.get(answer.location).text
    event = last_event()
    page = producer.get(f"/batches/events/{event.id}/correct").text
    told = {"reason": "incorrect_data", "why": "animals", "in-0": "7", "note": "gà ăn"}
    told |= {"correction_id": hidden(page, "correction_id")}
    answer = producer.post(f"/batches/events/{event.id}/correct", data=told)
    assert answer.status_code == 302, answer.text
    assert (last_event().facts, village.batch(tuber).left_grams) == ({"reason": "animals"}, 93_000)


def test_packs_go_into_a_case_and_out_of_it(producer: FlaskClient, village: Village) -> None:
    packs = village.packs(40)
    tile = f"/batches/record/mien-dong/uncase?batch={packs}"
    assert tile not in producer.get(f"/batches/{packs}").text, "there is no case to open"
    answer = submit(producer, f"/batches/record/mien-dong/case?batch={packs}", **{f"take-{packs}": "10"})
    assert answer.status_code == 302, answer.text
    page = producer.get(answer.location).text
    sscc = last_event().facts["sscc"]
    assert f"Số của thùng là {sscc}." in page and tile in page
    assert re.search(rf'type="radio" name="sscc" value="{sscc}"', producer.get(tile).text)
    assert submit(producer, tile, sscc="1" * 18).status_code == 422
    opened = submit(producer, tile, sscc=sscc)
    assert opened.status_code == 302, opened.text
    assert opened.location.endswith(packs)
    assert tile not in producer.get(f"/batches/{packs}").text


def test_lost_packs_are_counted(producer: FlaskClient, village: Village) -> None:
    packs = village.packs(40)
    typed = {f"packs-{packs}": "3", "reason": "animals"}
    answer = submit(producer, f"/batches/record/mien-dong/lose?batch={packs}", **typed)
    assert answer.status_code == 302, answer.text
    assert village.batch(packs).left_units == 37


def test_nobody_else_does_these_acts_with_my_batches(client: FlaskClient, village: Village) -> None:
    tuber, packs = village.made("harvest", "tuber", 100_000), village.packs(40)
    for username in ("producer-b", "office-other"):
        village.sign_in(client, username)
        for act, batch in (("split", tuber), ("merge", tuber), ("lose", tuber), ("case", packs), ("uncase", packs)):
            address = f"/batches/record/mien-dong/{act}"
            assert client.get(f"{address}?batch={batch}").status_code == 403
            typed = {f"take-{batch}": "5", f"tick-{batch}": "1", "part-0": "2", "part-1": "3", "reason": "rain"}
            typed |= {"batch": batch, "site": village.site().id, "sscc": "1" * 18}
            assert client.post(address, data=typed).status_code == 403
    assert village.batch(tuber).left_grams == 100_000


def test_an_old_batch_has_the_acts_of_its_own_version(producer: FlaskClient, village: Village) -> None:
    tuber = village.made("harvest", "tuber", 100_000)
    row = village.batch(tuber)
    row.process_version = 1
    db.session.commit()
    page = producer.get(f"/batches/{tuber}").text
    assert "Lọc và lắng bột" in page and "Chia mẻ" not in page
    assert producer.get(f"/batches/record/mien-dong/split?batch={tuber}").status_code == 404
    assert "by-residue" not in producer.get(f"/batches/record/mien-dong/settle?batch={tuber}").text


def test_every_rarer_act_of_every_process_opens(producer: FlaskClient, village: Village) -> None:
    for process in all_processes().values():
        for stage in process.stages:
            if stage.rare:
                assert producer.get(f"/batches/record/{process.key}/{stage.key}").status_code == 200


@pytest.mark.parametrize("typed", ["-5", "1,5", "x", "1" * 16, "２"])
def test_money_is_whole_dong(typed: str) -> None:
    with pytest.raises(BadInput) as refused:
        forms.dong({"value": typed})
    assert refused.value.field == "value"


def test_money_is_read_as_people_write_it() -> None:
    assert [forms.dong({"value": text}) for text in ("", " ", "0", "1.250.000", "35000 đ")] == [
        None, None, 0, 1_250_000, 35_000,
    ]  # fmt: skip


def test_a_split_takes_what_its_parts_weigh_unless_it_was_weighed() -> None:
    stage = NOODLES.stage("split")
    told = {"product": "p", "part-0": "1", "part-1": "2", "part-2": " ", "take-b": ""}
    wanted = forms.wanted(NOODLES, stage, told, "id")
    assert [(take.batch, take.grams) for take in wanted.inputs] == [("b", 3_000)]
    assert [make.grams for make in wanted.outputs] == [1_000, 2_000]
    assert forms.wanted(NOODLES, stage, told | {"take-b": "3,05"}, "id").inputs[0].grams == 3_050
