"""How the money of one order is shared out. Pure, in whole đồng: nothing is lost on the way and nothing is made.

What came in for an order, less what went back, is made of

    the carriers' fees + the payment provider's fee + what is held for the buyer + the cooperative's part
    + each lot's part, which is its household's

and sums to the đồng, always: every division is by largest remainder. A lot has a part in an order for the packs that
the buyer keeps, at its line's price, as far as they are paid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Bearer = Literal["households", "cooperative"]
WHOLE = 10_000
"""Basis points."""


@dataclass(frozen=True)
class Rule:
    """What a cooperative's members agreed on."""

    share_bp: int
    """Of the goods' money, for the cooperative: basis points."""
    card_fee_bp: int
    """Of what was paid by card, for the card provider: basis points."""
    costs_by: Bearer
    """Who pays the provider, and has or bears the difference between buyers' delivery fees and the carriers'."""
    refunds_by: Bearer
    """Who bears money that went back while the buyer kept the packs."""


@dataclass(frozen=True)
class Packs:
    """What an order has of one lot."""

    sent: int
    """Packs that left."""
    kept: int
    """Of these, packs that did not come back."""
    sent_value: int
    """Đồng at the line's price."""
    kept_value: int


@dataclass(frozen=True)
class Money:
    """What is known of an order's money, in đồng."""

    paid: int
    refunded: int
    delivery_fee: int
    """What the buyer is asked for delivery."""
    carrier: int
    """What carriers ask of us."""
    by_card: bool


@dataclass(frozen=True)
class LotPart:
    """What one lot's household has from one order. Also a difference of two such, and a sum."""

    units: int = 0
    goods: int = 0
    """Đồng paid for the packs that the buyer keeps."""
    share: int = 0
    """Off that, for the cooperative."""
    fee: int = 0
    """Off that, for the card provider."""
    delivery: int = 0
    """Its part in the difference between what the buyer paid for delivery and what the carrier asks: also negative."""
    refund: int = 0
    """Off that, for money that went back."""

    @property
    def net(self) -> int:
        """What the household is owed for it."""
        return self.goods - self.share - self.fee + self.delivery - self.refund

    def __add__(self, other: "LotPart") -> "LotPart":
        return LotPart(*(a + b for a, b in zip(self.figures, other.figures, strict=True)))

    def __sub__(self, other: "LotPart") -> "LotPart":
        return LotPart(*(a - b for a, b in zip(self.figures, other.figures, strict=True)))

    @property
    def figures(self) -> tuple[int, int, int, int, int, int]:
        """All of it, in the order of its fields."""
        return self.units, self.goods, self.share, self.fee, self.delivery, self.refund


@dataclass(frozen=True)
class OrderPart:
    """Where the money of one order is. Also a difference of two such."""

    received: int
    """What came in, less what went back."""
    carrier: int
    provider: int
    held: int
    """The buyer's money: packs to be sent yet, or money to go back."""
    cooperative: int
    lots: Mapping[str, LotPart]

    @property
    def households(self) -> int:
        """What all its lots' households are owed."""
        return sum(part.net for part in self.lots.values())


NOTHING = OrderPart(0, 0, 0, 0, 0, {})


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` (also negative) in the proportion of `weights`, by largest remainder; of equal ones the earlier has it.

    Raises ValueError for weights that are negative or all nothing.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights are 0 or more, and not all 0")
    sign, left = (-1 if amount < 0 else 1), abs(amount)
    parts = [left * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: (-(left * weights[at] % whole), at))
    for at in by_remainder[: left - sum(parts)]:
        parts[at] += 1
    return [sign * part for part in parts]


def of_bp(amount: int, bp: int) -> int:
    """So many basis points of an amount, to the nearest đồng; of -x it is minus that of x."""
    found = (abs(amount) * bp + WHOLE // 2) // WHOLE
    return -found if amount < 0 else found


def share_out(packs: Mapping[str, Packs], money: Money, rule: Rule) -> OrderPart:
    """The parts of one order, `packs` by lot. Those of a lot that nothing left of are not there."""
    lots = sorted(key for key, one in packs.items() if one.sent)
    kept = [packs[key].kept_value for key in lots]
    sent = [packs[key].sent_value for key in lots]
    # The buyer owes what she keeps, and the delivery once anything went. As far as it is paid it is earned: the
    # delivery first, since that was spent. What went back beyond what she does not keep went back from that.
    fee = money.delivery_fee if lots else 0
    net = money.paid - money.refunded
    earned = min(sum(kept) + fee, money.paid)
    back = max(0, earned - net)
    fee = min(fee, earned)
    goods = _over(earned - fee, kept)
    # A parcel whose money is still on its way costs nothing yet: its fee comes with the money, or with the parcel.
    carrier = money.carrier if money.paid or not any(kept) else 0
    provider = of_bp(money.paid, rule.card_fee_bp) if money.by_card else 0
    refunds = _over(back if rule.refunds_by == "households" else 0, goods if any(goods) else sent)
    own_costs = rule.costs_by == "households"
    fees = _over(provider if own_costs else 0, sent)
    delivery = _over(fee - carrier if own_costs else 0, sent)
    shares = [of_bp(got - lost, rule.share_bp) for got, lost in zip(goods, refunds, strict=True)]
    parts = {
        key: LotPart(_paid_packs(packs[key], goods[at]), goods[at], shares[at], fees[at], delivery[at], refunds[at])
        for at, key in enumerate(lots)
    }
    cooperative = sum(shares) - (back - sum(refunds)) - (provider - sum(fees)) + (fee - carrier - sum(delivery))
    return OrderPart(net, carrier, provider, max(0, net - earned), cooperative, parts)


def _paid_packs(packs: Packs, goods: int) -> int:
    return packs.kept * goods // packs.kept_value if packs.kept_value else 0


def _over(amount: int, weights: Sequence[int]) -> list[int]:
    """As `split`; nobody gets anything where nobody has a weight."""
    return split(amount, weights) if any(weights) else [0] * len(weights)


def line_values(amount: int, weights: Sequence[int], packs: Sequence[int], whole: int) -> list[int]:
    """What so many packs of each lot are worth within a line of `amount` đồng.

    A pack weighs `weights`, all the same in a line of one product; `whole` is what all packs of the line weigh.
    """
    heavy = [weight * count for weight, count in zip(weights, packs, strict=True)]
    return split(amount, [*heavy, max(0, whole - sum(heavy))])[:-1] if whole else [0] * len(packs)


def difference(now: OrderPart, before: OrderPart) -> OrderPart:
    """What was not told before. What sums up is told again with the other sign where it is no longer true."""
    empty = LotPart()
    lots = {
        key: part
        for key in sorted(now.lots.keys() | before.lots.keys())
        if any((part := now.lots.get(key, empty) - before.lots.get(key, empty)).figures)
    }
    return OrderPart(
        now.received - before.received, now.carrier - before.carrier, now.provider - before.provider,
        now.held - before.held, now.cooperative - before.cooperative, lots,
    )  # fmt: skip
