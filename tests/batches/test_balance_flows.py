"""The arithmetic of the balances: what goes into a knot comes out of it, to the gram, whatever the history."""

from collections import Counter
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batches.balance.family import Lot, Step, family
from batches.balance.figures import figures, most, possible
from batches.balance.flows import End, Gap, Network, Part, gathered, imbalance, material, network, stage, stage_yields
from batches.processes.catalogue import all_processes
from batches.processes.models import Kind
from tests.batches.histories import History, histories

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def stocks(told: History) -> dict[str, int]:
    left: Counter[str] = Counter()
    for lot, grams in told.left.items():
        left[told.material[lot]] += grams
    return dict(left)


@quick
@given(histories())
def test_every_knot_of_a_season_is_exact(told: History) -> None:
    whole = network(told.parts(), told.gaps(), {}, stocks(told))
    assert imbalance(whole) == {}
    assert all(flow.grams > 0 for flow in whole.flows)
    # The same sums, straight from the events.
    for end, kinds in ((End.HARVEST, Kind.COMMISSION), (End.OUTSIDE, Kind.BUY)):
        assert whole.between(source=end) == sum(g for s in told.steps if s.kind is kinds for _, g in s.outputs)
    for end, kinds in ((End.SOLD, Kind.DISPATCH), (End.LOST, Kind.LOSE)):
        assert whole.between(target=end) == sum(g for s in told.steps if s.kind is kinds for _, g in s.inputs)
    assert whole.between(target=End.LEFT) == sum(told.left.values())
    assert whole.between(source=End.MISSING) == 0


@quick
@given(histories(), st.integers(0, 30))
def test_a_season_that_begins_in_the_middle_is_exact(told: History, cut: int) -> None:
    earlier, later = History(material=told.material), History(material=told.material)
    earlier.steps, later.steps = told.steps[:cut], told.steps[cut:]
    before: Counter[str] = Counter()
    for step in earlier.steps:
        for lot, grams in step.outputs:
            before[told.material[lot]] += grams
        for lot, grams in step.inputs:
            before[told.material[lot]] -= grams
    whole = network(later.parts(), later.gaps(), before, stocks(told))
    assert imbalance(whole) == {}
    assert whole.between(source=End.BEFORE) == sum(before.values())


@quick
@given(histories(), st.data())
def test_every_knot_around_a_lot_is_exact(told: History, data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(sorted(told.made)))
    whole = family(told.lots[start], told.lots, *told.around(start))
    assert imbalance(whole) == {}
    assert whole.between(source=End.MISSING) == 0
    assert all(flow.grams > 0 for flow in whole.flows)


@quick
@given(histories(10**15, 10), st.data())
def test_the_flows_around_a_lot_are_those_that_fractions_give(told: History, data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(sorted(told.made)))
    whole = family(told.lots[start], told.lots, *told.around(start))
    raw = behind(told, start)
    # Each event rounds each of its lots once, and three stages may each make ten times as much of the rest.
    slack = 1000 * (1 + sum(len(step.inputs) + len(step.outputs) for step in told.steps))
    assert abs(whole.between(source=End.HARVEST) - raw["harvest"]) <= slack
    assert abs(whole.between(source=End.OUTSIDE) - raw["buy"]) <= slack
    sent = after(told, start)
    assert abs(whole.between(target=End.SOLD) - sent["sell"]) <= slack
    assert abs(whole.between(target=End.LOST) - sent["lose"]) <= slack
    assert abs(whole.between(target=End.LEFT) - sent["left"]) <= slack


def behind(told: History, start: str) -> Counter[str]:
    """Another way: exact fractions, lot by lot, from each lot up to where it began."""
    found: Counter[str] = Counter()
    maker = {lot: step for step in told.steps for lot, _ in step.outputs}

    def up(lot: str, grams: Fraction) -> None:
        step = maker[lot]
        if not step.inputs:
            found[step.stage] += grams  # type: ignore[assignment]
            return
        aside = told.material[lot] in step.beside
        whole = sum(made for one, made in step.outputs if (told.material[one] in step.beside) == aside)
        for parent, part in step.inputs:
            up(parent, part * grams / whole)

    up(start, Fraction(told.made[start]))
    return found


def after(told: History, start: str) -> Counter[str]:
    """Another way: the share of each lot that is `start`'s, in exact fractions."""
    share = {start: Fraction(1)}
    found: Counter[str] = Counter()
    for step in told.steps:
        ours = sum((share.get(lot, Fraction(0)) * grams for lot, grams in step.inputs), Fraction(0))
        taken = sum(grams for _, grams in step.inputs)
        if step.kind in (Kind.LOSE, Kind.DISPATCH):
            found[step.stage] += ours  # type: ignore[assignment]
        for lot, _ in step.outputs:
            if taken and lot != start:
                share[lot] = ours / taken
    found["left"] = sum((told.left[lot] * part for lot, part in share.items()), Fraction(0))  # type: ignore[assignment]
    return found


