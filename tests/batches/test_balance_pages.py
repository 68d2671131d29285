"""The pages of the balances: every number is the one that the rows give when they are summed another way."""

import csv
import datetime as dt
import io
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as listening
from sqlalchemy import func, select, update

from batches.balance import outliers, queries, services
from batches.balance.flows import End, imbalance
from batches.balance.spans import asked, season, season_of
from batches.stages.corrections import Correction, as_wanted, correct, event_for
from batches.stages.wanted import Make, Measure, Take
from tests.batches.crowded import crowd
from tests.conftest import browser
from tests.support.village import Village
from trace.events.models import Event, EventBatch
from trace.lots.models import Batch
from village import clock
from village.db import db, write
from village.errors import BadInput
from village.ids import uuid7
from village.places.models import Household
from village.settings import Settings

DRY = (Measure("Moisture", Decimal("13.2"), "P1"),)


@pytest.fixture
def office(client: FlaskClient, village: Village) -> FlaskClient:
    village.sign_in(client, "office")
    return client


def figures(answer_text: str) -> dict[tuple[str, str], int]:
    """The bands of a CSV, by the words of their ends."""
    rows = list(csv.DictReader(io.StringIO(answer_text.removeprefix("\ufeff"))))
    return {(row["from"], row["to"]): int(row["grams"]) for row in rows}


def by_hand(household: str | None = None) -> Counter[str]:
    """Another way: every standing event, one by one."""
    found: Counter[str] = Counter()
    for event in db.session.scalars(select(Event)):
        if not event.stands or (household and event.household_id != household):
            continue
        for part in event.parts:
            if part.part != "about" and event.kind not in ("case", "uncase"):
                found[f"{event.kind} {part.part} {part.batch.material}"] += part.grams or 0
    return found


def everything(village: Village) -> dict[str, str]:
    """A season with all that can happen to a household's goods; some of its batches by name."""
    packs = village.packs(40, 500, start_days_ago=20)
    tuber = village.made("harvest", "tuber", 1_000_001, days_ago=19)
    answer = village.record(
        "settle",
        inputs=(Take(tuber, 900_001),),
        outputs=(Make(village.product("wet-starch").id, 225_000), Make(village.product("residue").id, 500_000)),
        days_ago=18,
    )
    starch, residue = (one["id"] for one in answer["batches"])
    bought = village.record(
        "buy-wet-starch", outputs=(Make(village.product("wet-starch").id, 50_000),), facts={"origin": "Na Rì"},
        days_ago=17,
    )["batches"][0]["id"]  # fmt: skip
    blend = village.record(
        "merge", inputs=(Take(starch, 200_000), Take(bought, 50_000)),
        outputs=(Make(village.product("wet-starch").id, 249_000),), days_ago=16,
    )["batches"][0]["id"]  # fmt: skip
    halves = village.record(
        "split", inputs=(Take(blend, 249_000),),
        outputs=(Make(village.product("wet-starch").id, 149_000), Make(village.product("wet-starch").id, 99_900)),
        days_ago=15,
    )["batches"]  # fmt: skip
    village.record("lose", inputs=(Take(halves[1]["id"], 9_900),), facts={"reason": "rain"}, days_ago=14)
    village.record("lose", inputs=(Take(packs, units=3),), facts={"reason": "animals"}, days_ago=5)
    village.record("dispatch", inputs=(Take(packs, units=10),), days_ago=4)
    village.record("sell-residue", inputs=(Take(residue, 300_000),), days_ago=13, value_dong=600_000)
    sheets = village.made("steam", "sheets", 170_000, (halves[0]["id"], 149_000), days_ago=12)
    return {"packs": packs, "tuber": tuber, "sheets": sheets, "blend": blend, "residue": residue}


