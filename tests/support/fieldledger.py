"""What the village has of what phones sent, read afresh each time."""

from sqlalchemy import select

from batches.devices.models import DeviceUse
from batches.field.stuck import Stuck, stuck
from tests.support.phone import LOG
from tests.support.village import Village
from trace.events.models import Event
from trace.ledger.canonical import parse
from trace.ledger.keyring import Keyring, SignedBy
from trace.ledger.models import LedgerEntry
from village.db import db


def events() -> list[Event]:
    """All events, in the ledger's order."""
    db.session.rollback()
    return list(db.session.scalars(select(Event).order_by(Event.entry_index)))


def numbers(key: str) -> list[int]:
    """The numbers that a phone's key used."""
    db.session.rollback()
    return list(db.session.scalars(select(DeviceUse.seq).where(DeviceUse.key == key).order_by(DeviceUse.seq)))


def signed_by(key: str) -> list[str]:
    """The ids of the events that this phone's key signed, as a reader of the ledger alone finds them, sorted."""
    db.session.rollback()
    ring, found = Keyring(LOG), []
    for row in db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.index)):
        record = parse(row.body)
        if record["type"] == "key":
            ring.learn(row.index, record)
        elif record["type"] == "event":
            who = ring.check(row.index, record)
            if isinstance(who, SignedBy) and (who.role, who.key) == ("device", key):
                found.append(str(record["event"]["eventID"]).removeprefix("urn:uuid:"))
    return sorted(found)


def at_the_office(village: Village) -> list[Stuck]:
    """What the office sees stuck."""
    db.session.rollback()
    return stuck(village.actor("office"))
