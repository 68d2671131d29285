"""Shares of origin: exact, whole per cent that sum to a hundred, and comparable between materials."""

from fractions import Fraction
from graphlib import CycleError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace.lots.shares import Weighed, grouped, percents, shares_of


def test_a_lot_without_parents_is_its_own_origin() -> None:
    assert shares_of("a", []) == {"a": 1}


def test_parents_count_by_weight_through_every_step() -> None:
    steps = [Weighed("pack", "blend", 500), Weighed("blend", "mine", 300), Weighed("blend", "part", 100),
             Weighed("part", "bought", 70)]  # fmt: skip
    assert shares_of("pack", steps) == {"mine": Fraction(3, 4), "bought": Fraction(1, 4)}


def test_two_ways_to_the_same_field_are_added_and_others_lots_do_no_harm() -> None:
    steps = [Weighed("lot", "a", 1), Weighed("lot", "b", 1), Weighed("a", "field", 5), Weighed("b", "field", 2),
             Weighed("b", "bought", 1), Weighed("stranger", "elsewhere", 9)]  # fmt: skip
    assert shares_of("lot", steps) == {"field": Fraction(5, 6), "bought": Fraction(1, 6)}


def test_a_lot_that_is_its_own_ancestor_is_refused() -> None:
    with pytest.raises(CycleError):
        shares_of("a", [Weighed("a", "b", 1), Weighed("b", "a", 1)])


def test_the_largest_remainder_is_rounded_up() -> None:
    third = Fraction(1, 3)
    assert percents({"a": third, "b": third, "c": third}) == {"a": 34, "b": 33, "c": 33}
    assert percents({"a": Fraction(995, 1000), "b": Fraction(5, 1000)}) == {"a": 100, "b": 0}
    assert percents({}) == {}


def test_what_belongs_together_is_one_and_the_largest_comes_first() -> None:
    shares = {"x": Fraction(1, 4), "y": Fraction(1, 2), "z": Fraction(1, 4)}
    told = grouped(shares, {"x": "A", "y": "B", "z": "A"})
    assert list(told.items()) == [("A", Fraction(1, 2)), ("B", Fraction(1, 2))]


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 59), st.integers(0, 10**9)), max_size=200))
def test_shares_of_any_graph_sum_to_one_and_per_cents_to_a_hundred(drawn: list[tuple[int, int, int]]) -> None:
    steps = [Weighed(str(child), str(parent), weight) for child, parent, weight in drawn if parent < child]
    shares = shares_of("60", steps)
    assert sum(shares.values()) == 1 and all(share > 0 for share in shares.values())
    assert sum(percents(shares).values()) == 100


def test_a_deep_braid_of_blends_is_reckoned_at_once() -> None:
    steps = [Weighed(str(n), str(n - back), 1_000_003 * back + n) for n in range(3, 4000) for back in (1, 2, 3)]
    shares = shares_of("3999", steps)
    assert sum(shares.values()) == 1 and set(shares) == {"0", "1", "2"}
