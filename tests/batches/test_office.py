"""The office's home: what asks for its eye, the day across the village, what lies too long, corrections to look at."""

import datetime as dt
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from batches.office import corrected, days, waiting
from batches.stages.corrections import Correction, as_wanted, correct, event_for
from batches.stages.wanted import Make, Take
from tests.support.phone import Phone
from tests.support.village import Village
from tests.trace.scanning import statements
from village import clock
from village.db import db
from village.ids import uuid7


@pytest.fixture
def office(client: FlaskClient, village: Village) -> FlaskClient:
    village.sign_in(client, "office")
    return client


def coop(village: Village, username: str = "office") -> str:
    return village.actor(username).cooperative_id


def harvest(village: Village, kilograms: int = 400, *, days_ago: int = 0, by: str = "producer") -> dict[str, str]:
    site = village.site({"producer": "Nhà Hộ A", "producer-b": "Nhà Hộ B"}[by]).id
    made = village.record(
        "harvest", by, site=site, outputs=(Make(village.product("tuber").id, kilograms * 1000),), days_ago=days_ago
    )
    return {"event": made["id"], "batch": made["batches"][0]["id"]}


def unseen(village: Village) -> int:
    """How many corrections wait, read afresh."""
    db.session.rollback()
    return corrected.unseen_count(coop(village))


def undo(village: Village, event: str) -> None:
    wanted = Correction(uuid7(), event, "did_not_occur", "không có")
    correct(village.actor("producer"), wanted, {"id": wanted.id})


def settle_it(village: Village, batch: str, kilograms: int = 400, *, days_ago: int = 0) -> str:
    made = village.record(
        "settle", inputs=(Take(batch, kilograms * 1000),), days_ago=days_ago,
        outputs=(Make(village.product("wet-starch").id, kilograms * 250),),
    )  # fmt: skip
    return str(made["batches"][0]["id"])


def test_a_quiet_day_says_so(office: FlaskClient) -> None:
    page = office.get("/coop").text
    assert "Mọi việc đang êm" in page and "Chưa ai ghi gì trong ngày này" in page


def test_the_day_is_summed_up_by_stage_from_the_pack_to_the_field(office: FlaskClient, village: Village) -> None:
    first = harvest(village, 400)
    harvest(village, 150)
    harvest(village, 200, by="producer-b")
    settle_it(village, first["batch"])
    harvest(village, 999, days_ago=1)
    told = days.stages_of(coop(village), clock.today())
    assert [(one.stage, one.times, one.households, one.grams) for one in told] == [
        ("settle", 1, 1, 100_000), ("harvest", 3, 2, 750_000),
    ]  # fmt: skip
    page = office.get("/coop").text
    assert page.index("Lọc và lắng bột") < page.index("Thu hoạch")
    assert "2 hộ · 3 lần" in page and "750 <small>kg</small>" in page
    yesterday = clock.today() - days.DAY
    assert "999" in office.get(f"/coop?day={yesterday}").text
    assert days.stages_of(coop(village, "office-other"), clock.today()) == []


def test_a_day_that_is_none_or_still_to_come_is_today(office: FlaskClient, village: Village) -> None:
    harvest(village, 321)
    for asked in ("", "x", "2026-02-30", "9999-12-31", "0" * 5000):
        assert "321" in office.get("/coop", query_string={"day": asked}).text


def test_what_was_corrected_away_is_not_counted(village: Village) -> None:
    made = harvest(village, 400)
    undo(village, made["event"])
    assert days.stages_of(coop(village), clock.today()) == []


