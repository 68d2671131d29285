"""A carrier that captures events over `/epcis`."""

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import Any

from flask import Flask

from tests.conftest import Browser
from tests.support.village import Village
from trace.capture.models import Party
from village import clock
from village.db import db, write
from village.people.models import Member, MemberRole, Role

EVENT_CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"


def claimed(lot: str, *, minutes: int = 0) -> dict[str, Any]:
    """An event about four packs of a lot that were received, as it stands within a document."""
    when = clock.now() - dt.timedelta(days=1) + dt.timedelta(minutes=minutes)
    return {
        "type": "ObjectEvent",
        "eventTime": when.replace(microsecond=0, second=0).isoformat(),
        "eventTimeZoneOffset": "+07:00",
        "action": "OBSERVE",
        "bizStep": "receiving",
        "quantityList": [{"epcClass": lot, "quantity": 4}],
        "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1234"},
    }


@dataclass
class Partner:
    """One with its token; without one, nobody."""

    app: Flask
    token: str
    name: str
    member_id: str = ""

    def get(self, address: str, **headers: str) -> Any:
        """GET, of a whole address of ours as well."""
        return self._client().get(self._path(address), headers={**self._mine(), **headers})

    def post(self, address: str, body: Any, behaviour: str = "") -> Any:
        """POST JSON."""
        more = {"GS1-Capture-Error-Behaviour": behaviour} if behaviour else {}
        return self._client().post(address, json=body, headers={**self._mine(), **more})

    def send(self, address: str, body: bytes, content_type: str = "application/json") -> Any:
        """POST bytes."""
        return self._client().post(address, data=body, content_type=content_type, headers=self._mine())

    def delete(self, address: str) -> Any:
        """DELETE."""
        return self._client().delete(address, headers=self._mine())

    def next_page(self, answer: Any) -> Any:
        """The page that the answer's Link names; None after the last."""
        found = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        return self.get(found[1]) if found else None

    def event(self, lot: str, *, minutes: int = 0) -> dict[str, Any]:
        """As `claimed`, to stand alone."""
        return {"@context": [EVENT_CONTEXT], **claimed(lot, minutes=minutes)}

    def document(self, *events: dict[str, Any]) -> dict[str, Any]:
        """A document of events."""
        return {
            "@context": [EVENT_CONTEXT],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-11-20T00:00:00Z",
            "epcisBody": {"eventList": json.loads(json.dumps(events))},
        }

    def _client(self) -> Browser:
        return Browser(self.app, self.app.response_class)

    def _mine(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def _path(self, address: str) -> str:
        public_url: str = self.app.extensions["soi"].public_url
        return address.removeprefix(public_url)


def partner_of(app: Flask, village: Village, name: str = "Xe Tải Một") -> Partner:
    """A partner of the first cooperative; without a name, one whom the office has not named yet."""
    office = village.actor("office")
    with write() as session:
        member = Member(
            username="carrier", name="Người Chở", cooperative_id=office.cooperative_id,
            roles=[MemberRole(role=Role.PARTNER)],
        )  # fmt: skip
        session.add(member)
        session.flush()
        if name:
            session.add(Party(member_id=member.id, name=name))
        member_id = member.id
    db.session.rollback()
    return Partner(app, village.token("carrier"), name, member_id)
