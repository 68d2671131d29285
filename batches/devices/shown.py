"""Phones' keys as pages and programs are shown them."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from batches.devices.models import Device, DeviceUse, Status
from batches.devices.numbers import NONE, Numbers, numbers_of
from batches.devices.services import waiting
from batches.devices.signing import last_repeat
from trace.ledger.fingerprint import fingerprint
from village.db import db
from village.people.models import Member


@dataclass(frozen=True)
class Shown:
    """A key with its numbers."""

    device: Device
    numbers: Numbers

    @property
    def state(self) -> str:
        """The key's status, or `expired` for a request that waited too long."""
        old = self.device.status is Status.PENDING and not waiting(self.device)
        return "expired" if old else self.device.status.value

    @property
    def fingerprint(self) -> str:
        """What the phone shows as well."""
        return fingerprint(self.device.key)

    @property
    def repeat(self) -> tuple[int, dt.datetime] | None:
        """The number that came again last, and when."""
        return last_repeat(self.device)


def shown(devices: Sequence[Device]) -> list[Shown]:
    """The same keys, each with its numbers."""
    numbers = numbers_of([device.key for device in devices if device.enrolled_entry is not None])
    return [Shown(device, numbers.get(device.key, NONE)) for device in devices]


def signers_of(entries: Collection[int]) -> dict[int, str]:
    """Whose phone signed each of these entries, by name; what the custodian signed is not among them."""
    rows = db.session.execute(
        select(DeviceUse.entry_index, Member.name)
        .join(Device, Device.key == DeviceUse.key)
        .join(Member, Member.id == Device.member_id)
        .where(DeviceUse.entry_index.in_(entries))
    )
    return {index: name for index, name in rows}
