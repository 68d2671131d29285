from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.mass import Finding, Measured, Portion, ancestors, carry_origins, judge, judge_overall, share
from batches.processes.loader import load_all

VERSIONS = load_all()
NOODLES, NOODLES_2 = VERSIONS["mien-dong"][1], VERSIONS["mien-dong"][2]
RICE = VERSIONS["gao-seng-cu"][2]
DRY_ENOUGH = (Measured("Moisture", Decimal("13.2"), "P1"),)
weights = st.integers(1, 10_000_000)


def said(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.severity, finding.slug) for finding in findings]


def settled(tubers: int, starch: int) -> list[Finding]:
    return judge(NOODLES, NOODLES.stage("settle"), [Portion("tuber", tubers)], starch)


def dried(
    strands: int,
    noodles: int,
    tubers: int,
    readings: tuple[Measured, ...] = DRY_ENOUGH,
    moisture: int | None = None,
) -> list[Finding]:
    portion = Portion("strands", strands, {"tuber": tubers}, moisture)
    return judge(NOODLES, NOODLES.stage("dry"), [portion], noodles, readings=readings)


@pytest.mark.parametrize("starch", [180_000, 250_000, 320_000])
def test_a_usual_yield_is_taken_without_a_word(starch: int) -> None:
    assert settled(1_000_000, starch) == []


@pytest.mark.parametrize("starch", [179_999, 320_001, 450_000, 1])
def test_an_unusual_yield_needs_a_reason(starch: int) -> None:
    assert said(settled(1_000_000, starch)) == [("doubt", "yield-unusual")]


def test_more_starch_than_a_tuber_can_hold_is_refused() -> None:
    found = settled(1_000_000, 450_001)
    assert said(found) == [("refuse", "yield-above-bound")]
    assert found[0].params == {"out": 450_001, "in": 1_000_000, "share": 4500, "low": 0, "high": 4500}


@given(weights, weights)
def test_drying_never_makes_noodles_heavier(strands: int, noodles: int) -> None:
    refused = any(finding.severity == "refuse" for finding in dried(strands, noodles, tubers=10**9))
    assert refused is (noodles > strands)


@given(weights, st.integers(0, 3_000_000))
def test_noodles_beyond_a_fifth_of_the_tubers_are_refused(tubers: int, noodles: int) -> None:
    found = dried(10**9, noodles, tubers)
    over = ("refuse", "overall-above-bound") in said(found)
    assert over is (noodles > 0 and noodles * 5 > tubers)


def test_a_published_yield_of_28_per_cent_is_more_than_the_tuber_holds() -> None:
    assert said(dried(300_000, 280_000, tubers=1_000_000)) == [("refuse", "overall-above-bound")]
    assert said(dried(150_000, 140_000, tubers=1_000_000)) == []
    assert said(dried(180_000, 170_000, tubers=1_000_000)) == [("doubt", "overall-unusual")]


def test_noodles_may_not_outweigh_the_dry_starch_they_came_from() -> None:
    for noodles, expected in (
        (110_000, []),
        (118_000, [("doubt", "overall-unusual")]),
        (126_000, [("refuse", "overall-above-bound")]),
    ):
        portion = Portion("strands", 130_000, {"dry-starch": 100_000})
        assert said(judge(NOODLES, NOODLES.stage("dry"), [portion], noodles, readings=DRY_ENOUGH)) == expected


def test_a_blend_is_bound_by_each_of_its_parts() -> None:
    steam = NOODLES.stage("steam")
    parts = [Portion("wet-starch", 100_000), Portion("dry-starch", 100_000)]
    assert judge(NOODLES, steam, parts, 400_000) == []
    assert said(judge(NOODLES, steam, parts, 540_001)) == [("refuse", "yield-above-bound")]


def test_a_part_of_unknown_origin_stands_beside_the_origin() -> None:
    known = Portion("strands", 10, {"tuber": 100, "dry-starch": 12})
    assert carry_origins([known, Portion("strands", 10, {"tuber": 50})]) == {
        "strands": 20, "tuber": 150, "dry-starch": 12, "dry-starch?strands": 10,
    }
    carried = carry_origins([known, Portion("strands", 10)])
    assert carried == {
        "strands": 20, "tuber": 100, "tuber?strands": 10, "dry-starch": 12, "dry-starch?strands": 10,
    }
    assert ancestors(carried) == {"strands": 20, "tuber": 100, "dry-starch": 12}
    again = carry_origins([Portion("noodles", 20, carried), Portion("noodles", 5, {"tuber": 30})])
    assert again["tuber"] == 130 and again["tuber?strands"] == 10, "what was unknown stays so"
    assert again["strands?noodles"] == 5
    assert carry_origins([]) == {}


