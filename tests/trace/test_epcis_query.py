"""Asking for events: our own, as they stand on the ledger, and what others claim, in one language."""

import datetime as dt
import json
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from batches.stages.corrections import Correction, correct
from batches.stages.wanted import Make
from tests.support.partner import EVENT_CONTEXT, Partner, partner_of
from tests.support.village import Village
from trace.epcis.asking import QueryFault, Seen
from trace.epcis.query import read_query
from trace.epcis.reading import MAX_EVENTS, read_document
from trace.ledger import store
from trace.ledger.canonical import parse
from village.ids import uuid7

EX = {"ex": "http://ns.example.com/"}
EVENT: dict[str, Any] = {
    "eventID": "urn:example:event:1",
    "type": "ObjectEvent",
    "eventTime": "2026-11-20T06:30:00+07:00",
    "eventTimeZoneOffset": "+07:00",
    "action": "OBSERVE",
    "bizStep": "shipping",
    "disposition": "in_transit",
    "persistentDisposition": {"set": ["completeness_verified"]},
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2017"],
    "quantityList": [
        {"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 20.5, "uom": "KGM"},
        {"epcClass": "https://id.gs1.org/01/09506000134352/10/X", "quantity": 4},
    ],
    "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1234", "ex:gate": "7"},
    "bizLocation": {"id": "urn:epc:id:sgln:0614141.07346.0"},
    "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epc:id:gdti:0614141.06012.1234"}],
    "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00225"}],
    "destinationList": [{"type": "location", "destination": "urn:epc:id:sgln:0614141.00777.0"}],
    "sensorElementList": [
        {
            "sensorMetadata": {
                "time": "2026-11-20T00:00:00Z", "startTime": "2026-11-19T00:00:00Z", "endTime": "2026-11-20T00:00:00Z",
                "deviceID": "urn:epc:id:giai:4000001.111", "bizRules": "urn:example:rules", "ex:meta": "m",
            },
            "sensorReport": [
                {
                    "type": "Temperature", "value": 26.5, "minValue": 20, "maxValue": 30, "meanValue": 25, "sDev": 0.5,
                    "percRank": 50, "percValue": 25, "uom": "CEL", "stringValue": "warm", "booleanValue": True,
                    "hexBinaryValue": "f0", "uriValue": "urn:example:uri", "component": "cbv:Comp-x",
                    "microorganism": "urn:example:germ", "chemicalSubstance": "urn:example:salt", "ex:report": "3",
                }
            ],
            "ex:element": "e",
        }
    ],
    "ilmd": {"ex:grade": "A", "ex:more": {"ex:inner": "5"}},
    "errorDeclaration": {
        "declarationTime": "2026-11-21T00:00:00Z", "reason": "incorrect_data",
        "correctiveEventIDs": ["urn:example:event:2"], "ex:why": "typo",
    },
    "ex:number": 7,
    "ex:text": "some text",
    "ex:when": "2026-11-20T00:00:00Z",
    "ex:outer": {"ex:inner": ["1", "9"]},
}  # fmt: skip
SEEN = Seen(EVENT, EX, dt.datetime(2026, 11, 22, tzinfo=dt.UTC))

