"""The money of an order is shared out to the đồng, whatever became of its packs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.settlement.sharing import (
    NOTHING,
    LotPart,
    Money,
    OrderPart,
    Packs,
    Rule,
    difference,
    line_values,
    of_bp,
    share_out,
    split,
)

HOUSEHOLDS = Rule(share_bp=1000, card_fee_bp=340, costs_by="households", refunds_by="households")
COOPERATIVE = Rule(share_bp=1000, card_fee_bp=340, costs_by="cooperative", refunds_by="cooperative")
dong = st.integers(0, 10**9)


@st.composite
def packs(draw: st.DrawFn) -> dict[str, Packs]:
    """Up to five lots of one price each, sent and come back as it happens."""
    found = {}
    for key in draw(st.lists(st.sampled_from("abcde"), max_size=5, unique=True)):
        sent = draw(st.integers(0, 99))
        kept = draw(st.integers(0, sent))
        price = draw(st.integers(1, 500_000))
        found[key] = Packs(sent, kept, sent * price, kept * price)
    return found


@st.composite
def moneys(draw: st.DrawFn) -> Money:
    paid = draw(dong)
    return Money(paid, draw(st.integers(0, paid)), draw(st.integers(0, 90_000)), draw(st.integers(0, 90_000)),
                 draw(st.booleans()))  # fmt: skip


bearers = st.sampled_from(("households", "cooperative"))
rules = st.builds(Rule, st.integers(0, 10_000), st.integers(0, 10_000), bearers, bearers)


def whole(part: OrderPart) -> int:
    return part.carrier + part.provider + part.held + part.cooperative + part.households


@given(packs(), moneys(), rules)
def test_what_came_in_is_what_everybody_has(lots: dict[str, Packs], money: Money, rule: Rule) -> None:
    part = share_out(lots, money, rule)
    assert part.received == money.paid - money.refunded == whole(part)
    assert part.held >= 0
    goods = sum(one.goods for one in part.lots.values())
    assert 0 <= goods <= min(money.paid, sum(one.kept_value for one in lots.values()))
    assert all(0 <= one.units <= lots[key].kept for key, one in part.lots.items())


@given(packs(), moneys(), packs(), moneys(), rules)
def test_what_is_told_in_two_periods_sums_up_to_what_holds_in_the_end(
    first: dict[str, Packs], before: Money, last: dict[str, Packs], after: Money, rule: Rule
) -> None:
    then, now = share_out(first, before, rule), share_out(last, after, rule)
    told = difference(now, then)
    assert told.received == whole(told)
    assert then.received + told.received == now.received
    for key in now.lots:
        assert then.lots.get(key, LotPart()) + told.lots.get(key, LotPart()) == now.lots[key]
    assert difference(now, now) == NOTHING


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=9))
def test_a_division_loses_nothing_and_nobody_is_a_dong_from_her_share(amount: int, weights: list[int]) -> None:
    if not sum(weights):
        with pytest.raises(ValueError, match="weights"):
            split(amount, weights)
        return
    parts = split(amount, weights)
    assert sum(parts) == amount
    assert all(
        abs(part * sum(weights) - amount * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )


def test_the_larger_remainder_has_the_odd_dong_and_of_equal_ones_the_first() -> None:
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(-100, [1, 1, 1]) == [-34, -33, -33]
    assert split(10, [5, 3, 3]) == [4, 3, 3]
    with pytest.raises(ValueError, match="weights"):
        split(10, [2, -1])


def test_per_cent_is_rounded_to_the_nearest_dong_on_both_sides_of_nothing() -> None:
    assert [of_bp(amount, 1000) for amount in (4, 5, 14, 15, -5, -14)] == [0, 1, 1, 2, -1, -1]


def test_an_order_of_two_households_pays_each_for_its_own_packs() -> None:
    lots = {"a": Packs(3, 3, 180_000, 180_000), "b": Packs(1, 1, 60_000, 60_000)}
    money = Money(paid=270_000, refunded=0, delivery_fee=30_000, carrier=22_000, by_card=False)
    part = share_out(lots, money, HOUSEHOLDS)
    assert part.lots["a"] == LotPart(3, 180_000, 18_000, 0, 6_000, 0)
    assert part.lots["b"] == LotPart(1, 60_000, 6_000, 0, 2_000, 0)
    assert (part.carrier, part.cooperative, part.held) == (22_000, 24_000, 0)
    theirs = share_out(lots, money, COOPERATIVE)
    assert [one.net for one in theirs.lots.values()] == [162_000, 54_000]
    assert theirs.cooperative == 24_000 + 8_000


def test_card_fees_go_to_the_provider_and_are_not_paid_for_transfers() -> None:
    lots = {"a": Packs(2, 2, 100_000, 100_000)}
    card = share_out(lots, Money(100_000, 0, 0, 0, True), HOUSEHOLDS)
    assert (card.provider, card.lots["a"].fee, card.lots["a"].net) == (3_400, 3_400, 86_600)
    assert share_out(lots, Money(100_000, 0, 0, 0, False), HOUSEHOLDS).provider == 0
    assert share_out(lots, Money(100_000, 0, 0, 0, True), COOPERATIVE).cooperative == 10_000 - 3_400


def test_money_for_packs_that_have_not_left_is_held_for_the_buyer() -> None:
    part = share_out({"a": Packs(1, 1, 60_000, 60_000)}, Money(210_000, 0, 30_000, 0, False), HOUSEHOLDS)
    assert part.held == 120_000
    assert share_out({}, Money(210_000, 0, 30_000, 0, False), HOUSEHOLDS).held == 210_000


def test_a_parcel_whose_money_has_not_come_is_nobodys_yet_and_costs_nothing_yet() -> None:
    part = share_out({"a": Packs(2, 2, 120_000, 120_000)}, Money(0, 0, 30_000, 25_000, False), HOUSEHOLDS)
    assert difference(part, NOTHING) == NOTHING


def test_a_refused_parcel_costs_its_fee_to_whoever_bears_costs() -> None:
    lots, money = {"a": Packs(2, 0, 120_000, 0)}, Money(0, 0, 30_000, 25_000, False)
    assert share_out(lots, money, HOUSEHOLDS).lots["a"].net == -25_000
    theirs = share_out(lots, money, COOPERATIVE)
    assert (theirs.households, theirs.cooperative, theirs.carrier) == (0, -25_000, 25_000)


def test_money_back_for_packs_that_came_back_undoes_the_sale() -> None:
    lots = {"a": Packs(2, 1, 120_000, 60_000)}
    before_refund = share_out(lots, Money(120_000, 0, 0, 0, False), HOUSEHOLDS)
    assert (before_refund.held, before_refund.lots["a"].net) == (60_000, 54_000)
    after = share_out(lots, Money(120_000, 60_000, 0, 0, False), HOUSEHOLDS)
    assert (after.held, after.lots["a"]) == (0, LotPart(1, 60_000, 6_000, 0, 0, 0))


def test_money_back_for_packs_that_stay_is_borne_as_agreed() -> None:
    lots, money = {"a": Packs(2, 2, 120_000, 120_000)}, Money(120_000, 20_000, 0, 0, False)
    theirs = share_out(lots, money, HOUSEHOLDS)
    assert theirs.lots["a"] == LotPart(2, 120_000, 10_000, 0, 0, 20_000)
    assert theirs.cooperative == 10_000
    ours = share_out(lots, money, COOPERATIVE)
    assert (ours.lots["a"].net, ours.cooperative) == (108_000, 12_000 - 20_000)


def test_a_line_is_worth_its_amount_however_its_packs_are_counted() -> None:
    assert line_values(180_000, [1, 1], [2, 1], 3) == [120_000, 60_000]
    # A bundle for 150.000: two packs at 60 and one at 120 weigh 240; the half of it is the dear one's.
    assert line_values(150_000, [60, 120], [2, 1], 240) == [75_000, 75_000]
    assert line_values(150_000, [60, 120], [1, 0], 240) == [37_500, 0]
    assert line_values(100, [1, 1, 1], [1, 1, 1], 3) == [34, 33, 33]
    assert line_values(100, [], [], 3) == []
