"""Where a period's money went, as a picture: one band of noodle that parts (batches/balance/drawing.py lays it out)."""

from collections.abc import Sequence
from typing import Protocol

from batches.balance.drawing import Band, Node, Picture, Stub, draw
from village.i18n import dong
from village.i18n import gettext as _

HOMES_MAX = 12
"""So many households are drawn each by itself; more of them stand in the list alone."""
ALL = "received"


class Sums(Protocol):
    """A period's money in đồng, running or closed. The parts add up to what was received."""

    @property
    def received(self) -> int: ...
    @property
    def households(self) -> int: ...
    @property
    def cooperative(self) -> int: ...
    @property
    def carrier(self) -> int: ...
    @property
    def provider(self) -> int: ...
    @property
    def held(self) -> int: ...


def parts(sums: Sums) -> list[tuple[str, str, int]]:
    """(name, words, đồng) of what the money became, without what is nothing; the households come last."""
    found = [
        ("cooperative", _("Hợp tác xã"), sums.cooperative), ("carrier", _("Bên giao hàng"), sums.carrier),
        ("provider", _("Phí thẻ"), sums.provider), ("held", _("Giữ hộ người mua"), sums.held),
        ("households", _("Các hộ"), sums.households),
    ]  # fmt: skip
    return [one for one in found if one[2]]


def flow(sums: Sums, homes: Sequence[tuple[str, int]]) -> Picture | None:
    """The picture; `homes` are the households with what each has of this period. None where it cannot be drawn:
    nothing came, or more was undone than came."""
    told = parts(sums)
    if not told or any(amount < 0 for _name, _words, amount in told):
        return None
    nodes = [Node(ALL, f"{_('Tiền về')} {dong(sums.received)}", strong=True)]
    nodes += [Node(name, f"{words} {dong(amount)}", name == "households") for name, words, amount in told]
    bands = [Band(ALL, name, amount, f"{words}: {dong(amount)}") for name, words, amount in told]
    drawn = [(name, net) for name, net in homes if net]
    whole = len(drawn) <= HOMES_MAX and all(net > 0 for _name, net in drawn)
    stubs = [Stub("households", net, f"{name} {dong(net)}", False, "arrow") for name, net in drawn] if whole else []
    return draw(nodes, bands, stubs)
