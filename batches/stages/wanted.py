"""What a producer asks to have recorded: frozen values, the same from the API, a page or the command line."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Take:
    """So much of a batch goes in. Packs are taken by `units`; observing takes nothing."""

    batch: str
    grams: int | None = None
    units: int | None = None


@dataclass(frozen=True)
class Make:
    """So much of a product came out, as one new batch. `lot` None: the village gives the code."""

    product: str
    grams: int | None = None
    units: int | None = None
    lot: str | None = None


@dataclass(frozen=True)
class Measure:
    """One reading, with its UN/CEFACT unit code."""

    type: str
    value: Decimal
    unit: str


@dataclass(frozen=True)
class Wanted:
    """One stage to record. `occurred_at` is aware, with the offset of the phone that sent it."""

    id: str
    process: str
    stage: str
    occurred_at: dt.datetime
    site: str
    inputs: tuple[Take, ...] = ()
    outputs: tuple[Make, ...] = ()
    readings: tuple[Measure, ...] = ()
    photos: tuple[str, ...] = ()
    note: str = ""
    passed: bool | None = None
    household: str | None = None
    """For the office, which writes for several households; a producer writes for her own."""