def test_the_villages_numbers_are_those_of_its_events(office: FlaskClient, village: Village) -> None:
    everything(village)
    told, hand = figures(office.get("/coop/balance.csv").text), by_hand()
    assert told["Thu hoạch", "Củ dong riềng"] == hand["commission output tuber"] == 1_000_001 + 160_000
    assert told["Mua từ ngoài", "Tinh bột ướt"] == hand["buy output wet-starch"] == 50_000
    assert told["Lọc và lắng bột", "Bã dong riềng"] == hand["transform output residue"] == 500_000
    assert told["Tinh bột ướt", "Hao hụt đã ghi"] == hand["lose input wet-starch"] == 9_900
    assert told["Gói miến", "Hao hụt đã ghi"] == hand["lose input packs"] == 3 * 500
    assert told["Gói miến", "Đã xuất đi"] == hand["dispatch input packs"] == 10 * 500
    assert told["Bã dong riềng", "Đã xuất đi"] == hand["dispatch input residue"] == 300_000
    # A kilogram went in blending, a hundred grams in splitting.
    assert told["Tinh bột ướt", "Hao, chưa rõ vì sao"] == 1_100
    left = Counter[str]()
    for batch in db.session.scalars(select(Batch).where(Batch.void.is_(False))):
        left[batch.material] += batch.left_grams
    for material, name in (("tuber", "Củ dong riềng"), ("packs", "Gói miến"), ("residue", "Bã dong riềng")):
        assert told[name, "Còn lại"] == left[material]
    assert all("Chưa rõ ở đâu ra" not in way for way in told)


def test_every_knot_of_the_records_is_exact(village: Village) -> None:
    made = everything(village)
    who, span = village.actor("office"), season_of(clock.today())
    rows = queries.ledgered(db.session(), who.cooperative_id, span)
    home = village.member("producer").household_id
    for household in (None, home):
        whole = rows.network("mien-dong", household)
        assert imbalance(whole) == {}
        assert whole.between(source=End.MISSING) == whole.between(source=End.BEFORE) == 0
    for batch_id in made.values():
        _batch, _process, told = services.of_batch(who, batch_id)
        into, out = Counter[str](), Counter[str]()
        for row in told.rows:
            out[row.source] += row.grams
            into[row.target] += row.grams
        inner = set(into) & set(out)
        assert inner and all(into[name] == out[name] for name in inner)


def test_a_batch_shows_what_stands_behind_it_and_what_became_of_it(client: FlaskClient, village: Village) -> None:
    packs = village.packs(40, 500)
    village.record("dispatch", inputs=(Take(packs, units=15),), days_ago=1)
    village.sign_in(client, "producer")
    page = client.get(f"/batches/{packs}/balance")
    assert page.status_code == 200 and 'role="img"' in page.text and "<title" in page.text
    told = figures(client.get(f"/batches/{packs}/balance.csv").text)
    batch = village.batch(packs)
    assert told["Thu hoạch", "Củ dong riềng"] == batch.origins["tuber"] == 160_000
    assert told["Gói miến", "Đã xuất đi"] == 7_500
    assert told["Gói miến", "Còn lại"] == batch.left_grams == 12_500


def test_a_corrected_event_counts_no_more(office: FlaskClient, village: Village) -> None:
    tuber = village.made("harvest", "tuber", 1_910_000, days_ago=3)
    event_id = db.session.scalars(select(EventBatch.event_id).where(EventBatch.batch_id == tuber)).one()
    who = village.actor("producer")
    told = as_wanted(event_for(who, event_id))
    told = told.__class__(**{**told.__dict__, "outputs": (Make(village.product("tuber").id, 1_190_000),)})
    correct(who, Correction(uuid7(), event_id, "incorrect_data", "gõ nhầm", told), {})
    found = figures(office.get("/coop/balance.csv").text)
    assert found == {("Thu hoạch", "Củ dong riềng"): 1_190_000, ("Củ dong riềng", "Còn lại"): 1_190_000}


def test_a_household_reads_its_season_in_a_sentence(client: FlaskClient, village: Village) -> None:
    village.packs(400, 500, start_days_ago=20)
    village.sign_in(client, "producer")
    page = client.get("/batches/season").text
    assert "Mùa này nhà mình thu 1,6 tấn củ dong riềng, ra 200\u00a0kg miến khô, được 12,5\u00a0%." in page
    batch = db.session.scalars(select(Batch).where(Batch.material == "noodles")).one()
    assert batch.made_grams * 10_000 // batch.origins["tuber"] == 1_250
    assert "Quá nửa làng" not in page, "the median of one household is that household"


