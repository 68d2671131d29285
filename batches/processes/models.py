"""What a process is made of: frozen values, as read from a process file.

Shares are integers in hundredths of a per cent (basis points: 18 % is 1800): no comparison needs floats.
"""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Text:
    """The same words in Vietnamese and English."""

    vi: str
    en: str

    def in_(self, language: str) -> str:
        """The words in `language`; Vietnamese unless it is English."""
        return self.en if language.startswith("en") else self.vi


@dataclass(frozen=True)
class Material:
    """Something a stage takes or gives. `unit`: grams or packs; `suffix` ends its batches' lot codes."""

    key: str
    name: Text
    unit: str
    picture: str
    suffix: str


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
class Stage:
    """One step: what it asks of the producer, what it tells the buyer, what it takes and gives.

    `yields` has the bounds for each input material. `usual_grams` is what a household records at once.
    `keeps_dry_matter` says that only water leaves.
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
        """The stages that take `material`; those that begin a story if it is None."""
        if material is None:
            return tuple(stage for stage in self.stages if stage.kind is Kind.COMMISSION)
        return tuple(stage for stage in self.stages if material in stage.inputs)