def blended(tubers: int, bought: int, noodles: int) -> list[Finding]:
    """Noodles of strands that come of the village's own wet starch and of bought dry starch."""
    sheets = carry_origins([
        Portion("wet-starch", tubers // 4, {"tuber": tubers}), Portion("dry-starch", bought),
    ])  # fmt: skip
    return judge_overall(NOODLES_2, "noodles", [Portion("strands", 10**9, sheets)], noodles)


def test_bought_starch_never_hides_noodles_that_no_harvest_could_have_made() -> None:
    # A tonne of tubers gives 200 kg at the very most, 40 kg of bought starch 50 kg.
    assert said(blended(1_000_000, 40_000, 170_000)) == []
    assert {severity for severity, _ in said(blended(1_000_000, 40_000, 250_000))} == {"doubt"}
    found = blended(1_000_000, 40_000, 250_001)
    assert ("refuse", "blend-above-bound") in said(found)
    params = next(f.params for f in found if f.severity == "refuse")
    assert params == {
        "origin": "tuber", "in": 1_000_000, "rest": 40_000, "out": 250_001, "floor": 0, "ceiling": 250_000,
    }


def test_starch_that_was_bought_alone_is_bounded_by_its_own_weight() -> None:
    portion = Portion("strands", 130_000, {"dry-starch": 100_000, "sheets": 200_000})
    assert said(judge(NOODLES_2, NOODLES_2.stage("dry"), [portion], 125_001, readings=DRY_ENOUGH)) == [
        ("refuse", "overall-above-bound")
    ]


def test_an_old_blend_that_forgot_its_tubers_is_bounded_by_what_it_is() -> None:
    steam = NOODLES_2.stage("dry")
    parts = [Portion("strands", 100_000, {"tuber": 800_000}), Portion("strands", 50_000)]
    # 800 kg of tubers give 160 kg at most, 50 kg of strands 50 kg.
    assert said(judge_overall(NOODLES_2, "noodles", parts, 210_000)) == [("doubt", "blend-unusual")]
    assert said(judge_overall(NOODLES_2, "noodles", parts, 210_001)) == [("refuse", "blend-above-bound")]
    assert said(judge(NOODLES_2, steam, parts, 150_001, readings=DRY_ENOUGH)) == [("refuse", "yield-above-bound")]


@given(st.integers(4, 10**7), st.integers(1, 10**7), st.integers(1, 10**7))
def test_no_blend_gives_more_than_its_parts_could(tubers: int, bought: int, noodles: int) -> None:
    refused = ("refuse", "blend-above-bound") in said(blended(tubers, bought, noodles))
    if noodles * 100 > tubers * 20 + bought * 125:
        assert refused


def test_the_residue_is_bounded_by_all_that_went_in() -> None:
    settle = NOODLES_2.stage("settle")
    for grams, expected in (
        (500_000, []),
        (900_000, [("doubt", "byproduct-unusual")]),
        (1_500_001, [("refuse", "byproduct-above-bound")]),
        (0, [("refuse", "no-output")]),
    ):
        found = judge(NOODLES_2, settle, [Portion("tuber", 1_000_000)], 250_000, byproducts={"residue": grams})
        assert said(found) == expected
    assert said(judge(NOODLES_2, settle, [Portion("tuber", 1_000)], 250, byproducts={"noodles": 10})) == [
        ("refuse", "wrong-output")
    ]
    assert said(judge(NOODLES, NOODLES.stage("settle"), [Portion("tuber", 1_000)], 250, byproducts={"residue": 9})) == [
        ("refuse", "wrong-output")
    ], "the first version knew no residue"


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.integers(1, 10**7), st.integers(1, 10**7))
def test_a_mill_gives_no_more_than_the_paddy_weighed(paddy: int, rice: int, bran: int, husk: int) -> None:
    beside = {"bran": bran, "husk": husk}
    found = judge(RICE, RICE.stage("mill"), [Portion("dry-paddy", paddy)], rice, byproducts=beside)
    if rice + bran + husk > paddy:
        assert any(finding.severity == "refuse" for finding in found)


