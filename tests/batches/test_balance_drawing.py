"""The picture of a balance: as wide as it is heavy, and no words over each other, whatever the amounts."""

import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batches.balance.drawing import (
    DRAWN,
    LEFT,
    LETTER,
    LETTER_SHARE,
    LINE,
    STRONG_SHARE,
    TEXT_AT,
    THINNEST,
    WIDTH,
    Band,
    Node,
    Picture,
    Stub,
    draw,
    wrapped,
)  # fmt: skip
from batches.balance.flows import network
from batches.balance.shown import balance, in_order
from batches.processes.catalogue import all_processes
from tests.batches.histories import History, histories

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def fits(picture: Picture) -> None:
    """Nothing lies outside of the box, and no line of words comes near another."""
    baselines = sorted(line.y for line in picture.lines)
    assert all(below - above >= LINE - 3 for above, below in pairwise(baselines))
    assert baselines[-1] <= picture.height and baselines[0] >= LETTER * 0.7
    for line in picture.lines:
        assert line.x + len(line.words) * LETTER * (STRONG_SHARE if line.strong else LETTER_SHARE) <= WIDTH
    for shape in picture.shapes:
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", shape.path)]
        assert all(0 <= x <= TEXT_AT for x in numbers[::2]), shape
        assert all(-0.5 <= y <= picture.height + 0.5 for y in numbers[1::2]), shape
    for x, y, wide, high, _ in picture.bars:
        assert x >= LEFT and x + wide <= LEFT + DRAWN + 1 and y + high <= picture.height


@quick
@given(histories())
def test_no_words_meet_whatever_the_history(told: History) -> None:
    left: dict[str, int] = {}
    for lot, grams in told.left.items():
        left[told.material[lot]] = left.get(told.material[lot], 0) + grams
    whole = network(told.parts(), told.gaps(), {}, left)
    mien = all_processes()["mien-dong"]
    shown = balance(mien, whole)
    fits(shown.picture)
    # The table says what the picture draws.
    assert sorted(row.grams for row in shown.rows) == sorted(flow.grams for flow in whole.flows)
    order = in_order(mien, whole)
    assert all(
        order.index(flow.source) < order.index(flow.target)
        for flow in whole.flows
        if "end" not in (flow.source.kind, flow.target.kind)
    )


def test_bands_are_as_wide_as_they_are_heavy() -> None:
    nodes = [Node("a", "A", strong=True), Node("b", "B"), Node("c", "C", strong=True)]
    bands = [Band("a", "b", 300, ""), Band("a", "c", 100, ""), Band("b", "c", 300, "")]
    picture = draw(nodes, bands, [Stub("a", 400, "x", comes=True)])
    fits(picture)
    (_, _, a, _, _), (_, _, b, _, _), (_, _, c, _, _) = picture.bars
    assert a == pytest.approx(c) and b == pytest.approx(a * 3 / 4)


def test_a_kilogram_beside_a_hundred_tonnes_can_be_seen() -> None:
    nodes = [Node("a", "Củ dong riềng 100.001 kg", strong=True)]
    stubs = [Stub("a", 100_000_000, "Thu hoạch", comes=True), Stub("a", 1_000, "Mua", comes=True, look="outside")]
    picture = draw(nodes, [], [*stubs, Stub("a", 100_001_000, "Còn lại", comes=False)])
    fits(picture)
    small = next(shape for shape in picture.shapes if shape.words == "Mua")
    xs = [float(number) for number in re.findall(r"-?[\d.]+", small.path)][::2]
    assert max(xs) - min(xs) == pytest.approx(THINNEST, abs=0.1)


def test_a_band_that_runs_upward_is_refused() -> None:
    with pytest.raises(ValueError, match="upward"):
        draw([Node("a", "A"), Node("b", "B")], [Band("b", "a", 1, "")], [])


@given(st.text(alphabet="abcđ ươ", max_size=200))
def test_no_line_is_longer_than_its_column_and_no_letter_is_lost(words: str) -> None:
    lines = wrapped(words, 12)
    assert all(0 < len(line) <= 12 for line in lines)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")