HOLDS = [
    {"eventType": "ObjectEvent|AggregationEvent"},
    {"GE_eventTime": "2026-11-19T23:30:00Z"},
    {"GE_eventTime": "2026-11-20T06:30:00 07:00"},
    {"LT_eventTime": "2026-11-20T06:30:00.001+07:00"},
    {"GE_recordTime": "2026-11-22T00:00:00Z", "LT_recordTime": "2026-11-22T00:00:01Z"},
    {"EQ_action": "ADD|OBSERVE"},
    {"EQ_bizStep": "receiving|shipping"},
    {"EQ_bizStep": "urn:epcglobal:cbv:bizstep:shipping"},
    {"EQ_bizStep": "https://ref.gs1.org/cbv/BizStep-shipping"},
    {"EQ_disposition": "cbv:Disp-in_transit"},
    {"EQ_persistentDisposition_set": "completeness_verified"},
    {"EQ_readPoint": "https://id.gs1.org/414/0614141073467/254/1234"},
    {"WD_readPoint": "urn:epc:id:sgln:0614141.07346.0"},
    {"EQ_bizLocation": "urn:epc:id:sgln:0614141.07346.0"},
    {"EQ_bizTransaction_po": "urn:epc:id:gdti:0614141.06012.1234"},
    {"EQ_source_owning_party": "urn:epc:id:pgln:4012345.00225"},
    {"EQ_destination_location": "https://id.gs1.org/414/0614141007776"},
    {"MATCH_epc": "https://id.gs1.org/01/10614141073464/21/2017"},
    {"MATCH_epc": "urn:epc:idpat:sgtin:0614141.107346.*"},
    {"MATCH_epc": "urn:epc:idpat:sgtin:0614141.*.*"},
    {"MATCH_anyEPC": "urn:epc:id:sgtin:0614141.107346.2017|urn:epc:id:sgtin:0614141.107346.1"},
    {"MATCH_epcClass": "https://id.gs1.org/01/04012345123456/10/998877"},
    {"MATCH_anyEPCClass": "https://id.gs1.org/01/09506000134352/10/X"},
    {"EQ_quantity": "4"},
    {"GE_quantity_KGM": "20.5", "LT_quantity_KGM": "21"},
    {"EQ_eventID": "urn:example:event:1"},
    {"EXISTS_errorDeclaration": ""},
    {"GE_errorDeclaration_Time": "2026-11-21T00:00:00Z"},
    {"EQ_errorReason": "incorrect_data"},
    {"EQ_correctiveEventID": "urn:example:event:2"},
    {"EXISTS_sensorElementList": "1"},
    {"GE_time": "2026-11-20T00:00:00Z", "LT_startTime": "2026-11-20T00:00:00Z", "GE_endTime": "2026-11-20T00:00:00Z"},
    {"EQ_type": "Temperature"},
    {"EQ_type": "gs1:Temperature"},
    {"EQ_deviceID": "urn:epc:id:giai:4000001.111"},
    {"EQ_bizRules": "urn:example:rules"},
    {"EQ_stringValue": "cold|warm"},
    {"EQ_booleanValue": "true"},
    {"EQ_hexBinaryValue": "f0", "EQ_uriValue": "urn:example:uri"},
    {"EQ_microorganism": "urn:example:germ", "EQ_chemicalSubstance": "urn:example:salt"},
    {"EQ_component": "x"},
    {"GT_value_CEL": "26", "LE_maxValue_CEL": "30", "GE_minValue_CEL": "20", "EQ_meanValue_CEL": "24|25"},
    {"EQ_sDev_CEL": "0.5", "GE_percRank": "50", "LT_percValue_CEL": "26"},
    {"EQ_ex:number": "7", "GT_ex:number": "6"},
    {"EQ_ex:text": "other|some text"},
    {"GE_ex:when": "2026-11-20T07:00:00+07:00"},
    {"EXISTS_ex:text": ""},
    {"EQ_http://ns.example.com/text": "some text"},
    {"EQ_INNER_ex:inner": "9"},
    {"EQ_ILMD_ex:grade": "A"},
    {"GE_INNER_ILMD_ex:inner": "5"},
    {"EXISTS_INNER_ILMD_ex:inner": ""},
    {"EQ_ERROR_DECLARATION_ex:why": "typo"},
    {"EQ_SENSORELEMENT_ex:element": "e", "EQ_SENSORMETADATA_ex:meta": "m", "EQ_SENSORREPORT_ex:report": "3"},
    {"EQ_readPoint_ex:gate": "7"},
    {"HASATTR_readPoint": "ex:gate"},
    {"HAS_ATTR_readPoint": "ex:gate"},
    {"EQATTR_readPoint_ex:gate": "7"},
]
DOES_NOT = [
    {"eventType": "AggregationEvent"},
    {"GE_eventTime": "2026-11-20T06:30:00.001+07:00"},
    {"LT_eventTime": "2026-11-20T06:30:00+07:00"},
    {"LT_recordTime": "2026-11-22T00:00:00Z"},
    {"EQ_action": "ADD"},
    {"EQ_bizStep": "receiving"},
    {"EQ_disposition": "shipping"},
    {"EQ_persistentDisposition_unset": "completeness_verified"},
    {"EQ_readPoint": "urn:epc:id:sgln:0614141.07346.0"},
    {"EQ_bizTransaction_inv": "urn:epc:id:gdti:0614141.06012.1234"},
    {"EQ_source_location": "urn:epc:id:pgln:4012345.00225"},
    {"MATCH_epc": "urn:epc:id:sgtin:0614141.107346.2018"},
    {"MATCH_parentID": "urn:epc:id:sgtin:0614141.107346.2017"},
    {"MATCH_inputEPC": "urn:epc:id:sgtin:0614141.107346.2017"},
    {"MATCH_outputEPCClass": "https://id.gs1.org/01/09506000134352/10/X"},
    {"EQ_quantity": "20.5"},
    {"EQ_quantity_GRM": "20.5"},
    {"EQ_eventID": "urn:example:event:2"},
    {"LT_errorDeclaration_Time": "2026-11-21T00:00:00Z"},
    {"EQ_type": "Speed"},
    {"EQ_booleanValue": "false"},
    {"GT_value_CEL": "26.5"},
    {"GT_value_KMH": "1"},
    {"EQ_ex:number": "8"},
    {"EQ_ex:text": "some"},
    {"EXISTS_ex:nothing": ""},
    {"EQ_INNER_ex:number": "7"},
    {"EQ_ILMD_ex:number": "7"},
    {"EQ_INNER_ILMD_ex:grade": "A"},
    {"HASATTR_bizLocation": "ex:gate"},
    {"EQ_bizStep": "shipping", "EQ_action": "ADD"},
    {"EXISTS_ilmd": "", "EQ_transformationID": "urn:example:t"},
]


