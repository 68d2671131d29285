"""What a process is made of: frozen values, as read from a process file.

Shares are integers in hundredths of a per cent (basis points: 18 % is 1800): no comparison needs floats.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

WHOLE = 10_000
"""100 % in basis points."""


class Kind(StrEnum):
    """What a stage does with batches."""

    COMMISSION = "commission"
    TRANSFORM = "transform"
    OBSERVE = "observe"
    INSPECT = "inspect"
    PACK = "pack"
    DISPATCH = "dispatch"
    BUY = "buy"
    """Something comes from outside of the village."""
    SPLIT = "split"
    """One batch becomes several of the same material."""
    MERGE = "merge"
    """Several batches of one material become one."""
    LOSE = "lose"
    """Some of a batch is gone: spilt, spoilt, eaten."""
    CASE = "case"
    """Packs go into a case with a number of its own (SSCC)."""
    UNCASE = "uncase"
    """A case is opened; its packs are single ones again."""


RARE = frozenset((Kind.BUY, Kind.SPLIT, Kind.MERGE, Kind.LOSE, Kind.CASE, Kind.UNCASE))
"""Acts beside the usual way: nobody needs them to get from the field to a pack."""


@dataclass(frozen=True)
class Text:
    """The same words in Vietnamese and English."""

    vi: str
    en: str
    others: Mapping[str, str] = field(default_factory=dict)
    """The same in the village's other languages, by BCP 47 tag (`blt` Tai Dam, `hmn` Hmong), where somebody gave it."""

    def in_(self, language: str) -> str:
        """The words in `language`; Vietnamese unless it is English."""
        return self.en if language.startswith("en") else self.vi


@dataclass(frozen=True)
class Material:
    """Something a stage takes or gives. `unit`: grams or packs; `suffix` ends its batches' lot codes. What `keeps` may
    lie for months; anything else that lies is waiting for somebody."""

    key: str
    name: Text
    unit: str
    picture: str
    suffix: str
    keeps: bool = False


@dataclass(frozen=True)
class Bounds:
    """How much comes out per amount that went in, in basis points.

    Outside the usual range is doubtful, outside the hard one impossible. `hard_min` None: any loss may be.
    """

    usual_min: int
    usual_max: int
    hard_max: int
    hard_min: int | None = None


@dataclass(frozen=True)
class Overall:
    """Bounds of a material's weight relative to an ancestor's, however many stages lie between."""

    material: str
    origin: str
    bounds: Bounds


@dataclass(frozen=True)
class ReadingNeed:
    """A measurement to take. Outside `low`–`high`: impossible; outside `usual` or above `limit`: doubtful."""

    type: str
    unit: str
    name: Text
    low: Decimal
    high: Decimal
    usual: tuple[Decimal, Decimal] | None = None
    limit: Decimal | None = None
    required: bool = False


@dataclass(frozen=True)
class Byproduct:
    """What comes out beside the output, such as the residue of settling: its bounds are per amount that went in."""

    material: str
    bounds: Bounds


@dataclass(frozen=True)
class Reason:
    """Why something was lost."""

    key: str
    name: Text
    picture: str


@dataclass(frozen=True)
class Stage:
    """One step: what it asks of the producer, what it tells the buyer, what it takes and gives.

    A split or a merge gives the material that it takes: its `output` is None, as for a stage that gives nothing.
    `yields` has the bounds for each input material. `usual_grams` is what a household records at once.
    `keeps_dry_matter` says that only water leaves. `per_hectare`, of a harvest: grams from a hectare in a season,
    usually at most and at the very most.
    """

    key: str
    kind: Kind
    name: Text
    ask: Text
    story: Text
    picture: str
    inputs: tuple[str, ...]
    output: str | None
    biz_step: str
    disposition: str | None
    yields: dict[str, Bounds]
    readings: tuple[ReadingNeed, ...] = ()
    usual_grams: tuple[int, int] | None = None
    keeps_dry_matter: bool = False
    optional: bool = False
    byproducts: tuple[Byproduct, ...] = ()
    reasons: tuple[Reason, ...] = ()
    """For a stage of kind lose."""
    per_hectare: tuple[int, int] | None = None

    @property
    def rare(self) -> bool:
        """True for an act beside the usual way."""
        return self.kind in RARE

    @property
    def gives(self) -> tuple[str, ...]:
        """The materials that it gives: its output and its by-products. A split or a merge gives what it takes."""
        return (*((self.output,) if self.output else ()), *(one.material for one in self.byproducts))

    def reading(self, type_: str) -> ReadingNeed | None:
        """The need for readings of this type, if the stage asks for one."""
        return next((need for need in self.readings if need.type == type_), None)


@dataclass(frozen=True)
class Process:
    """How one kind of product is made. `version` grows with every change to its file."""

    key: str
    version: int
    name: Text
    shelf_life_months: int
    materials: tuple[Material, ...]
    stages: tuple[Stage, ...]
    overall: tuple[Overall, ...]
    max_pack_loss: int
    usual_a_day: int | None = None
    """Grams of the packed goods that a household makes in a day at most, usually."""

    def stage(self, key: str) -> Stage:
        """The stage called `key`. Raises `KeyError`."""
        for stage in self.stages:
            if stage.key == key:
                return stage
        raise KeyError(f"The process {self.key} has no stage {key!r}.")

    def material(self, key: str) -> Material:
        """The material called `key`. Raises `KeyError`."""
        for material in self.materials:
            if material.key == key:
                return material
        raise KeyError(f"The process {self.key} has no material {key!r}.")

    def next_stages(self, material: str | None) -> tuple[Stage, ...]:
        """The stages of the usual way that take `material`; those that begin a story if it is None."""
        return tuple(stage for stage in self._takers(material, Kind.COMMISSION) if not stage.rare)

    def rarer(self, material: str | None) -> tuple[Stage, ...]:
        """The acts beside the usual way that take `material`; the purchases if it is None."""
        return tuple(stage for stage in self._takers(material, Kind.BUY) if stage.rare)

    def way(self) -> tuple[Material, ...]:
        """The materials from the field to the pack, without those that only fall off on the way."""
        outputs = {stage.output for stage in self.stages}
        return tuple(material for material in self.materials if material.key in outputs)

    def _takers(self, material: str | None, beginning: Kind) -> tuple[Stage, ...]:
        if material is None:
            return tuple(stage for stage in self.stages if stage.kind is beginning)
        return tuple(stage for stage in self.stages if material in stage.inputs)