def test_earlier_seasons_stand_beside_and_what_was_there_before_is_told(client: FlaskClient, village: Village) -> None:
    this = season_of(clock.today())
    ago = (clock.today() - this.first).days + 40
    old = village.made("harvest", "tuber", 500_000, days_ago=ago)
    village.made("settle", "wet-starch", 100_000, (old, 400_000), days_ago=ago - 1)
    village.made("settle", "wet-starch", 25_000, (old, 100_000), days_ago=1)
    village.sign_in(client, "producer")
    told = figures(client.get("/batches/season.csv").text)
    assert told["Có từ trước", "Củ dong riềng"] == 100_000 and told["Có từ trước", "Tinh bột ướt"] == 100_000
    assert told["Tinh bột ướt", "Còn lại"] == 125_000
    assert ("Thu hoạch", "Củ dong riềng") not in told
    page = client.get("/batches/season").text
    assert "500\u00a0kg" in page and f"{(this.season or 0) - 1}–{this.season}" in page
    before = figures(client.get(f"/batches/season.csv?season={(this.season or 0) - 1}").text)
    assert before["Thu hoạch", "Củ dong riềng"] == 500_000
    assert before["Củ dong riềng", "Còn lại"] == before["Tinh bột ướt", "Còn lại"] == 100_000


def test_one_households_goods_in_anothers_hands_are_told_on_both_sides(client: FlaskClient, village: Village) -> None:
    ours = village.made("harvest", "tuber", 400_000, days_ago=9)
    home = village.site("Nhà Hộ B")
    theirs = village.made("harvest", "tuber", 100_000, username="producer-b", days_ago=9, site=home.id)
    village.record(
        "merge", "office", inputs=(Take(ours, 300_000), Take(theirs, 100_000)),
        outputs=(Make(village.product("tuber").id, 400_000),), days_ago=8, site=home.id, household=home.household_id,
    )  # fmt: skip
    village.sign_in(client, "producer")
    told = figures(client.get("/batches/season.csv").text)
    assert told["Củ dong riềng", "Hộ khác làm tiếp"] == 300_000 and told["Củ dong riềng", "Còn lại"] == 100_000
    village.sign_in(client, "producer-b")
    told = figures(client.get("/batches/season.csv").text)
    assert told["Lấy của hộ khác", "Củ dong riềng"] == 300_000 and told["Củ dong riềng", "Còn lại"] == 400_000


MAY = [
    ("producer", "/batches/{batch}/balance", 200),
    ("producer", "/coop/balance", 403),
    ("producer", "/coop/balance.csv", 403),
    ("producer", "/coop/balance-households.csv", 403),
    ("producer", "/coop/outliers", 403),
    ("producer-b", "/batches/{batch}/balance", 403),
    ("producer-b", "/batches/season?household={home}", 403),
    ("producer-b", "/batches/season.csv?household={home}", 403),
    ("seller", "/batches/{batch}/balance", 403),
    ("seller", "/batches/season", 403),
    ("office", "/batches/{batch}/balance", 200),
    ("office", "/coop/balance?process=nothing", 404),
    ("auditor", "/batches/{batch}/balance", 200),
    ("auditor", "/batches/season?household={home}", 200),
    ("auditor", "/coop/balance", 200),
    ("auditor", "/coop/outliers", 200),
    ("office-other", "/batches/{batch}/balance", 403),
    ("office-other", "/batches/{batch}/balance.csv", 403),
    ("office-other", "/batches/season?household={home}", 403),
]


def test_each_page_is_for_those_whom_it_concerns(app: Flask, village: Village) -> None:
    batch = village.made("harvest", "tuber", 100_000)
    home = village.member("producer").household_id
    clients = {username: browser(app) for username, _, _ in MAY}
    for username, client in clients.items():
        village.sign_in(client, username)
    found = [(u, a, clients[u].get(a.format(batch=batch, home=home)).status_code) for u, a, _ in MAY]
    assert found == MAY


def test_another_cooperatives_page_shows_nothing_of_ours(client: FlaskClient, village: Village) -> None:
    village.made("harvest", "tuber", 123_000)
    village.sign_in(client, "office-other")
    assert figures(client.get("/coop/balance.csv").text) == {}
    assert "Chưa ghi gì trong những ngày này" in client.get("/coop/balance").text


