"""Capturing: GS1's example documents go in and come out again, what is wrong is refused with its place, and nothing
that a stranger says moves anything of ours."""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from tests.conftest import browser
from tests.support.partner import EVENT_CONTEXT, Partner, claimed, partner_of
from tests.support.village import Village
from trace.capture import services
from trace.capture.claims import claims_of
from trace.capture.models import Captured, CapturedKey, CaptureJob
from trace.epcis.faults import moment_of
from trace.epcis.reading import MAX_EVENTS
from trace.epcis.vocabulary import NAMESPACES, expanded, web
from trace.ledger import store
from trace.ledger.canonical import parse
from trace.ledger.models import LedgerEntry, LedgerLink
from trace.lots.models import Batch
from village.db import db, write
from village.jobs.worker import work_off


@pytest.fixture
def partner(app: Flask, village: Village) -> Partner:
    """A carrier with a token, named by its office."""
    return partner_of(app, village)


def now() -> Session:
    """The test's own session, which forgets what it read before."""
    db.session.rollback()
    return db.session()


def tubers_of(village: Village) -> str:
    """A harvest."""
    return village.made("harvest", "tuber", 1_250_000)


def lot_of(village: Village) -> str:
    """A harvest's key."""
    return village.batch(tubers_of(village)).epc


def meaning(event: Mapping[str, Any], outer: Mapping[str, str]) -> Any:
    """An event as JSON-LD means it: names written out, order and spelling of times and numbers left aside."""
    inner = [one for one in event.get("@context", []) if isinstance(one, dict)]
    known = {**NAMESPACES, **outer, **{prefix: told for one in inner for prefix, told in one.items()}}

    def read(told: Any) -> Any:
        if isinstance(told, dict):
            left = ("@context", "recordTime")
            return {expanded(name, known): read(one) for name, one in told.items() if name not in left}
        if isinstance(told, list):
            return sorted((read(one) for one in told), key=lambda one: json.dumps(one, sort_keys=True, default=str))
        if isinstance(told, str):
            moment = moment_of(told)
            return moment.astimezone(dt.UTC).isoformat() if moment else web("bizStep", told, known)
        return float(told) if isinstance(told, int | float) and not isinstance(told, bool) else told

    return read(event)