@given(st.lists(st.integers(1, 10**7), min_size=2, max_size=6), st.integers(1, 10**8))
def test_a_split_gives_what_it_takes_and_never_more(parts: list[int], taken: int) -> None:
    out = sum(parts)
    found = said(judge(NOODLES_2, NOODLES_2.stage("split"), [Portion("tuber", taken)], out, parts=len(parts)))
    if out > taken:
        assert found == [("refuse", "more-out-than-in")]
    elif (taken - out) * 50 > taken:
        assert found == [("doubt", "gone-missing")]
    else:
        assert found == []


def test_a_split_takes_one_batch_and_a_blend_gives_one() -> None:
    split, merge = NOODLES_2.stage("split"), NOODLES_2.stage("merge")
    tuber, starch = Portion("tuber", 100), Portion("wet-starch", 100)
    assert said(judge(NOODLES_2, split, [tuber], 100, parts=1)) == [("refuse", "two-parts")]
    assert said(judge(NOODLES_2, split, [tuber, tuber], 200, parts=2)) == [("refuse", "one-input")]
    assert said(judge(NOODLES_2, split, [tuber], None, parts=2)) == [("refuse", "no-output")]
    assert said(judge(NOODLES_2, merge, [tuber], 100, parts=1)) == [("refuse", "two-inputs")]
    assert said(judge(NOODLES_2, merge, [tuber, starch], 200, parts=1)) == [("refuse", "one-material")]
    assert said(judge(NOODLES_2, merge, [tuber, tuber], 200, parts=2)) == [("refuse", "one-part")]
    assert said(judge(NOODLES_2, merge, [tuber, tuber], 201, parts=1)) == [("refuse", "more-out-than-in")]
    assert judge(NOODLES_2, merge, [tuber, tuber], 200, parts=1) == []


def test_what_is_lost_has_a_weight_and_a_case_has_packs() -> None:
    lose, case, uncase = (NOODLES_2.stage(key) for key in ("lose", "case", "uncase"))
    assert judge(NOODLES_2, lose, [Portion("strands", 5)]) == []
    assert said(judge(NOODLES_2, lose, [Portion("strands", 0)])) == [("refuse", "no-input")]
    assert said(judge(NOODLES_2, case, [])) == [("refuse", "no-input")]
    assert said(judge(NOODLES_2, case, [Portion("noodles", 5)])) == [("refuse", "wrong-input")]
    assert judge(NOODLES_2, case, [Portion("packs", 5_000)]) == judge(NOODLES_2, uncase, []) == []


def test_a_purchase_is_weighed_like_a_harvest() -> None:
    buy = NOODLES_2.stage("buy-dry-starch")
    assert judge(NOODLES_2, buy, [], 50_000) == []
    assert said(judge(NOODLES_2, buy, [], None)) == [("refuse", "no-output")]
    assert said(judge(NOODLES_2, buy, [], 50_000_000_000)) == [("doubt", "unusual-amount")]
    assert said(judge(NOODLES_2, buy, [Portion("tuber", 5)], 50_000)) == [("refuse", "wrong-input")]


