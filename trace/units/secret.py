"""The key of a day's marks: made of the village's secret and of a salt in the database that goes with the day.

With the salt gone, nobody can make the day's marks again, not even with the village's secret and a list of all
networks; a copy of the database alone, taken within the day, lacks the village's secret.
"""

import datetime as dt
import hmac
import secrets

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from trace.units.models import ScanSalt
from village.db import db, write

BYTES = 32


def key_of(day: dt.date, secret: str) -> bytes:
    """The key of this day, the same in all processes; the first of them that asks makes it, and ends the day before's.

    Outside of any transaction.
    """
    salt = db.session.scalar(select(ScanSalt.salt).where(ScanSalt.day == day))
    if salt is None:
        with write() as session:
            forget(session, day)
            insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
            row = insert(ScanSalt).values(day=day, salt=secrets.token_bytes(BYTES))
            session.execute(row.on_conflict_do_nothing(index_elements=[ScanSalt.day]))
            salt = session.scalars(select(ScanSalt.salt).where(ScanSalt.day == day)).one()
    return hmac.digest(secret.encode(), b"soi scan marks\n" + day.isoformat().encode() + b"\n" + salt, "sha256")


def forget(session: Session, today: dt.date) -> None:
    """Throw the salts of days before `today` away. SQLite overwrites them at once (see village/db.py); PostgreSQL's
    vacuum does."""
    session.execute(delete(ScanSalt).where(ScanSalt.day < today))
