"""What we ask of a carrier, whoever it is. Imports no framework."""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from shop.delivery.states import DeliveryState, Report


@dataclass(frozen=True)
class Item:
    """Packs of one kind in a parcel."""

    name: str
    units: int
    grams: int
    """Of one pack."""


@dataclass(frozen=True)
class Wanted:
    """A parcel that a carrier shall bring."""

    client_code: str
    """Ours: asked twice with the same code, the carrier makes one parcel."""
    name: str
    phone: str
    """As people dial it, `0912345678`."""
    address: str
    ward: str
    province: str
    grams: int
    cod_amount: int
    """Đồng to be collected at the door."""
    worth: int
    """Đồng, should it be lost."""
    items: tuple[Item, ...]
    note: str = ""


@dataclass(frozen=True)
class Made:
    """A parcel that the carrier knows."""

    tracking: str | None
    """Its number; None when it gives none."""
    fee: int
    """Đồng that it asks of us."""


@dataclass(frozen=True)
class Tracked:
    """What the carrier says of a parcel when asked."""

    client_code: str
    state: DeliveryState | None
    """None for a word that moves nothing."""
    story: tuple[Report, ...]
    cod_amount: int
    cod_sent_at: dt.datetime | None
    """When it sent the collected money on; None while it has not."""


class Carrier(Protocol):
    """One carrier. All raise CarrierSilent when nothing certain came back, and CarrierRefused when it said no."""

    def quote(self, wanted: Wanted) -> int:
        """Đồng that it would ask of us."""

    def create(self, wanted: Wanted) -> Made:
        """Have it made; again with the same client code, the same parcel."""

    def known(self, client_code: str) -> Made | None:
        """The parcel of that client code, if there is one that was not called off."""

    def track(self, tracking: str) -> Tracked:
        """Where it is."""

    def cancel(self, tracking: str) -> None:
        """Call it off, before it was fetched."""

    def label(self, tracking: str) -> str:
        """The address of its own label, to print."""


class Hand:
    """The seller's own hands: they give no numbers, ask no fee, and tell at the seller's desk how it went."""

    def quote(self, wanted: Wanted) -> int:
        """Nothing."""
        return 0

    def create(self, wanted: Wanted) -> Made:
        """It is made as soon as it is packed."""
        return Made(None, 0)

    def known(self, client_code: str) -> Made | None:
        """They remember nothing."""
        return None

    def track(self, tracking: str) -> Tracked:
        """They tell nothing by themselves."""
        return Tracked("", None, (), 0, None)

    def cancel(self, tracking: str) -> None:
        """It stays at home."""

    def label(self, tracking: str) -> str:
        """Our own slip is all the label there is."""
        return ""
