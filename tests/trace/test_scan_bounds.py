"""A story of any length makes a page of bounded size, in a bounded number of queries, that says what it leaves out."""

import re

import pytest
from flask.testing import FlaskClient

from tests.support.village import Village
from tests.trace.scanning import address, statements, tamper
from tests.trace.test_scan_page import plain
from trace.lots.models import Batch
from trace.photos.services import Shot
from trace.scan import behind, knots

COLD = 26
"""SQL statements for a page made anew, however long its story is."""


def _blend(village: Village, parents: int) -> Batch:
    """A batch out of so many harvests."""
    taken = []
    for number in range(parents):
        tuber = village.made("harvest", "tuber", 100_000, days_ago=9 - number / 100)
        starch = village.made("settle", "wet-starch", 25_000, (tuber, 100_000), days_ago=8 - number / 100)
        taken.append((starch, 25_000))
    return village.batch(village.made("steam", "sheets", 25_000 * parents, *taken, days_ago=6))


def test_a_very_long_story_is_cut_short_and_says_by_how_much(
    village: Village, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knots, "MOST_KNOTS", 8)
    monkeypatch.setattr(behind, "MOST_STEPS", 5)
    monkeypatch.setattr(behind, "GRAPH_MAX", 3)
    batch = _blend(village, 10)
    page = client.get(address(batch)).text
    assert len(re.findall(r'<li class="knot', page)) == 8
    said = plain(page)
    assert "21 bước của lô này đều khớp" in said
    assert "Trên đây là 8 bước. Còn 13 bước nữa cũng đã soi" in said
    assert "Còn 15 dòng như thế nữa" in said
    assert "và 2 mẻ khác" in said


def test_a_cut_far_down_a_long_story_is_told_before_what_is_whole(
    village: Village, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knots, "MOST_KNOTS", 4)
    batch = _blend(village, 6)
    tamper("UPDATE event SET stage = 'settle' WHERE entry_index = (SELECT min(entry_index) FROM event)")
    page = client.get(address(batch)).text
    assert len(re.findall(r'<li class="knot', page)) == 4
    assert "Sợi bị đứt" in page
    assert len(re.findall(r'data-state="cut"', page)) >= 1


def test_photos_and_curves_are_bounded_over_the_whole_page() -> None:
    told = [knots.Knot(title=str(n), photos=tuple(Shot(f"{n}-{m}", "matches") for m in range(10))) for n in range(4)]
    shown = knots._within_bounds(told)
    assert [len(one.photos) for one in shown] == [10, 10, 4, 0]
    assert [one.more for one in shown] == [0, 0, 6, 10]


def test_a_blend_of_many_takes_no_more_queries_than_one_of_few(village: Village, client: FlaskClient) -> None:
    few, many = _blend(village, 2), _blend(village, 12)
    counted = []
    for batch in (few, many):
        with statements() as seen:
            assert client.get(address(batch)).status_code == 200
        counted.append(len(seen))
    assert counted[0] == counted[1] <= COLD
