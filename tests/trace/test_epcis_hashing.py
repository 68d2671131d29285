"""An event's hash is the same however its JSON was written, and another as soon as it says something else."""

import copy
from typing import Any

import pytest

from trace.epcis.hashing import hash_id, is_hash_id
from trace.epcis.identity import canonical

EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2026-11-20T06:30:00.000+07:00",
    "eventTimeZoneOffset": "+07:00",
    "action": "OBSERVE",
    "bizStep": "receiving",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2017", "urn:epc:id:sgtin:0614141.107346.2018"],
    "quantityList": [{"epcClass": "https://id.gs1.org/01/09506000134352/10/X", "quantity": 4, "uom": "KGM"}],
    "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.0"},
    "bizTransactionList": [{"type": "po", "bizTransaction": "urn:example:1"}],
    "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 26.0, "uom": "CEL"}]}],
    "ex:mine": {"ex:b": "2", "ex:a": "1"},
}
NAMES = {"ex": "http://ns.example.com/epcis/"}


def changed(**members: Any) -> dict[str, Any]:
    event = copy.deepcopy(EVENT)
    event.update(members)
    return {name: value for name, value in event.items() if value is not None}


SAME: dict[str, dict[str, Any]] = {
    "the order of its members": dict(reversed(list(EVENT.items()))),
    "the order of its keys": changed(epcList=EVENT["epcList"][::-1]),
    "the same instant in another zone": changed(eventTime="2026-11-19T23:30:00Z"),
    "a step by its web address": changed(bizStep="https://ref.gs1.org/cbv/BizStep-receiving"),
    "a step by its old URN": changed(bizStep="urn:epcglobal:cbv:bizstep:receiving"),
    "a key as a Digital Link": changed(
        epcList=["https://id.gs1.org/01/10614141073464/21/2017", "https://example.com/x/01/10614141073464/21/2018?a=b"]
    ),
    "a lot named beside the serial": changed(
        epcList=["https://id.gs1.org/01/10614141073464/10/L/21/2017", "urn:epc:id:sgtin:0614141.107346.2018"]
    ),
    "a whole number with or without its point": changed(
        sensorElementList=[{"sensorReport": [{"uom": "CEL", "value": 26, "type": "Temperature"}]}]
    ),
    "a transaction's members turned round": changed(
        bizTransactionList=[{"bizTransaction": "urn:example:1", "type": "po"}]
    ),
    "an id, a time of recording and a declared error": changed(
        eventID="urn:uuid:1", recordTime="2026-11-21T00:00:00Z",
        errorDeclaration={"declarationTime": "2026-11-22T00:00:00Z"},
    ),
    "a comment": changed(**{"rdfs:comment": "nothing"}),
}  # fmt: skip


@pytest.mark.parametrize("event", SAME.values(), ids=SAME)
def test_the_hash_does_not_hang_on(event: dict[str, Any]) -> None:
    assert hash_id(event, NAMES) == hash_id(EVENT, NAMES)


def test_the_hash_does_not_hang_on_what_a_namespace_is_called() -> None:
    renamed = {name.replace("ex:", "other:"): value for name, value in EVENT.items() if name != "ex:mine"}
    renamed["other:mine"] = {"other:a": "1", "other:b": "2"}
    assert hash_id(renamed, {"other": NAMES["ex"]}) == hash_id(EVENT, NAMES)


OTHER: dict[str, dict[str, Any]] = {
    "another millisecond": changed(eventTime="2026-11-20T06:30:00.001+07:00"),
    "another zone claimed": changed(eventTimeZoneOffset="+08:00"),
    "another step": changed(bizStep="arriving"),
    "one key fewer": changed(epcList=EVENT["epcList"][:1]),
    "another quantity": changed(quantityList=[{**EVENT["quantityList"][0], "quantity": 5}]),
    "another type of transaction": changed(bizTransactionList=[{"type": "inv", "bizTransaction": "urn:example:1"}]),
    "another value of one's own": changed(**{"ex:mine": {"ex:a": "1", "ex:b": "3"}}),
    "another type of event": changed(type="TransactionEvent"),
}


@pytest.mark.parametrize("event", OTHER.values(), ids=OTHER)
def test_the_hash_changes_with(event: dict[str, Any]) -> None:
    assert hash_id(event, NAMES) != hash_id(EVENT, NAMES)


def test_a_hash_is_told_from_other_ids() -> None:
    assert is_hash_id(hash_id(EVENT))
    assert not is_hash_id("urn:uuid:0190f3c2-0000-7000-8000-000000000001")
    assert not is_hash_id(hash_id(EVENT).replace("CBV2.0", "CBV2.1"))


KEYS = {
    "urn:epc:id:sgtin:0614141.107346.2017": "https://id.gs1.org/01/10614141073464/21/2017",
    "urn:epc:class:lgtin:4012345.012345.998877": "https://id.gs1.org/01/04012345123456/10/998877",
    "urn:epc:idpat:sgtin:0614141.107346.*": "https://id.gs1.org/01/10614141073464",
    "urn:epc:id:sscc:0614141.1234567890": "https://id.gs1.org/00/106141412345678908",
    "urn:epc:id:sgln:0614141.07346.0": "https://id.gs1.org/414/0614141073467",
    "urn:epc:id:sgln:0614141.07346.1234": "https://id.gs1.org/414/0614141073467/254/1234",
    "urn:epc:id:pgln:4012345.00225": "https://id.gs1.org/417/4012345002256",
    "urn:epc:id:grai:0614141.00777.234": "https://id.gs1.org/8003/00614141007776234",
    "urn:epc:id:giai:4000001.111": "https://id.gs1.org/8004/4000001111",
    "urn:epc:id:gdti:0614141.06012.1234": "https://id.gs1.org/253/06141410601221234",
    "urn:epc:id:gsrn:0614141.0000010253": "https://id.gs1.org/8018/061414100000102534",
    "urn:epc:id:sgtin:0614141.107346.A+B": "https://id.gs1.org/01/10614141073464/21/A%2BB",
    "https://example.com/gtin/614141073464/ser/7": "https://id.gs1.org/01/00614141073464/21/7",
    "https://example.com/01/0614141073464/21/7": "https://id.gs1.org/01/00614141073464/21/7",
    "https://id.gs1.org/01/10614141073464/22/V/10/L": "https://id.gs1.org/01/10614141073464/10/L",
    "urn:epc:id:sgtin:0614141.10734.2017": None,
    "urn:epc:id:sscc:0614141.123456789": None,
    "urn:epc:id:unknown:1.2": None,
    "https://example.com/products/1": None,
    "nothing": None,
}


@pytest.mark.parametrize("uri", KEYS, ids=str)
def test_a_gs1_key_has_one_spelling(uri: str) -> None:
    assert canonical(uri) == KEYS[uri]
