"""What reaches the village from outside, and what it prepares for: a carrier's claims, and a drill of a recall."""

import datetime as dt
from typing import Any

from sqlalchemy import select

from shop.demo.season import Happens, actor, demo_id
from trace.capture.claims import name_partner
from trace.capture.services import capture_one
from trace.epcis.reading import read_event
from trace.epcis.vocabulary import CONTEXTS
from trace.lots.models import Batch
from trace.recalls import services as recalls
from village import clock
from village.db import db
from village.people.access import Actor

CARRIER = "Hãng chuyển hàng mẫu"
CARRIED, PACKS = "DEMO-M01-500", 4
"""The lot and the packs that the carrier tells of."""
DRILLED, DRILLED_DAY = "DEMO-M03-CU", 15
"""The lot with which the office practised, and how many days ago."""
ON_THE_WAY = ((23.5, "departing", "in_transit"), (22.2, "arriving", "in_progress"))
"""Days before today, and words of GS1's CBV for what the carrier did then."""


def timeline(today: dt.datetime) -> list[Happens]:
    """Each of it with its moment; told twice, it is there once."""
    partner, office = actor("partner"), actor("office")
    claimed = [
        (when, lambda when=when, step=step, state=state: _claim(office, partner, when, step, state))
        for days, step, state in ON_THE_WAY
        for when in [today - dt.timedelta(days=days)]
    ]
    return [*claimed, (today - dt.timedelta(days=DRILLED_DAY), lambda: _drill(office))]


def _claim(office: Actor, partner: Actor, when: dt.datetime, step: str, state: str) -> None:
    name_partner(office, partner.id, CARRIER)
    capture_one(partner, read_event(_event(_lot(CARRIED).epc, when, step, state)))


def _event(epc: str, when: dt.datetime, step: str, state: str) -> dict[str, Any]:
    return {
        "@context": [sorted(CONTEXTS)[0]],
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{demo_id(f'carrier-{step}')}",
        "eventTime": when.astimezone(clock.VN).isoformat(timespec="seconds"),
        "eventTimeZoneOffset": "+07:00",
        "action": "OBSERVE",
        "bizStep": step,
        "disposition": state,
        "quantityList": [{"epcClass": epc, "quantity": PACKS}],
    }


def _drill(office: Actor) -> None:
    reason = "Diễn tập: coi như củ của nương này có vấn đề"
    recalls.start(office, [_lot(DRILLED).id], reason, drill=True, idempotency_key=demo_id("drill"))


def _lot(code: str) -> Batch:
    return db.session.scalars(select(Batch).where(Batch.lot == code)).one()