def test_a_span_that_cannot_be_is_refused_beside_its_field(office: FlaskClient) -> None:
    for query in ("season=20x6", "season=1990", "from=2026-08-01", "from=2026-09-01&to=2026-08-01"):
        page = office.get(f"/coop/balance?{query}")
        assert page.status_code == 422 and 'class="error"' in page.text
        assert office.get(f"/coop/balance.csv?{query}").status_code == 422


def test_a_season_runs_from_august_to_july() -> None:
    assert (season(2026).first, season(2026).last) == (dt.date(2026, 8, 1), dt.date(2027, 7, 31))
    assert season_of(dt.date(2027, 7, 31)) == season_of(dt.date(2026, 8, 1)) == season(2026)
    chosen = asked({"from": "2026-11-01", "to": "2026-11-30"}, dt.date(2026, 11, 22))
    assert chosen.stop - chosen.begin == dt.timedelta(days=30)
    with pytest.raises(BadInput):
        asked({"from": "1999-01-01", "to": "2026-01-01"}, dt.date(2026, 11, 22))


def test_a_name_is_no_formula_in_a_spreadsheet(office: FlaskClient, village: Village) -> None:
    village.made("harvest", "tuber", 100_000)
    with write() as session:
        session.execute(update(Household).where(Household.name == "Hộ A").values(name="=1+1"))
    rows = office.get("/coop/balance-households.csv").text
    assert "\r\n'=1+1,100000," in rows


def test_the_number_of_queries_does_not_grow(village: Village) -> None:
    def asked_for() -> tuple[int, ...]:
        who, span = village.actor("office"), season_of(clock.today())
        home = village.member("producer").household_id
        packs = db.session.scalars(select(Batch.id).where(Batch.material == "packs").limit(1)).one()
        counts = []
        for ask in (
            lambda: services.of_village(who, span, None),
            lambda: services.of_household(who, home, span, None),
            lambda: services.of_batch(who, packs),
            lambda: outliers.flagged(db.session(), who.cooperative_id, span),
        ):
            count = [0]

            def one_more(*_: object, count: list[int] = count) -> None:
                count[0] += 1

            listening.listen(db.engine, "before_cursor_execute", one_more)
            ask()
            listening.remove(db.engine, "before_cursor_execute", one_more)
            counts.append(count[0])
        return tuple(counts)

    village.packs(40)
    few = asked_for()
    everything(village)
    village.packs(80, 1000)
    assert asked_for() == few
    assert max(few) <= 12


def low_yield(village: Village, note: str = "Mưa ba ngày, bột trôi mất một bể.") -> str:
    tuber = village.made("harvest", "tuber", 1_000_000, days_ago=9)
    return village.made("settle", "wet-starch", 170_000, (tuber, 1_000_000), days_ago=8, note=note)


def count_open(village: Village) -> int:
    db.session.rollback()
    return outliers.open_flags(db.session(), village.actor("office").cooperative_id)


def test_a_figure_out_of_its_way_is_cleared_with_a_reason_until_it_changes(
    office: FlaskClient, village: Village
) -> None:
    starch = low_yield(village)
    page = office.get("/coop/outliers").text
    assert "từ 1.000\u00a0kg ra 170\u00a0kg, được 17\u00a0%" in page
    assert "Thường được từ 18\u00a0% đến 32\u00a0%" in page
    assert "Mưa ba ngày, bột trôi mất một bể." in page and village.batch(starch).lot in page
    assert count_open(village) == 1
    (flag,) = outliers.flagged(db.session(), village.actor("office").cooperative_id, season_of(clock.today())).open
    form = {"key": flag.key, "figure": flag.figure, "season": season_of(clock.today()).season}
    assert office.post("/coop/outliers", data={**form, "why": " "}).status_code == 422
    assert office.post("/coop/outliers", data={**form, "figure": 1, "why": "thế"}).status_code == 404
    assert count_open(village) == 1
    assert office.post("/coop/outliers", data={**form, "why": "Đã hỏi, mưa thật."}).status_code == 302
    assert count_open(village) == 0
    page = office.get("/coop/outliers").text
    assert "Đã hỏi, mưa thật." in page and "Không có số nào cần xem lại" in page
    # The same event told again with another figure is another matter.
    who = village.actor("producer")
    event_id = flag.event_id
    assert event_id
    told = as_wanted(event_for(who, event_id))
    told = told.__class__(**{**told.__dict__, "outputs": (Make(village.product("wet-starch").id, 160_000),)})
    correct(who, Correction(uuid7(), event_id, "incorrect_data", "cân lại", told), {})
    assert count_open(village) == 1