def test_a_lot_counts_with_its_part_of_what_was_shared() -> None:
    lots = {
        "t": Lot("t", "tuber", 1000, 0), "a": Lot("a", "wet-starch", 150, 0), "b": Lot("b", "wet-starch", 100, 40),
        "r": Lot("r", "residue", 500, 500), "n": Lot("n", "noodles", 30, 30),
    }  # fmt: skip
    above = [
        Step("1", "harvest", Kind.COMMISSION, (), (("t", 1000),)),
        Step("2", "settle", Kind.TRANSFORM, (("t", 1000),), (("a", 150), ("b", 100), ("r", 500)),
             beside=frozenset(("residue",))),
    ]  # fmt: skip
    below = [Step("3", "dry", Kind.TRANSFORM, (("b", 60),), (("n", 30),), dries=True)]
    whole = family(lots["b"], lots, above, below)
    assert imbalance(whole) == {}
    assert whole.between(End.HARVEST, material("tuber")) == 400
    assert whole.between(stage("settle"), material("residue")) == 200
    assert whole.between(stage("settle"), End.WATER) == 100
    assert whole.between(material("wet-starch"), End.LEFT) == 40
    assert whole.between(stage("dry"), End.DRIED) == 30
    assert whole.between(material("noodles"), End.LEFT) == 30
    # The residue itself has all of the tubers behind it, and its share of nothing else.
    assert family(lots["r"], lots, above, []).between(End.HARVEST) == 1000


def test_one_batchs_loss_does_not_hide_anothers_gain() -> None:
    gaps = [Gap("steam", Kind.TRANSFORM, 300, 200)]
    parts = [Part("steam", Kind.TRANSFORM, False, "a", 1000), Part("steam", Kind.TRANSFORM, True, "b", 900)]
    whole = network(parts, gaps, {"a": 1000}, {"b": 900})
    assert imbalance(whole) == {}
    assert (whole.between(target=End.WATER), whole.between(source=End.ADDED)) == (300, 200)


def test_a_neighbours_goods_come_in_and_ones_own_go_out() -> None:
    parts = [
        Part("settle", Kind.TRANSFORM, False, "tuber", 700, theirs=True),
        Part("settle", Kind.TRANSFORM, True, "wet-starch", 175),
        Part("settle", Kind.TRANSFORM, False, "tuber", 300, by_others=True),
        Part("dispatch", Kind.DISPATCH, False, "packs", 50, by_others=True),
        Part("dispatch", Kind.DISPATCH, False, "packs", 20, theirs=True),
    ]
    whole = network(parts, [Gap("settle", Kind.TRANSFORM, 525, 0)], {"tuber": 300, "packs": 50}, {"wet-starch": 175})
    assert imbalance(whole) == {}
    assert whole.between(End.RECEIVED) == 700
    assert whole.between(target=End.GIVEN) == 300
    assert whole.between(target=End.SOLD) == 50


def test_records_that_contradict_each_other_are_shown() -> None:
    whole = network([], [], {"tuber": -5, "noodles": 3}, {"tuber": -5, "noodles": 3})
    assert whole.between(source=End.MISSING) == 5
    assert whole.between(target=End.UNCLEAR) == 5


def test_yields_leave_by_products_apart() -> None:
    whole = gathered(
        {
            (material("tuber"), stage("settle")): 1000,
            (stage("settle"), material("wet-starch")): 250,
            (stage("settle"), material("residue")): 600,
        }
    )
    (found,) = stage_yields(whole, {"settle": ("residue",)})
    assert (found.taken, found.given, found.beside, found.share) == (1000, 250, 600, 2500)


def season(harvest: int, bought: int, made: int, left: int = 0) -> Network:
    parts = [
        Part("harvest", Kind.COMMISSION, True, "tuber", harvest),
        Part("buy", Kind.BUY, True, "dry-starch", bought),
        Part("settle", Kind.TRANSFORM, False, "tuber", harvest - left),
        Part("settle", Kind.TRANSFORM, True, "wet-starch", harvest // 4),
        Part("dry", Kind.TRANSFORM, False, "strands", 0),
        Part("dry", Kind.TRANSFORM, True, "noodles", made),
    ]
    return network(parts, [], {}, {"tuber": left})


def test_a_season_cannot_make_more_than_its_harvest_and_purchases_could_give() -> None:
    mien = all_processes()["mien-dong"]
    # 20 % of tubers, 125 % of dry starch.
    assert (most(mien, "tuber"), most(mien, "dry-starch"), most(mien, "residue")) == (2000, 12_500, 0)
    assert possible(mien, season(10_000, 1_000, 3_250)).holds
    assert not possible(mien, season(10_000, 1_000, 3_251)).holds
    # Tubers that still lie there made nothing.
    assert possible(mien, season(10_000, 0, 1_900, left=500)).holds
    assert not possible(mien, season(10_000, 0, 1_901, left=500)).holds


def test_figures_add_up() -> None:
    mien = all_processes()["mien-dong"]
    parts = [
        Part("harvest", Kind.COMMISSION, True, "tuber", 10_000),
        Part("x", Kind.TRANSFORM, False, "tuber", 8_000),
        Part("x", Kind.TRANSFORM, True, "noodles", 1_000),
        Part("pack", Kind.PACK, False, "noodles", 700),
        Part("pack", Kind.PACK, True, "packs", 690),
        Part("dispatch", Kind.DISPATCH, False, "packs", 600),
    ]
    gaps = [Gap("x", Kind.TRANSFORM, 7_000, 0), Gap("pack", Kind.PACK, 10, 0)]
    whole = network(parts, gaps, {}, {"tuber": 2_000, "noodles": 300, "packs": 90})
    assert imbalance(whole) == {}
    found = figures(mien, whole, (1_000, 8_000))
    assert (found.harvested, found.made, found.packed, found.sold) == (10_000, 1_000, 690, 600)
    assert (found.left_raw, found.left_between, found.left_goods, found.share) == (2_000, 0, 390, 1_250)