@pytest.mark.parametrize("asked", HOLDS, ids=lambda asked: "&".join(f"{a}={b}" for a, b in asked.items())[:90])
def test_an_event_is_found_by(asked: dict[str, str]) -> None:
    assert read_query(asked, EX).holds(SEEN)


@pytest.mark.parametrize("asked", DOES_NOT, ids=lambda asked: "&".join(f"{a}={b}" for a, b in asked.items())[:90])
def test_an_event_is_not_found_by(asked: dict[str, str]) -> None:
    assert not read_query(asked, EX).holds(SEEN)


@pytest.mark.parametrize(
    "asked",
    [
        {"EQ_nothing": "x"}, {"eventType": "NoEvent"}, {"GE_eventTime": "yesterday"}, {"EQ_action": "CREATE"},
        {"EQ_quantity": "many"}, {"EQ_quantity": "NaN"}, {"GE_value_CEL": "1e400"}, {"orderBy": "size"},
        {"orderDirection": "UP"}, {"eventCountLimit": "0", "orderBy": "eventTime"}, {"eventCountLimit": "2"},
        {"eventCountLimit": "2", "maxEventCount": "3", "orderBy": "eventTime"}, {"EQ_bizStep": ""},
        {"EQ_bizStep": "|".join(["x"] * 201)}, {"GT_ex:text": "words"}, {"EQ_booleanValue": "perhaps"},
        {f"EQ_ex:{n}": "1" for n in range(41)}, {"EQ_bizStep": "x" * 1001}, {"EQ_bizStep": {"no": "list"}},
    ],
    ids=lambda asked: str(asked)[:60],
)  # fmt: skip
def test_a_parameter_that_cannot_be_is_refused_by_name(asked: dict[str, Any]) -> None:
    with pytest.raises(QueryFault) as fault:
        read_query(asked)
    assert fault.value.parameter in asked


@pytest.fixture
def partner(app: Flask, village: Village) -> Partner:
    return partner_of(app, village)


