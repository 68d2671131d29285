from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.mass import Finding, Measured, Portion, carry_origins, judge, share
from batches.processes.loader import load_all

NOODLES = load_all()["mien-dong"]
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


def test_a_part_of_unknown_origin_leaves_the_origin_unknown() -> None:
    known = Portion("strands", 10, {"tuber": 100, "dry-starch": 12})
    assert carry_origins([known, Portion("strands", 10, {"tuber": 50})]) == {"strands": 20, "tuber": 150}
    assert carry_origins([known, Portion("strands", 10)]) == {"strands": 20}
    assert carry_origins([]) == {}


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
