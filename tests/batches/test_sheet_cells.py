"""What a cell says: numbers, days and amounts as people in two countries write them."""

import datetime as dt
from decimal import Decimal

import pytest

from batches.sheets import cells
from batches.sheets.cells import Cell, Num, Style, Unclear, Wrong
from batches.sheets.order import in_order


@pytest.mark.parametrize(
    ("text", "style", "value"),
    [
        ("1.250,5", "", "1250.5"), ("1,250.5", "", "1250.5"), ("1.250", "", "1250"), ("1,250", "", "1.25"),
        ("1,250", "en", "1250"), ("1.250", "en", "1.25"), ("1\u00a0250,5", "", "1250.5"), ("1 250", "", "1250"),
        ("12.5", "", "12.5"), ("12,5", "", "12.5"), ("0,125", "en", "0.125"), ("1.250.000", "", "1250000"),
        ("1,250,000", "", "1250000"), ("-3", "", "-3"), (Num("13.199999999999999"), "", "13.199999999999999"),
        (Num("1.25E2"), "", "125"), ("1\u202f000,5", "", "1000.5"),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_was_meant(text: str, style: Style, value: str) -> None:
    assert cells.number(text, style) == Decimal(value)


@pytest.mark.parametrize(
    "cell",
    ["", "abc", "12.5.3", "1,2,3", "=1+1", "1e999", "٣", "--1", True, None, Wrong("#REF!"), "1.25.000", "9" * 20],
)
def test_what_is_no_number_is_refused(cell: Cell) -> None:
    with pytest.raises(Unclear):
        cells.number(cell)


def test_a_number_of_two_meanings_is_refused_where_the_sheet_itself_uses_both() -> None:
    assert cells.style_of(["1.250,5", "12"]) == "vi" and cells.style_of(["1,250.5"]) == "en"
    assert cells.style_of(["1.250", "1,250", "7"]) == ""
    assert cells.style_of(["12,5", "1,250.5"]) == "both"
    with pytest.raises(Unclear, match="1,250"):
        cells.number("1,250", "both")
    assert cells.number("12,5", "both") == Decimal("12.5")


@pytest.mark.parametrize(
    ("cell", "when", "day_only"),
    [
        ("20/11/2026", "2026-11-20T12:00", True), ("20/11/2026 06:30", "2026-11-20T06:30", False),
        ("06:30 20/11/2026", "2026-11-20T06:30", False), ("20.11.26 6h30", "2026-11-20T06:30", False),
        ("2026-11-20", "2026-11-20T12:00", True), ("2026-11-20T06:30:00+07:00", "2026-11-20T06:30", False),
        (Num("46346.5"), "2026-11-20T12:00", False), ("46346", "2026-11-20T12:00", True),
        (dt.datetime(2026, 11, 20, 6, 30), "2026-11-20T06:30", False),
        (dt.datetime(2026, 11, 20), "2026-11-20T12:00", True),
    ],
)  # fmt: skip
def test_a_day_is_read_however_it_was_written(cell: Cell, when: str, day_only: bool) -> None:
    assert cells.moment(cell) == (dt.datetime.fromisoformat(f"{when}:00+07:00"), day_only)


@pytest.mark.parametrize(
    "cell",
    ["11/20/2026", "31/02/2026", "hôm qua", "20/11", "20/11/2026 25:00", "20/11/2026 06:30Z", Num("5"), "", None],
)
def test_what_is_no_day_is_refused(cell: Cell) -> None:
    with pytest.raises(Unclear):
        cells.moment(cell)


@pytest.mark.parametrize(
    ("cell", "grams"),
    [("1,5 tấn", 1_500_000), ("2 tạ", 200_000), ("12,5kg", 12_500), ("750 g", 750), ("12,5", 12_500), (Num("0.3"), 300),
     (Num("0.30000000000000004"), 300)],
)  # fmt: skip
def test_a_weight_may_have_a_unit(cell: Cell, grams: int) -> None:
    assert cells.grams(*cells.amount(cell)) == grams


@pytest.mark.parametrize("cell", ["40 gói", "0", "-5", "0,00001", "12 lít", "x"])
def test_what_no_scale_shows_is_refused(cell: Cell) -> None:
    with pytest.raises(Unclear):
        cells.grams(*cells.amount(cell))


def test_packs_are_whole() -> None:
    assert cells.packs(*cells.amount("40 gói")) == 40 == cells.packs(*cells.amount(Num("40")))
    for wrong in ("40,5", "3 kg"):
        with pytest.raises(Unclear):
            cells.packs(*cells.amount(wrong))


def test_two_spellings_of_a_letter_are_one() -> None:
    assert cells.words("Ho\u0323\u0302 A") == "Hộ A" and cells.words("'=SUM") == "=SUM"


def test_rows_come_after_what_they_take_and_circles_are_found() -> None:
    assert in_order([1, 2, 3], {1: [3], 2: [], 3: []}) == ([3, 1, 2], set())
    ordered, turning = in_order([1, 2, 3, 4], {1: [2], 2: [3], 3: [1], 4: [4]})
    assert turning == {1, 2, 3, 4} and sorted(ordered) == [1, 2, 3, 4]
    chain = list(range(50_000))
    assert in_order(chain, {n: [n + 1] for n in chain[:-1]})[0] == chain[::-1]
