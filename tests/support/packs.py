"""Hands for tests of single packs: labels with numbers of their own, and phones that scan them."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.village import Village
from trace.gs1.digital_link import DigitalLink
from trace.labels.models import LabelRun
from trace.lots.models import Batch
from trace.units.page import counter
from trace.units.services import issue
from village.db import db, write

PHONE = "Mozilla/5.0 (Linux; Android 13; SM-A145F) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"


def issued(village: Village, batch_id: str, count: int) -> list[str]:
    """New serial numbers for a packed lot, in a run of their own."""
    member = village.member("office").id
    with write() as session:
        run = LabelRun(batch_id=batch_id, member_id=member, what="unit", paper="test", form="pdf", count=count)
        session.add(run)
        session.flush()
        return issue(session, session.get_one(Batch, batch_id), count, run.id)


def address(batch: Batch, serial: str) -> str:
    """What the pack's label says, on our own host."""
    return DigitalLink(batch.gtin, batch.lot, serial).path


def scan(
    client: FlaskClient, path: str, network: str = "203.0.113.7", phone: str = PHONE, **headers: str
) -> TestResponse:
    """Open a label's address as a phone's camera does: from nowhere."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(
        path,
        headers={"User-Agent": phone, "Sec-Fetch-Site": "none", **more},
        environ_overrides={"REMOTE_ADDR": network},
    )


def written() -> None:
    """Have what was counted written down now."""
    db.session.rollback()
    counter().flush()
    db.session.rollback()
