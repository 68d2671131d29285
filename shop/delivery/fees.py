"""What bringing a cart to its buyer costs: the cooperative's own table, known at once. Imports no framework.

The buyer pays what the table says; what the carrier asks of us is known when the parcel is made up
(`Shipment.fee`), and the difference is the cooperative's. So nobody waits at checkout for somebody else's computer.
"""

from dataclasses import dataclass

from shop.addresses.fold import folded

FIRST = 1000
"""Grams that the carrier's first price holds."""
STARTED = 500
"""Grams: what goes past the first kilogram is charged for each started half."""
MOST_GRAMS = 50_000
"""What the carrier takes as one parcel."""
KINDS = ("thanh pho ", "tinh ", "tp ", "phuong ", "xa ", "dac khu ")
"""What may stand before a place's own name."""


@dataclass(frozen=True)
class Fees:
    """A cooperative's table, in đồng. None: it does not deliver in that way."""

    ward: str = ""
    """Its own commune, to whose people `commune` is the price."""
    province: str = ""
    commune: int = 0
    near: int = 0
    """By its own hands within its province."""
    far: int | None = 0
    """By its own hands elsewhere: a coach, the post, as seller and buyer agree."""
    carrier_near: int | None = None
    """The carrier within the province, the first kilogram."""
    carrier_far: int | None = None
    carrier_more: int = 0
    """The carrier, each started half kilogram past the first."""


def same_place(one: str, other: str) -> bool:
    """True for two spellings of one name ("Xã Bình Lư", "binh lu"); an unknown place is like no other."""
    return bool(one.strip()) and _folded(one) == _folded(other)


def by_hand(fees: Fees, ward: str, province: str) -> int | None:
    """What delivery by the seller's own hands costs; None when they do not go there.

    A province that is not known yet counts as another one, so that nobody is asked for more afterwards.
    """
    if not same_place(fees.province, province):
        return fees.far
    return fees.commune if same_place(fees.ward, ward) else fees.near


def by_carrier(fees: Fees, province: str, grams: int) -> int | None:
    """What delivery by the carrier costs; None when it does not take it."""
    first = fees.carrier_near if same_place(fees.province, province) else fees.carrier_far
    if first is None or grams > MOST_GRAMS:
        return None
    return first + fees.carrier_more * -(-max(grams - FIRST, 0) // STARTED)


def _folded(name: str) -> str:
    text = folded(name)
    for kind in KINDS:
        if text.startswith(kind):
            return text.removeprefix(kind)
    return text
