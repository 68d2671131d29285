"""A household's season in a few figures, and how much its goods could at most have become. Pure, in integers."""

from dataclasses import dataclass

from batches.balance.flows import End, Network, material, stage
from batches.processes.models import WHOLE, Kind, Process


@dataclass(frozen=True)
class Way:
    """What a process begins with and what it makes before packing: tubers and noodles."""

    raw: str
    goods: str


def way_of(process: Process) -> Way:
    """The way from what is harvested to what is packed. Raises `ValueError` for a process without."""
    raw = next((one.output for one in process.stages if one.kind is Kind.COMMISSION and one.output), None)
    goods = next((one.inputs[0] for one in process.stages if one.kind is Kind.PACK and one.inputs), None)
    if raw is None or goods is None:
        raise ValueError(f"The process {process.key} harvests or packs nothing.")
    return Way(raw, goods)


@dataclass(frozen=True)
class Figures:
    """Grams of one process in a span. `goods` is what is packed, such as noodles."""

    harvested: int
    bought: int
    received: int
    made: int
    packed: int
    sold: int
    given: int
    lost: int
    left_raw: int
    left_between: int
    left_goods: int
    """What is made and not packed, and what is packed and not sent."""
    raw_behind: int = 0
    goods_behind: int = 0
    """Goods of this span whose raw weight is known, and that weight: what the yield is reckoned from."""

    @property
    def share(self) -> int | None:
        """Goods per raw weight, in basis points; None while nothing was made from a known weight."""
        return self.goods_behind * WHOLE // self.raw_behind if self.raw_behind else None

    @property
    def empty(self) -> bool:
        """True when nothing came in, was made, or is there."""
        return not any(
            (self.harvested, self.bought, self.received, self.made, self.packed, self.sold, self.lost,
             self.left_raw, self.left_between, self.left_goods)
        )  # fmt: skip


def figures(process: Process, whole: Network, behind: tuple[int, int] = (0, 0)) -> Figures:
    """The figures of a span. `behind`: goods of a known raw weight that were made in it, and that weight."""
    way = way_of(process)
    packs = {one.output for one in process.stages if one.kind is Kind.PACK}
    packing = [one.key for one in process.stages if one.kind is Kind.PACK]
    left = {key: whole.between(material(key), End.LEFT) for key in whole.knots("material")}
    goods = sum(grams for key, grams in left.items() if key == way.goods or key in packs)
    makers = [key for key in whole.knots("stage") if key not in packing]
    return Figures(
        harvested=whole.between(source=End.HARVEST),
        bought=whole.between(source=End.OUTSIDE),
        received=whole.between(source=End.RECEIVED),
        made=sum(whole.between(stage(key), material(way.goods)) for key in makers),
        packed=sum(whole.between(source=stage(key)) - whole.between(stage(key), End.UNCLEAR) for key in packing),
        sold=whole.between(target=End.SOLD),
        given=whole.between(target=End.GIVEN),
        lost=whole.between(target=End.LOST),
        left_raw=left.get(way.raw, 0),
        left_between=sum(left.values()) - left.get(way.raw, 0) - goods,
        left_goods=goods,
        goods_behind=behind[0],
        raw_behind=behind[1],
    )


def most(process: Process, key: str) -> int:
    """How much of the packed goods a weight of this material can become at most, in basis points.

    The process's own bound where it has one; else the strictest of all ways there, since water that one way adds
    leaves again before the end. Nothing for what leads nowhere, such as a by-product.
    """
    return _most(process, key, way_of(process).goods)


def _most(process: Process, key: str, goods: str) -> int:
    if key == goods:
        return WHOLE
    own = [rule.bounds.hard_max for rule in process.overall if (rule.material, rule.origin) == (goods, key)]
    if own:
        return min(own)
    found = [
        one.yields[key].hard_max * onward // WHOLE
        for one in process.stages
        if one.kind is Kind.TRANSFORM and key in one.inputs and key in one.yields and one.output not in (None, key)
        for onward in [_most(process, one.output or "", goods)]
        if onward
    ]
    return min(found, default=0)


@dataclass(frozen=True)
class Possible:
    """Goods that were made in a span, and the most that all there was could have given."""

    made: int
    most: int

    @property
    def holds(self) -> bool:
        return self.made <= self.most


def possible(process: Process, whole: Network) -> Possible:
    """The hard bound of a season: could all that came in, and was there before, have become what was made?

    Raw material that is still there, was lost or went to somebody else cannot have become anything.
    """
    way = way_of(process)
    arrivals = (End.HARVEST, End.OUTSIDE, End.BEFORE, End.RECEIVED)
    most_grams = made = 0
    for key in whole.knots("material"):
        came = sum(whole.between(source, material(key)) for source in arrivals)
        if key == way.goods:
            # Goods that came as such were not made here.
            continue
        if key == way.raw:
            idle = (End.LEFT, End.LOST, End.SOLD, End.GIVEN)
            came = max(came - sum(whole.between(material(key), away) for away in idle), 0)
        most_grams += came * most(process, key)
    packing = {one.key for one in process.stages if one.kind is Kind.PACK}
    made = sum(whole.between(stage(key), material(way.goods)) for key in whole.knots("stage") if key not in packing)
    return Possible(made, most_grams // WHOLE)