def test_only_the_office_of_the_cooperative_clears_a_flag(app: Flask, village: Village) -> None:
    low_yield(village)
    (flag,) = outliers.flagged(db.session(), village.actor("office").cooperative_id, season_of(clock.today())).open
    form = {"key": flag.key, "figure": flag.figure, "season": season_of(clock.today()).season, "why": "thế"}
    for username, status in (("auditor", 403), ("producer", 403), ("seller", 403), ("office-other", 404)):
        client = browser(app)
        village.sign_in(client, username)
        assert client.post("/coop/outliers", data=form).status_code == status, username
    assert count_open(village) == 1


def test_noodles_that_no_harvest_could_have_made_are_marked_loudly(office: FlaskClient, village: Village) -> None:
    """The services refuse them; here somebody wrote past them."""
    village.packs(40, 500)
    with write() as session:
        noodles = session.scalars(select(Batch).where(Batch.material == "noodles")).one()
        for part in session.scalars(select(EventBatch).where(EventBatch.batch_id == noodles.id)):
            if part.part == "output":
                part.grams = 40_000
        noodles.made_grams += 20_000
        noodles.left_grams += 20_000
    page = office.get("/coop/outliers").text
    # 160 kg of tubers can give 32 kg of noodles at the very most.
    assert "Cả mùa làm ra 40\u00a0kg miến khô" in page and "nhiều nhất chỉ ra 32\u00a0kg" in page
    assert "Không thể có" in page


def test_packs_beyond_noodles_are_marked_loudly(office: FlaskClient, village: Village) -> None:
    """The services refuse them; here somebody wrote past them."""
    packs = village.packs(40, 500)
    with write() as session:
        for part in session.scalars(select(EventBatch).where(EventBatch.batch_id == packs)):
            part.grams, part.units = 25_000, 50
        session.execute(
            update(Batch).where(Batch.id == packs).values(
                made_grams=25_000, left_grams=25_000, made_units=50, left_units=50
            )
        )  # fmt: skip
    page = office.get("/coop/outliers").text
    assert "Đóng gói nhiều hơn số có: thừa ra 5\u00a0kg không biết từ đâu." in page and "Không thể có" in page
    assert figures(office.get("/coop/balance.csv").text)["Chưa rõ ở đâu ra", "Đóng gói"] == 5_000


def test_a_field_as_large_as_the_office_says_is_asked_for_its_harvest(office: FlaskClient, village: Village) -> None:
    site = village.site()
    form = {"name": site.name, "kind": "field", "gln": site.gln, "hamlet": site.hamlet_id,
            "household": site.household_id, "area": "10.000"}  # fmt: skip
    assert office.post(f"/coop/sites/{site.id}", data=form).status_code == 302
    assert 'value="10000"' in office.get(f"/coop/sites/{site.id}").text
    for day in range(5):
        village.made("harvest", "tuber", 9_000_000, days_ago=day + 1)
    page = office.get("/coop/outliers").text
    assert "Ruộng 10.000 m² mà thu 45.000\u00a0kg" in page and "Thường không quá 40.000\u00a0kg" in page
    assert office.post(f"/coop/sites/{site.id}", data=form | {"area": "0"}).status_code == 422


@pytest.mark.slow_once
def test_ten_thousand_events_in_a_season_are_summed_quickly(app: Flask, settings: Settings, village: Village) -> None:
    village.packs(40)
    crowd(Path(settings.instance) / "soi.db", 10_000, 40, season_of(clock.today()).begin)
    db.session.rollback()
    who, span = village.actor("office"), season_of(clock.today())
    began = time.process_time()
    found = services.of_village(who, span, "mien-dong")
    took = time.process_time() - began
    packed = select(func.sum(EventBatch.grams)).join(Batch)
    packed = packed.where(Batch.material == "packs", EventBatch.part == "output")
    assert len(found.homes) == 41 and found.figures.packed == db.session.scalar(packed)
    assert sum(home.figures.packed for home in found.homes) == found.figures.packed
    # It was 0.2 s; fifty thousand took 0.9 s.
    assert took < 1.5
