"""The drawing of a lot's way: true to its coordinates, and never anybody's house."""

from itertools import combinations

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.support.village import Village, gln
from tests.trace.scanning import address
from trace.scan.way import WIDTH, Place, draw, kilometres, wind
from village.db import write
from village.places.models import Hamlet, Site

HERE = Place("here", "bản Chu Va 6", 22.31, 103.60)


def test_a_degree_of_the_meridian_is_a_hundred_and_eleven_kilometres() -> None:
    assert kilometres(Place("a", "", 22.0, 103.0), Place("b", "", 23.0, 103.0)) == pytest.approx(111.195, abs=0.001)
    assert kilometres(Place("a", "", 22.0, 103.0), Place("b", "", 22.0, 104.0)) == pytest.approx(103.09, abs=0.02)
    assert kilometres(HERE, HERE) == 0
    assert kilometres(HERE, Place("x", "x")) is None


@pytest.mark.parametrize(
    ("north", "east", "expected"),
    [(1, 0, 0), (1, 1, 1), (0, 1, 2), (-1, 1, 3), (-1, 0, 4), (-1, -1, 5), (0, -1, 6), (1, -1, 7), (0, 0, None)],
)
def test_the_wind_is_the_one_in_which_the_other_lies(north: int, east: int, expected: int | None) -> None:
    other = Place("o", "o", 22.31 + north * 0.05, 103.60 + east * 0.054)
    assert wind(HERE, other) == expected


def test_places_lie_in_the_drawing_as_they_lie_on_the_ground() -> None:
    north_east = Place("ne", "bản Huổi Ke", 22.34, 103.63)
    drawn = draw([HERE, north_east], [], [("here", "ne")])
    assert drawn is not None
    one, other = drawn.dots
    assert other.x > one.x and other.y < one.y
    apart = ((one.x - other.x) ** 2 + (one.y - other.y) ** 2) ** 0.5
    assert apart / (drawn.bar / drawn.bar_km) == pytest.approx(kilometres(HERE, north_east), rel=0.01)
    assert drawn.threads[0].startswith(f"M{one.x:g} {one.y:g}Q")
    assert drawn.threads[0].endswith(f"{other.x:g} {other.y:g}")


def test_where_one_place_is_unknown_only_the_order_is_drawn() -> None:
    drawn = draw([HERE, Place("x", "bản Nà Đa")], [Place("z", "bản Z", 22.3, 103.5)], [("here", "x")])
    assert drawn is not None
    assert drawn.bar == 0
    assert [(dot.name, dot.number) for dot in drawn.dots] == [("bản Chu Va 6", 1), ("bản Nà Đa", 2)]
    assert drawn.dots[0].y < drawn.dots[1].y


def test_nothing_is_drawn_of_one_place_alone_nor_to_scale_of_a_wrong_coordinate() -> None:
    assert draw([HERE], [], []) is None
    assert draw([Place("x", "bản X")], [HERE], []) is None
    astray = draw([HERE, Place("null", "bản Null", 0.0, 0.0)], [], [("here", "null")])
    assert astray is not None and astray.bar == 0


degrees = st.integers(-9, 9).map(lambda hundredths: hundredths / 100)
places = st.lists(st.tuples(degrees, degrees, st.text("abc ", min_size=3, max_size=22)), min_size=2, max_size=20)


@given(places, st.integers(1, 6))
def test_no_name_leaves_the_drawing_or_covers_a_stop(found: list[tuple[float, float, str]], stops: int) -> None:
    every = [Place(str(n), name, 22.3 + a, 103.6 + b) for n, (a, b, name) in enumerate(found)]
    legs = [(one.id, other.id) for one, other in combinations(every[:stops], 2)]
    drawn = draw(every[:stops], every[stops:], legs)
    if drawn is None:
        assert stops == 1  # and nothing near it
        return
    assert [dot.number for dot in drawn.dots if dot.number] == list(range(1, min(stops, len(every)) + 1))
    for dot in drawn.dots:
        assert 0 <= dot.x <= WIDTH and 0 <= dot.y <= drawn.height
        assert 0 <= dot.label_x <= WIDTH and 0 <= dot.label_y <= drawn.height + 20
    beside = [dot for dot in drawn.dots if not dot.number]
    for one, other in combinations(beside, 2):
        assert (one.label_x, one.label_y) != (other.label_x, other.label_y)


def _moved(village: Village) -> str:
    """A lot made in one hamlet out of starch from another; both have coordinates."""
    with write() as session:
        far = Hamlet(name="Huổi Ke")
        session.add(far)
        session.flush()
        home = session.get_one(Site, village.site().id)
        home.latitude, home.longitude = 22.31234, 103.60123
        shared = Site(
            name="Xưởng chung", kind="workshop", gln=gln(77), hamlet_id=far.id, cooperative_id=home.cooperative_id,
            latitude=22.35432, longitude=103.60123,
        )  # fmt: skip
        session.add(shared)
    tuber = village.made("harvest", "tuber", 100_000, days_ago=4)
    shared_id = village.site("Xưởng chung").id
    return village.made("settle", "wet-starch", 25_000, (tuber, 100_000), days_ago=3, site=shared_id)


def test_the_page_tells_the_way_in_words_and_draws_it(village: Village, client: FlaskClient) -> None:
    page = client.get(address(village.batch(_moved(village)))).text
    way = page[page.index('id="way"') :]
    assert "Từ Bản Thử sang bản Huổi Ke, chừng 4 km về phía bắc." in way
    assert way.count("<circle") == 2
    assert "1. Bản Thử</strong>: thu hoạch" in way
    assert "2. bản Huổi Ke</strong>: lọc và lắng bột" in way


def test_the_position_of_a_house_is_nowhere_on_the_page(village: Village, client: FlaskClient) -> None:
    page = client.get(address(village.batch(_moved(village)))).text
    for told in ("22.312", "22,312", "103.601", "103,601", "22.354"):
        assert told not in page


def test_a_lot_of_one_place_whose_position_nobody_noted_is_told_in_words(
    village: Village, client: FlaskClient
) -> None:
    page = client.get(address(village.batch(village.packs(10)))).text
    way = page[page.index('id="way"') : page.index("</section>", page.index('id="way"'))]
    assert "<svg" not in way
    assert "Bản Thử" in way
