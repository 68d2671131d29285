"""A season of buyers and of people who copy labels, invented: who scans which pack on which day, from which network.

No figure here was measured. They are guesses on the side that makes copies hard to tell: buyers scan seldom, again and
again, give packs away, carry them home at Tết, gather around them, and pass links on; a mobile network's addresses
change, and are often placed in the wrong city.
"""

import datetime as dt
import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from trace.units import hands, rules
from trace.units.rules import Found, Life, LotLife, Rules, Seen

BEGIN = dt.date(2026, 11, 20)
TET = dt.date(2027, 2, 6)
SALES = (TET - BEGIN).days - 5
SCANS = 0.2
"""Buyers who scan at all."""
PROVINCES = {"01": 38, "12": 10, "31": 7, "15": 6, "25": 6, "24": 6, "33": 5, "38": 4, "40": 4, "79": 8, "48": 3,
             "92": 1, "68": 1, "75": 1}  # fmt: skip
GATEWAYS = {"79": "79", "75": "79", "92": "79", "68": "79", "48": "48"}
"""Where a mobile network's addresses are believed to be; Hà Nội for all others."""


@dataclass(frozen=True)
class Visit:
    """One scan, as the server sees it."""

    day: dt.date
    place: str
    network: str
    phone: str


@dataclass(frozen=True)
class Home:
    """A household: its province, its own network, its phones."""

    province: str
    wifi: str
    phones: tuple[str, ...]


@dataclass
class World:
    """Chance, and whether the village's proxy names provinces (else one reader in twelve taps hers)."""

    chance: random.Random
    named: bool = True
    keys: dict[dt.date, bytes] = field(default_factory=dict)

    def home(self, province: str = "") -> Home:
        """A new household."""
        chance = self.chance
        province = province or chance.choices(list(PROVINCES), list(PROVINCES.values()))[0]
        phones = tuple(f"phone {chance.randrange(60)}" for _ in range(chance.choice((1, 2, 2, 3, 4))))
        return Home(province, f"wifi {chance.getrandbits(40)}", phones)

    def visit(self, home: Home, day: dt.date, at_home: float = 0.65, phone: str = "") -> Visit:
        """Somebody of a household scans; on its own network, or on a mobile one."""
        chance = self.chance
        phone = phone or chance.choice(home.phones)
        if chance.random() < at_home:
            # A provider gives a household another address every few days.
            network, believed = f"{home.wifi} {day.toordinal() // 5}", home.province
            knows = 0.9
        else:
            network, knows = f"mobile {chance.randrange(400)}", 0.85
            believed = home.province if chance.random() < 0.6 else GATEWAYS.get(home.province, "01")
        if not self.named:
            knows, believed = 0.08, home.province
        return Visit(day, believed if chance.random() < knows else "", network, phone)

    def sale(self) -> dt.date:
        """A day on which a pack is sold: more and more until Tết."""
        return BEGIN + dt.timedelta(days=int(SALES * self.chance.random() ** 0.6))

    def pack(self, sold: dt.date | None = None, province: str = "") -> list[Visit]:
        """All scans of one pack that was sold to one household."""
        return sorted(self._pack(sold or self.sale(), self.home(province)), key=lambda one: one.day)

    def _pack(self, sold: dt.date, home: Home) -> Iterator[Visit]:
        chance = self.chance
        before_tet = 0 <= (TET - sold).days <= 25
        if chance.random() < 0.04:  # strangers before the shelf
            for _one in range(chance.randint(1, 3)):
                yield self.visit(self.home(home.province), sold - dt.timedelta(days=chance.randint(0, 10)), 0.0)
        if chance.random() < SCANS:
            opened = sold + dt.timedelta(days=int(chance.expovariate(1 / 8)))
            for _one in range(1 + min(int(chance.expovariate(0.9)), 8)):
                yield self.visit(home, opened)
                opened += dt.timedelta(days=chance.choice((0, 0, 0, 1, 3, 7, 14)))
            if chance.random() < 0.04:  # found again at the back of the cupboard
                yield self.visit(home, opened + dt.timedelta(days=chance.randint(60, 150)))
        if chance.random() < (0.3 if before_tet else 0.08):  # given away
            other = self.home("" if chance.random() < 0.5 else home.province)
            if chance.random() < SCANS:
                for _one in range(chance.randint(1, 3)):
                    yield self.visit(other, sold + dt.timedelta(days=chance.randint(1, 20)))
        if before_tet and chance.random() < 0.2 and chance.random() < 0.1:  # carried home, and passed around the table
            party = self.home()
            day = TET + dt.timedelta(days=chance.randint(-2, 5))
            for guest in range(chance.randint(2, 9)):
                yield self.visit(party, day, 0.7, f"guest {guest}")
        if chance.random() < 0.005:
            yield from self._passed_on(sold, chance.randint(2, 12))
        if chance.random() < 0.0002:
            yield from self._passed_on(sold, chance.randint(50, 300))

    def _passed_on(self, sold: dt.date, readers: int) -> Iterator[Visit]:
        """A link in a chat or on a page. Half of the readers' browsers say where they come from: not counted."""
        for _reader in range(readers):
            if self.chance.random() < 0.5:
                day = sold + dt.timedelta(days=1 + int(self.chance.expovariate(0.7)))
                yield self.visit(self.home(), day, 0.4)

    def key(self, day: dt.date) -> bytes:
        """That day's secret."""
        return self.keys.setdefault(day, hashlib.sha256(f"{day}".encode()).digest())


