"""What machines read of a lot: its EPCIS events, its linkset, the resolver's own description."""

import json

from flask.testing import FlaskClient
from sqlalchemy import select

from batches.stages.corrections import Correction, correct
from batches.stages.wanted import Take
from tests.support.village import Village
from tests.trace.scanning import address, statements
from trace.events.models import Event
from trace.ledger.canonical import parse
from trace.ledger.models import LedgerEntry
from village.db import db, write
from village.ids import uuid7

EPCIS = {"Accept": "application/ld+json"}
LINKSET = {"Accept": "application/linkset+json"}
GS1 = "https://ref.gs1.org/voc/"


def test_the_epcis_document_holds_the_very_events_of_the_ledger(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(40))
    answer = client.get(address(batch), headers=EPCIS)
    assert answer.content_type == "application/ld+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    told = json.loads(answer.data)
    stored = [parse(e.body)["event"] for e in db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.index))]
    assert told["type"] == "EPCISDocument"
    assert told["epcisBody"]["eventList"] == stored[1:]


def test_it_holds_corrections_and_no_stranger_s_events(village: Village, client: FlaskClient) -> None:
    other = village.batch(village.packs(10))
    batch = village.batch(village.packs(40))
    event = db.session.scalars(select(Event).where(Event.stage == "inspect").order_by(Event.entry_index)).all()[-1]
    new = uuid7()
    correct(village.actor("producer"), Correction(new, event.id, "did_not_occur", "nhầm"), {"id": new})
    events = json.loads(client.get(address(batch), headers=EPCIS).data)["epcisBody"]["eventList"]
    assert [e["errorDeclaration"]["reason"] for e in events if "errorDeclaration" in e] == ["did_not_occur"]
    assert other.epc not in json.dumps(events)


def test_a_machine_s_answer_is_kept_too_and_renewed(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    first = client.get(address(batch), headers=EPCIS)
    with statements() as warm:
        again = client.get(address(batch), headers={**EPCIS, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert not warm
    village.record("dispatch", inputs=(Take(batch.id, units=1),), days_ago=0.1)
    again = client.get(address(batch), headers={**EPCIS, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert again.data != first.data


def test_a_recalled_lot_has_a_recall_link(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    client.get(address(batch), headers=LINKSET)
    with write() as session:
        session.get_one(type(batch), batch.id).hold = "recalled"
    (lot, product) = json.loads(client.get(address(batch), headers=LINKSET).data)["linkset"]
    assert lot[f"{GS1}recallStatus"]
    assert f"{GS1}recallStatus" not in product


def test_a_product_has_a_linkset_of_its_own(village: Village, client: FlaskClient) -> None:
    gtin = village.product("packs", 500).gtin
    (anchor,) = json.loads(client.get(f"/01/{gtin}", headers=LINKSET).data)["linkset"]
    assert f"{GS1}pip" in anchor
    assert f"{GS1}traceability" not in anchor
    assert client.get(f"/01/{gtin}", headers=EPCIS).status_code == 404


def test_a_machine_is_refused_in_its_own_language(village: Village, client: FlaskClient) -> None:
    for headers in (EPCIS, LINKSET):
        answer = client.get("/01/09506000001204/10/L1", headers=headers)
        assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        answer = client.get(f"/01/{village.product('packs', 500).gtin}/10/NONE", headers=headers)
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_a_browser_gets_the_page(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    for accept in ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "*/*", "", "image/png"):
        answer = client.get(address(batch), headers={"Accept": accept})
        assert answer.mimetype == "text/html"
        assert "Accept" in answer.headers["Vary"]


def test_the_resolver_describes_itself(client: FlaskClient) -> None:
    answer = client.get("/.well-known/gs1resolver")
    assert answer.get_json()["supportedPrimaryKeys"] == ["01", "00", "414"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
