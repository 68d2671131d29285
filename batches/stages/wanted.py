"""What a producer asks to have recorded: frozen values, the same from the API, a page or the command line."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

NOTE_LENGTH = 500
FACTS = ("origin", "reason", "sscc")
FACT_LENGTH = 80


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
class Signed:
    """What a phone signed of one event (docs/formats.md, "What a phone signs")."""

    key: str
    seq: int
    signature: str
    """Base64 of 64 bytes."""
    claim: Mapping[str, Any]
    salt: bytes | None = None
    """The phone's salt of the note's commitment."""
    as_built: bool = False
    """True for a form: the claim must then be, word for word, what the server makes of the form's fields."""

    @property
    def member(self) -> dict[str, Any]:
        """The entry's `device`."""
        return {"claim": dict(self.claim), "key": self.key, "seq": self.seq, "sig": self.signature}

    @property
    def salts(self) -> dict[str, bytes]:
        """Salts that the phone drew."""
        return {} if self.salt is None else {"note": self.salt}


@dataclass(frozen=True)
class Wanted:
    """One stage to record. `occurred_at` is aware, with the offset of the phone that sent it.

    Places, batches and products are named by our ids or as the public names them: GLN, canonical Digital Link, GTIN-14.
    """

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
    facts: Mapping[str, str] = field(default_factory=dict)
    """What this kind of stage says besides, in public: `origin` of a purchase, `reason` of a loss, `sscc` of a case."""
    value_dong: int | None = None
    """What it cost or brought in; neither signed nor on the ledger."""
    household: str | None = None
    """For the office, which writes for several households; a producer writes for her own."""
    device: Signed | None = None
    """The phone's signature; None: the cooperative's custodian signs."""