def seen(world: World, name: str, visits: Sequence[Visit]) -> list[Seen]:
    """What the server keeps of these scans of one serial number: days, places and marks."""
    kept: dict[tuple[dt.date, str], tuple[int, int, int]] = {}
    for one in visits:
        key = world.key(one.day)
        scans, held, networks = kept.get((one.day, one.place), (0, 0, 0))
        kept[one.day, one.place] = (
            scans + 1,
            held | hands.mark(key, name, f"hand\n{one.network}\n{one.phone}"),
            networks | hands.mark(key, name, f"network\n{one.network}"),
        )
    return [Seen(day, place, *counted) for (day, place), counted in sorted(kept.items())]


def first_sign(days: Sequence[Seen], told: Rules, voided: dt.date | None = None) -> tuple[dt.date, list[Found]] | None:
    """The day on which the first rule holds, asked on every day with a scan as the server does; None for never."""
    for day in sorted({one.day for one in days}):
        found = rules.signs_of_unit(Life([one for one in days if one.day <= day], voided), told, day)
        if found:
            return day, found
    return None


def lot_sign(packs: Sequence[Sequence[Seen]], told: Rules) -> tuple[dt.date, list[Found]] | None:
    """The day on which a rule over a whole lot's packs first holds, asked when one more pack lives again."""
    first = sorted(min(one.day for one in days) for days in packs if days)
    turned = sorted(day for days in packs if (day := _again_on(days, told)) is not None)
    for number, day in enumerate(turned, start=1):
        scanned = sum(1 for one in first if one <= day)
        found = rules.signs_of_lot(LotLife((), scanned, number), told, day)
        if found:
            return day, found
    return None


def unknown_sign(visits: Sequence[Visit], told: Rules) -> tuple[dt.date, list[Found]] | None:
    """The same for scans of numbers that were never issued."""
    by_day: dict[dt.date, int] = {}
    for one in visits:
        by_day[one.day] = by_day.get(one.day, 0) + 1
        days = [(day, count, 0, 0) for day, count in by_day.items()]
        found = rules.signs_of_lot(LotLife(days), told, one.day)
        if found:
            return one.day, found
    return None


def _again_on(days: Sequence[Seen], told: Rules) -> dt.date | None:
    for day in sorted({one.day for one in days}):
        if rules.again([one for one in days if one.day <= day], told):
            return day
    return None
