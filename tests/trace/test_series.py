"""The reduced series of a sensor, and its picture: bytes that are always the same, gaps that stay gaps."""

import hashlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace.epcis.events import sensor_element
from trace.events.readings import epcis_reading, row_of, thousandths
from trace.series import curve
from trace.series.reduced import MOST_ROWS, STEPS, MalformedSeries, Row, Series, digest, joined, parse, step_for
from village.clock import VN

START = 1_763_700_000 // 3600 * 3600


def series(rows: list[Row], minutes: int = 60, **more: Any) -> Series:
    """A dryer's hour."""
    whole = Series("019a0000-0000-7000-8000-000000000001", "Temperature", "CEL", START, START + minutes * 60, 60,
                   -5_000, 120_000, 0, tuple(rows))  # fmt: skip
    return replace(whole, **more)


def steady(slots: range, value: int = 50_000) -> list[Row]:
    return [Row(slot, value - 100, value, value + 200, 2) for slot in slots]


def test_the_bytes_of_a_series_are_fixed() -> None:
    body = series([Row(0, 49_900, 50_000, 50_200, 2), Row(2, 51_000, 51_000, 51_000, 1)], left_out=3).body()
    assert body == (
        b'{"bounds":[-5000,120000],"end":%d,"format":"soi-series/v1","leftOut":3,'
        b'"rows":[[0,49900,50000,50200,2],[2,51000,51000,51000,1]],"sensor":"019a0000-0000-7000-8000-000000000001",'
        b'"start":%d,"step":60,"type":"Temperature","unit":"CEL"}' % (START + 3600, START)
    )
    assert digest(body) == hashlib.sha256(body).hexdigest()


@given(st.lists(st.tuples(st.integers(0, 59), st.integers(-(10**9), 10**9), st.integers(1, 9)), max_size=30))
def test_a_series_comes_back_from_its_bytes(rows: list[tuple[int, int, int]]) -> None:
    whole = series(list(joined((slot, value, value * count, value, count) for slot, value, count in rows)))
    assert parse(whole.body()) == whole


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"format":"soi-series/v2"}', b"[" * 100_000, b"\xff"])
def test_bytes_that_are_no_series_are_refused(body: bytes) -> None:
    with pytest.raises(MalformedSeries):
        parse(body)


def test_a_series_is_summed_up_from_its_rows_alone() -> None:
    rows = [Row(0, 10_000, 20_000, 30_000, 1), Row(1, 40_000, 50_000, 60_000, 3)]
    summary = series(rows).summary()
    assert (summary.low, summary.mean, summary.high, summary.count) == (10_000, 42_500, 60_000, 4)
    assert dict(summary.ranks) == {5: 20_000, 50: 50_000, 95: 50_000}
    with pytest.raises(ValueError):
        series([]).summary()


@given(st.integers(60, 30 * 86400))
def test_a_window_has_no_more_rows_than_its_step_allows(length: int) -> None:
    step = step_for(START, START + length)
    assert step in STEPS
    assert length <= MOST_ROWS * step or step == STEPS[-1]


def test_a_window_on_the_ledger_is_what_epcis_calls_a_sensor_element() -> None:
    whole = series(steady(range(60)))
    body = whole.body()
    element = sensor_element(epcis_reading(row_of(whole, body)))
    assert element["sensorMetadata"]["startTime"].endswith("+07:00")
    assert element["sensorMetadata"]["deviceID"] == f"urn:uuid:{whole.sensor}"
    first, *ranks = element["sensorReport"]
    assert first == {"type": "Temperature", "minValue": 49.9, "maxValue": 50.2, "meanValue": 50, "uom": "CEL"}
    assert [(one["percRank"], one["percValue"]) for one in ranks] == [(5, 50), (50, 50), (95, 50)]
    assert (element["soi:count"], element["soi:leftOut"], element["soi:series"]) == (120, 0, digest(body))


def test_thousandths_are_told_exactly() -> None:
    assert [thousandths(value) for value in (0, 13_200, -500, 10**9, 1)] == ["0", "13.2", "-0.5", "1000000", "0.001"]
    assert Decimal(thousandths(100_000)) == 100


def test_a_gap_is_drawn_as_a_gap() -> None:
    whole = series([*steady(range(0, 20)), *steady(range(40, 60))])
    drawn = curve.plot(whole, VN)
    assert len(drawn.lines) == len(drawn.spans) == 2
    (gap,) = drawn.gaps
    assert 140 < gap.x < 150 and 95 < gap.width < 110
    assert curve.gaps_of(whole) == [(START + 1200, START + 2400)]


def test_what_was_not_measured_at_the_ends_is_a_gap_as_well() -> None:
    assert curve.gaps_of(series(steady(range(10, 50)))) == [(START, START + 600), (START + 3000, START + 3600)]
    assert curve.gaps_of(series([])) == [(START, START + 3600)]


def test_a_sensor_that_tells_every_five_minutes_has_no_gaps_between() -> None:
    whole = series(steady(range(0, 60, 5)))
    assert len(curve.plot(whole, VN).lines) == 1


def test_a_single_reading_is_a_dot() -> None:
    (line,) = curve.plot(series(steady(range(30, 31))), VN).lines
    assert line.endswith("h0")


def test_a_curve_has_no_more_points_than_a_phone_can_show() -> None:
    whole = series(steady(range(600)), minutes=600)
    (line,) = curve.plot(whole, VN).lines
    assert 100 < line.count("L") <= curve.COLUMNS


def test_times_are_told_in_the_villages_zone() -> None:
    drawn = curve.plot(series(steady(range(480)), minutes=480), VN)
    labels = [tick.label for tick in drawn.times]
    assert 2 <= len(labels) <= curve.MOST_TIMES
    assert all(label.endswith(":00") for label in labels)
    # 1,763,697,600 is 04:00 UTC: eleven in the village.
    assert labels[0] == "12:00"
    week = series([], minutes=7 * 1440, step=3600)
    assert all("/" in tick.label for tick in curve.plot(week, VN).times)


@given(st.integers(-(10**9), 10**9), st.integers(0, 10**9))
def test_whatever_was_measured_stays_within_the_picture(low: int, reach: int) -> None:
    rows = [Row(0, low, low, low, 1), Row(1, low + reach, low + reach, low + reach, 1)]
    drawn = curve.plot(series(rows), VN, usual=(30_000, 60_000))
    ys = [level.at for level in drawn.levels]
    assert ys == sorted(ys, reverse=True)
    for path in (*drawn.lines, *drawn.spans):
        for pair in path.strip("MZ").removesuffix("h0").split("L"):
            assert curve.TOP - 0.1 <= float(pair.split(" ")[1]) <= curve.BOTTOM + 0.1