acts = st.lists(st.tuples(st.sampled_from(("split", "merge", "lose", "take")), st.integers(0, 10**6)), max_size=30)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=4), acts)
def test_no_sequence_of_splits_blends_and_losses_invents_mass(
    harvests: list[int], acts: list[tuple[str, int]]
) -> None:
    """Batches as (grams, tubers behind them). Each act is tried with random figures and done if nothing refuses it."""
    have = [(grams // 4 + 1, {"tuber": grams}) for grams in harvests]
    start, tubers = sum(grams for grams, _ in have), sum(harvests)
    for act, number in acts:
        if (act == "merge" and len(have) < 2) or not have:
            continue
        taking = have[: 2 if act == "merge" else 1]
        portions = [Portion("wet-starch", grams, origins) for grams, origins in taking]
        out = [] if act == "lose" else [number] if act == "merge" else [number, number // 2 + 1]
        stage = NOODLES_2.stage("lose" if act == "lose" else "merge" if act == "merge" else "split")
        found = judge(NOODLES_2, stage, portions, sum(out) if out else None, parts=len(out) or None)
        if any(finding.severity == "refuse" for finding in found):
            continue
        origins, total = carry_origins(portions), sum(out)
        have = have[len(taking) :]
        for place, grams in enumerate(out):
            before = sum(out[:place])
            mine = {k: share(v, total, before, grams) for k, v in origins.items() if k != "wet-starch"}
            have.append((grams, mine))
        assert all(grams >= 0 for grams, _ in have)
    assert sum(grams for grams, _ in have) <= start
    assert sum(origins.get("tuber", 0) for _, origins in have) <= tubers, "nor do tubers grow behind it"


def test_only_what_belongs_to_a_stage_goes_in() -> None:
    steam = NOODLES.stage("steam")
    assert said(judge(NOODLES, steam, [Portion("tuber", 100)], 100)) == [("refuse", "wrong-input")]
    assert said(judge(NOODLES, steam, [], 100)) == [("refuse", "no-input")]
    assert said(judge(NOODLES, steam, [Portion("wet-starch", 0)], 100)) == [("refuse", "no-input")]
    assert said(judge(NOODLES, steam, [Portion("wet-starch", 10)], None)) == [("refuse", "no-output")]
    assert said(judge(NOODLES, NOODLES.stage("harvest"), [Portion("tuber", 1)], 50_000)) == [
        ("refuse", "wrong-input")
    ]


def test_a_harvest_of_a_thousand_tonnes_is_a_slip_of_the_finger() -> None:
    harvest = NOODLES.stage("harvest")
    assert judge(NOODLES, harvest, [], 1_250_000) == []
    assert said(judge(NOODLES, harvest, [], 1_250_000_000)) == [("doubt", "unusual-amount")]


@given(st.integers(1, 100_000_000), st.integers(1, 200_000), st.sampled_from([250, 500, 1000]))
def test_packs_hold_no_more_than_the_noodles_there_are(noodles: int, units: int, net: int) -> None:
    found = judge(NOODLES, NOODLES.stage("pack"), [Portion("noodles", noodles)], units=units, net_grams=net)
    if units * net > noodles:
        assert said(found) == [("refuse", "packed-more-than-there-is")]
    elif (noodles - units * net) * 50 > noodles:
        assert said(found) == [("doubt", "pack-loss")]
    else:
        assert found == []


def test_packing_needs_packs_and_their_weight() -> None:
    stage, noodles = NOODLES.stage("pack"), [Portion("noodles", 1000)]
    assert said(judge(NOODLES, stage, noodles, units=0, net_grams=500)) == [("refuse", "no-output")]
    assert said(judge(NOODLES, stage, noodles, units=2)) == [("refuse", "net-weight-unknown")]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("13.2", "P1", []),
        ("14", "P1", []),
        ("14.1", "P1", [("doubt", "reading-over-limit")]),
        ("0.13", "P1", [("refuse", "reading-impossible")]),
        ("NaN", "P1", [("refuse", "reading-impossible")]),
        ("113", "P1", [("refuse", "reading-impossible")]),
        ("13", "CEL", [("refuse", "reading-unit")]),
    ],
)
def test_noodles_are_dry_below_14_per_cent(value: str, unit: str, expected: list[tuple[str, str]]) -> None:
    assert said(dried(150_000, 140_000, 1_000_000, (Measured("Moisture", Decimal(value), unit),))) == expected


def test_drying_without_a_moisture_is_not_done() -> None:
    assert said(dried(150_000, 140_000, 1_000_000, ())) == [("refuse", "reading-missing")]


def test_a_reading_nobody_asked_for_is_welcome() -> None:
    extra = (*DRY_ENOUGH, Measured("Illuminance", Decimal(90_000), "LUX"))
    assert dried(150_000, 140_000, 1_000_000, extra) == []


def test_only_water_leaves_while_drying() -> None:
    # 150 kg at 21 % hold 118.5 kg of dry matter; so do 136.5 kg at 13.2 %.
    assert dried(150_000, 136_500, 1_000_000, moisture=2100) == []
    found = dried(150_000, 146_000, 1_000_000, moisture=2100)
    assert said(found) == [("doubt", "dry-matter-changed")]
    assert found[0].params == {"before": 118_500, "after": 126_728}
    assert dried(150_000, 146_000, 1_000_000) == [], "an unknown moisture proves nothing"


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_an_origin_is_shared_out_to_the_last_gram(origin: int, parts: list[int]) -> None:
    whole = sum(parts)
    if whole == 0:
        with pytest.raises(ValueError, match="Cannot take"):
            share(origin, whole, 0, 0)
        return
    shares = [share(origin, whole, sum(parts[:number]), part) for number, part in enumerate(parts)]
    assert sum(shares) == origin
    assert all(part >= 0 for part in shares)


def test_no_more_can_be_taken_than_there_is() -> None:
    with pytest.raises(ValueError, match="Cannot take"):
        share(100, 10, 5, 6)