def test_every_example_document_is_captured_and_told_again_with_the_same_meaning(
    partner: Partner, conformance_data: Path
) -> None:
    for path in sorted((conformance_data / "epcis" / "Documents").glob("*.json")):
        sent = json.loads(path.read_text())
        outer = {p: told for one in sent["@context"] if isinstance(one, dict) for p, told in one.items()}
        answer = partner.post("/epcis/capture", sent)
        assert answer.status_code == 202, (path.name, answer.get_json())
        work_off()
        job = partner.get(answer.location).get_json()
        assert (job["running"], job["success"], job["errors"]) == (False, True, []), (path.name, job)
        told = partner.get("/epcis/events?perPage=100").get_json()
        found = told["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        for event, again in zip(sent["epcisBody"]["eventList"], found, strict=True):
            assert again["eventID"] == event.get("eventID", again["eventID"])
            again.pop("eventID")
            event.pop("eventID", None)
            assert meaning(again, {}) == meaning(event, outer), path.name
        _forget_all()


def _forget_all() -> None:
    """The examples bear each other's event ids: each document is to find an empty repository."""
    with write() as session:
        session.execute(delete(CapturedKey))
        session.execute(delete(Captured))


def test_every_example_event_is_captured_at_once(partner: Partner, conformance_data: Path) -> None:
    for path in sorted((conformance_data / "epcis" / "Events").glob("*.json")):
        sent = json.loads(path.read_text())
        answer = partner.post("/epcis/events", sent)
        assert answer.status_code == 201, (path.name, answer.get_json())
        told = partner.get(answer.location).get_json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        mine = {name: one for name, one in sent.items() if name != "eventID"}
        theirs = [{name: one for name, one in event.items() if name != "eventID"} for event in told]
        assert meaning(mine, {}) in [meaning(one, {}) for one in theirs], path.name


WRONG = {
    "Combination_of_multiple_invalid_fields.json": [
        "/epcisBody/eventList/0/bizStep", "/epcisBody/eventList/1/disposition",
        "/epcisBody/eventList/2/sourceList/0/type", "/epcisBody/eventList/3/ilmd/materialType",
        "/epcisBody/eventList/4/eventTime", "/epcisBody/eventList/4/action",
    ],
    "EPCISDocument_without_context.json": ["/@context"],
    "ObjectEvent_with_invalid_action.json": ["/epcisBody/eventList/0/action"],
    "ObjectEvent_with_invalid_eventTime_format.json": ["/epcisBody/eventList/0/eventTime"],
    "ObjectEvent_with_non_standard_bizStep_in_second_event.json": ["/epcisBody/eventList/1/bizStep"],
    "ObjectEvent_with_quantity_as_text.json": ["/epcisBody/eventList/0/quantityList/0/quantity"],
    "ObjectEvent_without_action_and_eventTime.json": [
        "/epcisBody/eventList/0/eventTime", "/epcisBody/eventList/0/eventTimeZoneOffset",
        "/epcisBody/eventList/0/action",
    ],
}  # fmt: skip


def test_every_invalid_example_is_refused_with_the_path_to_each_fault(partner: Partner, conformance_data: Path) -> None:
    before = now().scalar(select(func.count()).select_from(LedgerEntry))
    paths = sorted((conformance_data / "epcis" / "Invalid").glob("*.json"))
    assert [path.name for path in paths] == sorted(WRONG)
    for path in paths:
        answer = partner.post("/epcis/capture", json.loads(path.read_text()))
        assert answer.status_code == 400
        assert answer.mimetype == "application/problem+json"
        assert answer.get_json()["exception"] == "epcisException:ValidationException"
        assert {one["pointer"] for one in answer.get_json()["errors"]} == set(WRONG[path.name])
    assert now().scalar(select(func.count()).select_from(CaptureJob)) == 0
    assert now().scalar(select(func.count()).select_from(LedgerEntry)) == before


def test_with_proceed_the_right_events_of_a_document_are_kept_and_the_others_told(
    partner: Partner, village: Village
) -> None:
    lot = lot_of(village)
    right, wrong = claimed(lot), {**claimed(lot, minutes=1), "bizStep": "transforming"}
    answer = partner.post("/epcis/capture", partner.document(right, wrong), behaviour="proceed")
    assert answer.status_code == 202
    work_off()
    job = partner.get(answer.location)
    assert job.headers["GS1-Capture-Error-Behaviour"] == "proceed"
    told = job.get_json()
    assert (told["running"], told["success"]) == (False, False)
    assert [one["pointer"] for one in told["errors"]] == ["/epcisBody/eventList/1/bizStep"]
    assert len(claims_of(now(), [lot])) == 1


def test_with_rollback_nothing_of_a_document_is_kept_when_one_event_cannot_be(
    partner: Partner, village: Village
) -> None:
    lot = lot_of(village)
    ours = now().scalars(select(LedgerEntry.body).where(LedgerEntry.index == 1)).one()
    stolen = {**claimed(lot, minutes=2), "eventID": parse(ours)["event"]["eventID"]}
    answer = partner.post("/epcis/capture", partner.document(claimed(lot), stolen))
    assert answer.status_code == 202
    size = now().scalar(select(func.count()).select_from(LedgerEntry))
    work_off()
    told = partner.get(answer.location).get_json()
    assert (told["running"], told["success"]) == (False, False)
    assert told["errors"][0]["type"].endswith("event-id-taken")
    assert claims_of(now(), [lot]) == []
    assert now().scalar(select(func.count()).select_from(LedgerEntry)) == size


def test_the_same_event_twice_is_one_and_other_words_under_its_id_are_refused(
    partner: Partner, village: Village
) -> None:
    lot = lot_of(village)
    first = partner.post("/epcis/events", partner.event(lot))
    again = partner.post("/epcis/events", partner.event(lot))
    assert (first.status_code, again.status_code, first.location) == (201, 201, again.location)
    assert first.get_json()["eventID"].startswith("ni:///sha-256;")
    named = {**partner.event(lot), "eventID": "urn:uuid:0190f3c2-0000-7000-8000-000000000001"}
    assert partner.post("/epcis/events", named).status_code == 201
    other = partner.post("/epcis/events", {**named, "bizStep": "arriving"})
    assert (other.status_code, other.get_json()["type"].rpartition("/")[2]) == (409, "event-id-taken")
    assert now().scalar(select(func.count()).select_from(Captured)) == 2


def test_a_claim_is_chained_to_the_lot_and_moves_nothing_of_ours(partner: Partner, village: Village) -> None:
    batch = village.batch(village.packs(8))
    before = _of(batch)
    destroyed = {**partner.event(batch.epc), "bizStep": "destroying", "disposition": "destroyed", "action": "DELETE"}
    assert partner.post("/epcis/events", destroyed).status_code == 201
    recalled = {**partner.event(batch.epc, minutes=3), "persistentDisposition": {"set": ["recalled"]}}
    assert partner.post("/epcis/events", recalled).status_code == 201
    assert _of(village.batch(batch.id)) == before
    newest = now().scalars(select(LedgerEntry).order_by(LedgerEntry.index.desc()).limit(1)).one()
    record = parse(newest.body)
    assert (record["type"], record["event"], record["claim"]["by"]) == ("claim", None, partner.name)
    assert [link["batch"] for link in record["chain"]] == [batch.epc]
    on_chain = select(LedgerLink.entry_index).where(LedgerLink.batch == batch.epc)
    assert newest.index in set(now().scalars(on_chain))


def _of(batch: Batch) -> tuple[Any, ...]:
    return batch.left_units, batch.left_grams, batch.hold, batch.hold_reason, batch.void, batch.outside


@pytest.mark.parametrize("way", ["class", "urn", "pack", "our own address"])
def test_a_lot_is_found_however_its_key_is_spelled(partner: Partner, village: Village, way: str) -> None:
    batch = village.batch(tubers_of(village))
    prefix = batch.gtin[1:8]
    event = partner.event(batch.epc)
    if way == "urn":
        item = batch.gtin[0] + batch.gtin[8:13]
        event["quantityList"] = [{"epcClass": f"urn:epc:class:lgtin:{prefix}.{item}.{batch.lot}", "quantity": 4}]
    elif way == "pack":
        event |= {"quantityList": [], "epcList": [f"{batch.epc}/21/ABC123"]}
    elif way == "our own address":
        path = batch.epc.removeprefix("https://id.gs1.org")
        event["quantityList"] = [{"epcClass": f"https://village.example{path}", "quantity": 4}]
    assert partner.post("/epcis/events", event).status_code == 201
    assert len(claims_of(now(), [batch.epc])) == 1


def test_a_declared_error_stands_beside_what_it_takes_back(partner: Partner, village: Village) -> None:
    lot = lot_of(village)
    event = {**partner.event(lot), "eventID": "urn:uuid:0190f3c2-0000-7000-8000-000000000002"}
    assert partner.post("/epcis/events", event).status_code == 201
    error = {"declarationTime": "2026-11-21T08:00:00+07:00", "reason": "did_not_occur"}
    answer = partner.post("/epcis/events", {**event, "errorDeclaration": error})
    assert answer.status_code == 201
    told = partner.get(answer.location).get_json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert ["errorDeclaration" in one for one in told] == [False, True]
    assert [one.withdrawn for one in claims_of(now(), [lot])] == [True]


def test_what_tells_of_a_person_stays_off_the_ledger_and_can_be_erased(
    partner: Partner, village: Village, client: FlaskClient
) -> None:
    lot = lot_of(village)
    event = partner.event(lot)
    event["@context"] = [EVENT_CONTEXT, {"ex": "http://ns.example.com/"}]
    event["ex:driver"] = "Nguyễn Văn Thử, 0912 345 678"
    capture = partner.post("/epcis/capture", partner.document(event))
    assert capture.status_code == 202, capture.get_json()
    work_off()
    assert [one["code"] for one in partner.get(capture.location).get_json()["warnings"]] == ["personal-data"]
    row = now().scalars(select(Captured)).one()
    record = parse(store.entry(row.entry_index).body)
    assert "event" not in record["claim"] and "0912" not in json.dumps(record)
    assert partner.get(f"/epcis/claims/{row.sha256}").data == row.body
    stranger = browser(client.application)
    village.sign_in(stranger, "office-other")
    assert stranger.post(f"/coop/claims/{row.id}/erase").status_code == 404
    village.sign_in(client, "office")
    assert client.post(f"/coop/claims/{row.id}/erase").status_code == 302
    assert partner.get(f"/epcis/claims/{row.sha256}").status_code == 404
    assert now().scalar(select(func.count()).select_from(CapturedKey)) == 0
    told = partner.get("/epcis/events?MATCH_anyEPCClass=" + quote(lot)).get_json()
    assert "0912" not in json.dumps(told)


def test_a_lot_takes_so_many_claims_and_no_more(
    partner: Partner, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_CLAIMS", 2)
    lot = lot_of(village)
    answers = [partner.post("/epcis/events", partner.event(lot, minutes=n)) for n in range(3)]
    assert [one.status_code for one in answers] == [201, 201, 409]
    assert answers[2].get_json()["type"].endswith("too-many-claims")
    assert partner.post("/epcis/events", partner.event(lot)).status_code == 201
    assert len(claims_of(now(), [lot])) == 2


def test_a_large_event_goes_on_the_ledger_by_its_hash(partner: Partner, village: Village) -> None:
    lot = lot_of(village)
    event = partner.event(lot)
    event["epcList"] = [f"https://id.gs1.org/01/09506000134352/21/S{number:06d}" for number in range(400)]
    answer = partner.post("/epcis/events", event)
    assert answer.status_code == 201, answer.get_json()
    row = now().scalars(select(Captured)).one()
    record = parse(store.entry(row.entry_index).body)
    assert "event" not in record["claim"] and record["claim"]["size"] == len(row.body or b"") > 10_000
    told = partner.get(answer.location).get_json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert len(told[0]["epcList"]) == 400


@pytest.mark.parametrize("username", ["producer", "seller", "auditor"])
def test_who_is_no_partner_and_no_office_cannot_capture(
    app: Flask, village: Village, partner: Partner, username: str
) -> None:
    other = Partner(app, village.token(username), "")
    assert other.post("/epcis/events", partner.event("https://id.gs1.org/01/09506000134352/10/X")).status_code == 403
    assert other.post("/epcis/capture", partner.document()).status_code == 403
    assert other.get("/epcis/capture").status_code == 403
    nobody = Partner(app, "", "")
    assert nobody.post("/epcis/events", partner.event("https://id.gs1.org/01/09506000134352/10/X")).status_code == 401


def test_another_cooperatives_office_sees_neither_jobs_nor_claims(
    app: Flask, village: Village, partner: Partner, client: FlaskClient
) -> None:
    lot = lot_of(village)
    job = partner.post("/epcis/capture", partner.document(claimed(lot))).location
    work_off()
    mine, other = (Partner(app, village.token(name), "") for name in ("office", "office-other"))
    assert mine.get(job).status_code == 200
    assert other.get(job).status_code == 404
    assert len(mine.get("/epcis/capture").get_json()) == 1
    assert other.get("/epcis/capture").get_json() == []
    village.sign_in(client, "office-other")
    assert partner.name not in client.get("/coop/claims").get_data(as_text=True)
    assert client.post(f"/coop/claims/partners/{partner.member_id}", data={"name": "Tên Khác"}).status_code == 404


def test_a_partner_whom_the_office_has_not_named_cannot_capture(app: Flask, village: Village) -> None:
    nameless = partner_of(app, village, name="")
    answer = nameless.post("/epcis/events", nameless.event("https://id.gs1.org/01/09506000134352/10/X"))
    assert (answer.status_code, answer.get_json()["type"].rpartition("/")[2]) == (403, "no-party-name")


HOSTILE = {
    "a key that stands twice": b'{"@context": [], "@context": [], "type": "EPCISDocument"}',
    "a number beyond 2^53": b'{"type": 9007199254740993}',
    "NaN": b'{"type": NaN}',
    "no JSON": b"{",
    "a list": b"[]",
    "a hundred thousand brackets": b"[" * 100_000,
    "no UTF-8": b'{"type": "\xff"}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_is_refused_before_anything_is_written(partner: Partner, body: bytes) -> None:
    for address in ("/epcis/capture", "/epcis/events", "/epcis/queries"):
        answer = partner.send(address, body)
        assert answer.status_code in (400, 422), answer.status_code
        assert answer.mimetype == "application/problem+json"


def test_what_is_too_deep_too_many_or_of_a_context_unknown_is_refused(partner: Partner) -> None:
    lot = "https://id.gs1.org/01/09506000134352/10/X"
    deep: Any = "x"
    for _level in range(30):
        deep = {"ex:a": deep}
    context = [EVENT_CONTEXT, {"ex": "http://ns.example.com/"}]
    for event, slug in (
        ({**partner.event(lot), "@context": context, "ex:deep": deep}, "too-deep"),
        ({**partner.event(lot), "@context": context, "ex:long": "x" * 5000}, "too-long"),
        ({**partner.event(lot), "@context": [EVENT_CONTEXT, "https://example.com/mine.jsonld"]}, "unknown-context"),
        ({**partner.event(lot), "@context": [EVENT_CONTEXT, {"ex": {"@id": "x"}}]}, "bad-namespace"),
        ({**partner.event(lot), "unprefixed": "x"}, "unknown-member"),
        ({**partner.event(lot), "ex:undeclared": "x"}, "unknown-prefix"),
        ({**partner.event(lot), "ilmd": {}}, "no-ilmd"),
    ):
        answer = partner.post("/epcis/events", event)
        assert (answer.status_code, answer.get_json()["errors"][0]["code"]) == (400, slug)
    many = partner.post("/epcis/capture", partner.document(*[claimed(lot, minutes=n) for n in range(MAX_EVENTS + 1)]))
    assert (many.status_code, many.get_json()["errors"][0]["code"]) == (400, "too-many-events")


def test_another_version_or_form_is_not_acceptable_and_xml_is_not_read(partner: Partner) -> None:
    for name, value in (
        ("GS1-EPCIS-Version", "1.2"), ("GS1-EPCIS-Max", "1.2"), ("GS1-CBV-Min", "2.1"), ("GS1-EPCIS-Version", "two"),
        ("GS1-EPC-Format", "Always_EPC_URN"), ("Accept", "application/xml"),
    ):  # fmt: skip
        assert partner.get("/epcis/events", **{name: value}).status_code == 406, name
    assert partner.get("/epcis/events", **{"GS1-EPCIS-Version": "2.0.0"}).status_code == 200
    assert partner.send("/epcis/events", b"<x/>", "application/xml").status_code == 415
    told = partner.get("/epcis/events", Accept="application/ld+json")
    assert (told.mimetype, told.headers["GS1-EPCIS-Version"]) == ("application/ld+json", "2.0")
    known = {"If-None-Match": told.headers["ETag"], "Accept": "application/ld+json"}
    assert partner.get("/epcis/events", **known).status_code == 304


def test_the_scan_page_tells_a_claim_with_the_name_of_who_makes_it(
    partner: Partner, village: Village, client: FlaskClient
) -> None:
    batch = village.batch(village.packs(8))
    address = batch.epc.removeprefix("https://id.gs1.org")
    assert "id=\"claims\"" not in client.get(address).get_data(as_text=True)
    assert partner.post("/epcis/events", partner.event(batch.epc)).status_code == 201
    page = client.get(address).get_data(as_text=True)
    assert partner.name in page and "nhận hàng" in page
    assert "Sợi còn nguyên" in page
    line = now().scalars(select(Captured.entry_index)).one()
    assert partner.name in client.get(f"/ledger/lines/{line}").get_data(as_text=True)
    assert partner.name in client.get("/ledger").get_data(as_text=True)


def test_the_office_names_a_partner_and_sees_what_it_claims(
    app: Flask, village: Village, client: FlaskClient
) -> None:
    nameless = partner_of(app, village, name="")
    village.sign_in(client, "office")
    assert client.post(f"/coop/claims/partners/{nameless.member_id}", data={"name": "Xe Tải Thử"}).status_code == 302
    lot = lot_of(village)
    assert nameless.post("/epcis/events", nameless.event(lot)).status_code == 201
    page = client.get("/coop/claims").get_data(as_text=True)
    assert "<strong>Xe Tải Thử</strong>" in page
    village.sign_in(client, "auditor")
    assert client.get("/coop/claims").status_code == 200
    assert client.post(f"/coop/claims/partners/{nameless.member_id}", data={"name": "Khác"}).status_code == 403
    village.sign_in(client, "producer")
    assert client.get("/coop/claims").status_code == 403


def test_capture_jobs_are_told_page_by_page_newest_first(partner: Partner) -> None:
    lot = "https://id.gs1.org/01/09506000134352/10/X"
    made = [partner.post("/epcis/capture", partner.document(claimed(lot, minutes=n))).location for n in range(5)]
    first = partner.get("/epcis/capture?perPage=2")
    assert [one["captureID"] for one in first.get_json()] == [url.rpartition("/")[2] for url in made[:2:-1]]
    seen = first.get_json()
    following = partner.next_page(first)
    while following is not None:
        seen += following.get_json()
        following = partner.next_page(following)
    assert [one["captureID"] for one in seen] == [url.rpartition("/")[2] for url in reversed(made)]
