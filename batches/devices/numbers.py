"""The numbers that phones gave their signatures: how far they came, and which of them never arrived."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from batches.devices.models import DeviceUse
from village.db import db

SHOWN = 6
"""Gaps that are told one by one; of more it is only said how many numbers are missing."""


@dataclass(frozen=True)
class Numbers:
    """A phone's signatures as the ledger has them."""

    last: int = 0
    """The highest number; 0 before the first."""
    used: int = 0
    gaps: tuple[tuple[int, int], ...] = ()
    """The first few stretches of missing numbers, first and last of each."""

    @property
    def missing(self) -> int:
        """How many numbers below the highest have not come."""
        return self.last - self.used

    @property
    def untold(self) -> int:
        """How many missing numbers `gaps` does not name."""
        return self.missing - sum(last - first + 1 for first, last in self.gaps)


NONE = Numbers()


def numbers_of(keys: Collection[str]) -> dict[str, Numbers]:
    """The numbers of each of these keys that has signed anything."""
    if not keys:
        return {}
    counted = db.session.execute(
        select(DeviceUse.key, func.max(DeviceUse.seq), func.count())
        .where(DeviceUse.key.in_(keys))
        .group_by(DeviceUse.key)
    ).all()
    gaps = _gaps([key for key, last, used in counted if last != used])
    return {key: Numbers(last, used, tuple(gaps.get(key, ()))) for key, last, used in counted}


def _gaps(keys: Collection[str]) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    if not keys:
        return found
    before = func.coalesce(func.lag(DeviceUse.seq).over(partition_by=DeviceUse.key, order_by=DeviceUse.seq), 0)
    steps = select(DeviceUse.key, DeviceUse.seq, before.label("before")).where(DeviceUse.key.in_(keys)).subquery()
    place = func.row_number().over(partition_by=steps.c.key, order_by=steps.c.seq)
    jumps = (
        select(steps.c.key, steps.c.before, steps.c.seq, place.label("place"))
        .where(steps.c.seq - steps.c.before > 1)
        .subquery()
    )
    rows = select(jumps.c.key, jumps.c.before, jumps.c.seq).where(jumps.c.place <= SHOWN)
    for key, last, following in db.session.execute(rows.order_by(jumps.c.key, jumps.c.seq)):
        found.setdefault(key, []).append((last + 1, following - 1))
    return found