def events_of(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.get_json()
    found: list[dict[str, Any]] = answer.get_json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return found


def test_our_own_events_are_told_as_they_stand_on_the_ledger_and_read_as_epcis(
    partner: Partner, village: Village
) -> None:
    village.packs(8)
    answer = partner.get("/epcis/events?perPage=100")
    told = events_of(answer)
    assert read_document(answer.get_json()).faults == ()
    assert [fault for one in read_document(answer.get_json()).events for fault in one.faults] == []
    size = store.ensure_born().size
    records = [parse(store.entry(index).body) for index in range(size)]
    ours = [(record["event"], record["recordedAt"]) for record in records if record["event"] is not None]
    assert [({n: v for n, v in one.items() if n != "recordTime"}, one["recordTime"]) for one in told] == ours


def test_own_and_claimed_events_come_together_in_the_order_asked_for(partner: Partner, village: Village) -> None:
    lot = village.batch(village.made("harvest", "tuber", 1_250_000)).epc
    for minutes in (30, 10, 20):
        assert partner.post("/epcis/events", partner.event(lot, minutes=minutes)).status_code == 201
    asked = f"/epcis/events?MATCH_anyEPCClass={quote(lot, safe='')}"
    recorded = events_of(partner.get(asked))
    assert [one["bizStep"] for one in recorded] == ["commissioning", "receiving", "receiving", "receiving"]
    times = [one["eventTime"] for one in events_of(partner.get(f"{asked}&orderBy=eventTime"))]
    moments = [dt.datetime.fromisoformat(one) for one in times]
    assert moments == sorted(moments, reverse=True)
    assert len(events_of(partner.get(f"{asked}&orderBy=eventTime&orderDirection=ASC&eventCountLimit=2"))) == 2
    assert partner.get(f"{asked}&maxEventCount=3").status_code == 413
    assert len(events_of(partner.get(f"{asked}&maxEventCount=4"))) == 4
    about = partner.get(f"/epcis/epcs/{quote(lot, safe='')}/events")
    assert events_of(about) == recorded
    assert events_of(partner.get(f"/epcis/epcs/{quote(lot, safe='')}/events?EQ_bizStep=commissioning")) == recorded[:1]


ORDERS = ("", "&orderBy=eventTime", "&orderBy=eventTime&orderDirection=ASC", "&orderBy=recordTime")


@pytest.mark.parametrize("order", ORDERS)
def test_pages_follow_each_other_without_gap_or_repetition(partner: Partner, village: Village, order: str) -> None:
    village.packs(8)
    whole = events_of(partner.get(f"/epcis/events?perPage=100{order}"))
    page = partner.get(f"/epcis/events?perPage=3{order}")
    seen = events_of(page)
    while (page := partner.next_page(page)) is not None:
        assert len(events_of(page)) <= 3
        seen += events_of(page)
    assert seen == whole
    limited = partner.get("/epcis/events?perPage=2&orderBy=eventTime&eventCountLimit=3")
    more = partner.next_page(limited)
    assert [len(events_of(one)) for one in (limited, more)] == [2, 1]
    assert partner.next_page(more) is None


def test_a_token_is_good_for_its_own_query_only(partner: Partner, village: Village) -> None:
    village.packs(8)
    link = partner.get("/epcis/events?perPage=2").headers["Link"]
    token = link.rpartition("nextPageToken=")[2].partition(">")[0]
    assert partner.get(f"/epcis/events?perPage=2&nextPageToken={token}").status_code == 200
    for address in (
        f"/epcis/events?EQ_action=ADD&nextPageToken={token}", "/epcis/events?nextPageToken=WzFd",
        "/epcis/events?nextPageToken=%00", f"/epcis/bizSteps?nextPageToken={token}", "/epcis/events?perPage=none",
    ):  # fmt: skip
        assert partner.get(address).status_code == 400, address


def test_a_correction_is_told_beside_the_event_that_it_takes_back(partner: Partner, village: Village) -> None:
    answer = village.record("harvest", outputs=(Make(village.product("tuber").id, 1_250_000),))
    correct(village.actor("producer"), Correction(uuid7(), answer["id"], "did_not_occur", "ghi nhầm"), {})
    told = events_of(partner.get(f"/epcis/events/urn:uuid:{answer['id']}"))
    assert ["errorDeclaration" in one for one in told] == [False, True]
    assert events_of(partner.get("/epcis/events?EXISTS_errorDeclaration=1")) == told[1:]


def test_top_level_resources_name_what_is_there_and_lead_to_its_events(partner: Partner, village: Village) -> None:
    batch = village.batch(village.packs(8))
    assert partner.post("/epcis/events", partner.event(batch.epc)).status_code == 201
    assert set(partner.get("/epcis/").get_json()["member"]) >= {"capture", "events", "queries", "epcs", "bizSteps"}
    types = partner.get("/epcis/eventTypes").get_json()
    assert (types["type"], types["eventType"]) == ("EventTypeItemList", ["ObjectEvent", "TransformationEvent"])
    steps = partner.get("/epcis/bizSteps").get_json()["bizStep"]
    assert {"commissioning", "inspecting", "packing", "receiving"} <= set(steps)
    assert batch.epc in partner.get("/epcis/epcs?perPage=100").get_json()["epc"]
    assert "https://id.gs1.org/414/0614141073467/254/1234" in partner.get("/epcis/readPoints").get_json()["readPoint"]
    assert "in_progress" in partner.get("/epcis/dispositions").get_json()["disposition"]
    places = partner.get("/epcis/bizLocations").get_json()["bizLocation"]
    for resource, value in (
        ("eventTypes", "TransformationEvent"), ("bizSteps", "packing"), ("dispositions", "in_progress"),
        ("epcs", batch.epc), ("bizLocations", places[0]), ("readPoints", "urn:epc:id:sgln:0614141.07346.1234"),
    ):  # fmt: skip
        address = f"/epcis/{resource}/{quote(value, safe='')}"
        assert partner.get(address).get_json()["member"] == ["events"]
        assert events_of(partner.get(f"{address}/events")) != []
    for nothing in ("eventTypes/NoEvent", "eventTypes/NoEvent/events", "bizSteps/flying", "nothing", "epcs/urn:x:1"):
        assert partner.get(f"/epcis/{nothing}").status_code == 404, nothing
    page = partner.get("/epcis/bizSteps?perPage=2")
    seen = page.get_json()["bizStep"]
    while (page := partner.next_page(page)) is not None:
        seen += page.get_json()["bizStep"]
    assert seen == steps


def test_a_named_query_is_kept_asked_again_and_taken_away(app: Flask, partner: Partner, village: Village) -> None:
    lot = village.batch(village.made("harvest", "tuber", 1_250_000)).epc
    body = {"name": "received", "query": {"eventType": ["ObjectEvent"], "EQ_bizStep": ["receiving"]}}
    made = partner.post("/epcis/queries", body)
    assert (made.status_code, partner.get(made.location).get_json()) == (201, body)
    assert partner.post("/epcis/queries", body).status_code == 409
    assert events_of(partner.get("/epcis/queries/received/events")) == []
    assert partner.post("/epcis/events", partner.event(lot)).status_code == 201
    polled = events_of(partner.get("/epcis/queries/received/events"))
    assert len(polled) == 1
    since = quote((dt.datetime.fromisoformat(polled[0]["recordTime"]) + dt.timedelta(seconds=1)).isoformat())
    assert events_of(partner.get(f"/epcis/queries/received/events?GE_recordTime={since}")) == []
    assert partner.get("/epcis/queries").get_json() == [body]
    other = Partner(app, village.token("office-other"), "")
    assert other.get("/epcis/queries/received").status_code == 404
    assert other.get("/epcis/queries").get_json() == []
    assert other.delete("/epcis/queries/received").status_code == 404
    assert Partner(app, village.token("producer"), "").delete("/epcis/queries/received").status_code == 403
    assert Partner(app, "", "").get("/epcis/queries").status_code == 401
    assert partner.delete("/epcis/queries/received").status_code == 204
    assert partner.get("/epcis/queries/received").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"}, {"name": "", "query": {}}, {"name": "a/b", "query": {}}, {"name": "x", "query": []},
        {"name": "x", "query": {"EQ_nothing": ["y"]}}, {"name": "x", "query": {"@context": "https://example.com/"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_query_that_cannot_be_is_not_kept(partner: Partner, body: dict[str, Any]) -> None:
    assert partner.post("/epcis/queries", body).status_code in (400, 422)


def test_subscriptions_and_web_sockets_are_not_offered_and_say_so(partner: Partner) -> None:
    assert partner.post("/epcis/queries", {"name": "all", "query": {}}).status_code == 201
    for answer in (
        partner.post("/epcis/queries/all/subscriptions", {}), partner.get("/epcis/queries/all/subscriptions"),
        partner.delete("/epcis/queries/all/subscriptions/1"),
        partner.get("/epcis/queries/all/events", Upgrade="websocket", Connection="Upgrade"),
    ):  # fmt: skip
        assert (answer.status_code, answer.get_json()["exception"]) == (501, "epcisException:ImplementationException")


def test_options_tell_what_is_spoken_here(partner: Partner) -> None:
    for address in ("/epcis/", "/epcis/capture", "/epcis/events", "/epcis/queries/x", "/epcis/bizSteps/x/events"):
        answer = partner._client().options(address)
        assert (answer.status_code, answer.headers["GS1-CBV-Version"]) == (204, "2.0"), address
        assert "OPTIONS" in answer.headers["Allow"]
    assert partner._client().options("/epcis/capture").headers["GS1-EPCIS-Capture-Limit"] == str(MAX_EVENTS)


def test_names_of_ones_own_are_asked_for_by_the_prefix_that_the_asker_declares(partner: Partner) -> None:
    event = {**partner.event("https://id.gs1.org/01/09506000134352/10/X"), "ex:text": "hello"}
    event["@context"] = [EVENT_CONTEXT, EX]
    assert partner.post("/epcis/events", event).status_code == 201
    mine = {"GS1-Extensions": "my=http://ns.example.com/"}
    assert len(events_of(partner.get("/epcis/events?EQ_my:text=hello", **mine))) == 1
    assert events_of(partner.get("/epcis/events?EQ_my:text=hello")) == []
    kept = {"name": "own", "query": {"@context": [{"their": "http://ns.example.com/"}], "EXISTS_their:text": 1}}
    assert partner.post("/epcis/queries", kept).status_code == 201
    told = events_of(partner.get("/epcis/queries/own/events"))
    assert json.loads(json.dumps(told[0]))["ex:text"] == "hello"