def test_a_batch_that_lies_longer_than_its_kind_does_is_named(office: FlaskClient, village: Village) -> None:
    lying = harvest(village, 300, days_ago=9)["batch"]
    assert waiting.stuck(coop(village)) == [], "with no habit yet two weeks are long"
    for days_ago in range(10, 10 + waiting.ENOUGH):
        settle_it(village, harvest(village, days_ago=days_ago)["batch"], days_ago=days_ago - 1)
    (found, *rest) = [one for one in waiting.stuck(coop(village)) if one.batch.material == "tuber"]
    assert (found.batch.id, rest) == (lying, [])
    assert found.usual is not None and (found.usual.days, found.lies.days) == (1, 9)
    for path in ("/coop", "/coop/waiting"):
        assert "Còn 300\u00a0kg, nằm 9 ngày rồi" in office.get(path).text
    assert waiting.stuck(coop(village, "office-other")) == []


def test_how_long_is_long_follows_the_middle_of_many_and_never_less_than_two_days() -> None:
    kind, hour = ("mien-dong", "sheets"), dt.timedelta(hours=1)
    few = [(kind, hour)] * (waiting.ENOUGH - 1)
    assert waiting.limits(few) == {}
    assert waiting.limits([*few, (kind, 1000 * hour)]) == {kind: (waiting.LEAST, hour)}
    slow = [(kind, days * 24 * hour) for days in (1, 2, 3, 4, 100)]
    assert waiting.limits(slow) == {kind: (dt.timedelta(days=9), dt.timedelta(days=3))}


def test_the_office_looks_at_a_correction_once(office: FlaskClient, village: Village) -> None:
    first, second = harvest(village, 400), harvest(village, 300)
    before = as_wanted(event_for(village.actor("producer"), first["event"]))
    told = replace(before, outputs=tuple(replace(one, grams=410_000) for one in before.outputs))
    wanted = Correction(uuid7(), first["event"], "incorrect_data", "cân nhầm", told)
    correct(village.actor("producer"), wanted, {"id": wanted.id})
    undo(village, second["event"])
    assert unseen(village) == 2
    assert "2 lần sửa chưa ai xem lại" in office.get("/coop").text
    page = office.get("/coop/corrections").text
    assert "Lý do: cân nhầm" in page and "410\u00a0kg" in page and "400\u00a0kg" in page and "Việc này không có" in page
    for _again in range(2):
        assert office.post(f"/coop/corrections/{first['event']}/seen").status_code == 303
    assert unseen(village) == 1
    page = office.get("/coop/corrections").text
    assert page.index(second["event"]) < page.index(first["event"]), "what nobody looked at comes first"
    assert office.post(f"/coop/corrections/{uuid7()}/seen").status_code == 404
    assert office.post(f"/coop/corrections/{harvest(village)['event']}/seen").status_code == 404


@pytest.mark.parametrize(
    ("username", "status"), [("producer", 403), ("seller", 403), ("auditor", 403), ("office-other", 403)]
)
def test_nobody_else_looks_at_it_for_the_office(
    client: FlaskClient, village: Village, username: str, status: int
) -> None:
    event = harvest(village)["event"]
    undo(village, event)
    village.sign_in(client, username)
    assert client.post(f"/coop/corrections/{event}/seen").status_code == status
    assert unseen(village) == 1
    assert (client.get("/coop/corrections").status_code == 200) is (username in ("auditor", "office-other"))


def test_a_phone_that_asks_stands_on_the_home(office: FlaskClient, village: Village, client: FlaskClient) -> None:
    Phone().ask(village, "producer")
    assert "1 điện thoại xin được ký" in office.get("/coop").text


def test_the_home_asks_a_bounded_number_of_questions(office: FlaskClient, village: Village) -> None:
    def some(first_day: int) -> None:
        for days_ago in range(first_day, first_day + waiting.ENOUGH):
            settle_it(village, harvest(village, days_ago=days_ago)["batch"], days_ago=days_ago)
            harvest(village, by="producer-b", days_ago=days_ago + 20)

    some(0)
    with statements() as few:
        office.get("/coop")
    some(3)
    with statements() as many:
        office.get("/coop")
    assert max(len(few), len(many)) <= 38, "however much there is"
