from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from trace.epcis import events
from trace.epcis.events import Amount, Core, ErrorDeclaration, Ilmd, Reading, grams, packs
from trace.gs1.digital_link import class_uri

VN = timezone(timedelta(hours=7))
WHEN = datetime(2026, 11, 20, 6, 30, tzinfo=VN)
ID = UUID("01931f3c-8a00-7abc-8def-0123456789ab")
TUBERS = class_uri("9506000134352", "BL26M-7K3Q9-C")
STARCH = class_uri("9506000134352", "BL26M-7K3Q9-U")
PACKS = class_uri("9506000134352", "BL26M-7K3Q9-G")
FIELD = "9506000117843"


def core(**more: Any) -> Core:
    return Core(ID, WHEN, read_point=FIELD, biz_location=FIELD, **more)


def test_a_harvest_is_the_birth_of_a_lot() -> None:
    ilmd = Ilmd(lot="BL26M-7K3Q9-C", harvested=date(2026, 11, 20), origin_country="VN")
    assert events.harvest(core(), grams(TUBERS, 1_250_000), ilmd) == {
        "eventID": f"urn:uuid:{ID}",
        "type": "ObjectEvent",
        "eventTime": "2026-11-20T06:30:00.000+07:00",
        "eventTimeZoneOffset": "+07:00",
        "action": "ADD",
        "quantityList": [{"epcClass": TUBERS, "quantity": 1_250_000, "uom": "GRM"}],
        "bizStep": "commissioning",
        "disposition": "active",
        "readPoint": {"id": "https://id.gs1.org/414/9506000117843"},
        "bizLocation": {"id": "https://id.gs1.org/414/9506000117843"},
        "ilmd": {
            "cbvmda:lotNumber": "BL26M-7K3Q9-C",
            "cbvmda:harvestEndDate": "2026-11-20",
            "cbvmda:countryOfOrigin": "VN",
        },
    }


@pytest.mark.parametrize(
    "claimed", [timedelta(hours=7, seconds=30), timedelta(hours=14, minutes=1), timedelta(hours=-23)]
)
def test_an_offset_that_no_clock_on_earth_has_is_refused(claimed: timedelta) -> None:
    with pytest.raises(ValueError, match="no offset"):
        Core(ID, WHEN.replace(tzinfo=timezone(claimed)))


def test_settling_turns_tubers_into_starch_and_has_no_action() -> None:
    event = events.transform(core(), [grams(TUBERS, 1000)], [grams(STARCH, 250)])
    assert (event["type"], event["bizStep"], event["disposition"]) == (
        "TransformationEvent",
        "commissioning",
        "in_progress",
    )
    assert "action" not in event
    assert event["inputQuantityList"][0]["epcClass"] == TUBERS
    assert event["outputQuantityList"] == [{"epcClass": STARCH, "quantity": 250, "uom": "GRM"}]


def test_packs_are_counted_without_a_unit() -> None:
    event = events.pack(core(), [grams(STARCH, 1000)], [packs(PACKS, 2)], Ilmd(expires=date(2027, 11, 20)))
    assert event["outputQuantityList"] == [{"epcClass": PACKS, "quantity": 2}]
    assert (event["bizStep"], event["disposition"]) == ("packing", "sellable_not_accessible")
    assert event["ilmd"] == {"cbvmda:itemExpirationDate": "2027-11-20"}


def test_each_reading_has_a_report() -> None:
    readings = (
        Reading("Temperature", Decimal("21.50"), "CEL", WHEN, "https://id.gs1.org/8004/9506000111"),
        Reading("Moisture", Decimal("13"), "P1"),
    )
    event = events.observe(core(readings=readings), [grams(STARCH, 250)])
    assert event["bizStep"] == "sensor_reporting"
    assert "disposition" not in event
    assert event["sensorElementList"] == [
        {
            "sensorMetadata": {
                "time": "2026-11-20T06:30:00.000+07:00",
                "deviceID": "https://id.gs1.org/8004/9506000111",
            },
            "sensorReport": [{"type": "Temperature", "value": 21.5, "uom": "CEL"}],
        },
        {"sensorReport": [{"type": "soi:Moisture", "value": 13, "uom": "P1"}]},
    ]


def test_an_inspection_leaves_its_verdict_on_the_lot() -> None:
    good = events.inspect(core(), [grams(STARCH, 250)], conformant=True)
    bad = events.inspect(core(), [grams(STARCH, 250)], conformant=False)
    assert good["persistentDisposition"] == {"set": ["conformant"], "unset": ["non_conformant"]}
    assert bad["persistentDisposition"] == {"set": ["non_conformant"], "unset": ["conformant"]}


def test_a_recall_holds_the_packs_back() -> None:
    event = events.recall(core(), [packs(PACKS, 3)])
    assert (event["bizStep"], event["persistentDisposition"]) == ("holding", {"set": ["recalled"]})
    assert events.lift_recall(core(), [packs(PACKS, 3)])["persistentDisposition"] == {"unset": ["recalled"]}


def test_a_pack_goes_out_arrives_and_is_sold() -> None:
    out, arrived, sold = (
        do(core(), [packs(PACKS, 1)]) for do in (events.dispatch, events.receive, events.sell)
    )
    assert (out["bizStep"], out["disposition"]) == ("shipping", "in_transit")
    assert arrived["bizStep"] == "receiving"
    assert (sold["bizStep"], sold["disposition"]) == ("retail_selling", "retail_sold")


def test_a_case_holds_packs_under_its_own_parcel_number() -> None:
    event = events.put_in_case(core(), "006141411234567890", [packs(PACKS, 20)])
    assert (event["type"], event["action"]) == ("AggregationEvent", "ADD")
    assert event["parentID"] == "https://id.gs1.org/00/006141411234567890"
    assert event["childQuantityList"] == [{"epcClass": PACKS, "quantity": 20}]


def test_a_correction_repeats_the_event_and_names_what_tells_it_right() -> None:
    first = events.transform(core(), [grams(TUBERS, 1000)], [grams(STARCH, 250)])
    declared = ErrorDeclaration(WHEN, "incorrect_data", (f"urn:uuid:{ID}",))
    again = events.correct(first, declared)
    assert again.pop("errorDeclaration") == {
        "declarationTime": "2026-11-20T06:30:00.000+07:00",
        "reason": "incorrect_data",
        "correctiveEventIDs": [f"urn:uuid:{ID}"],
    }
    assert again == first


def test_a_document_gives_each_prefix_a_meaning() -> None:
    event = events.harvest(core(extra={"soi:process": "mien-dong"}), grams(TUBERS, 1))
    found = events.document([event], datetime(2026, 11, 20, tzinfo=UTC), "https://soi.example/voc/")
    assert found["schemaVersion"] == "2.0"
    assert found["creationDate"] == "2026-11-20T00:00:00.000+00:00"
    assert found["@context"][1]["soi"] == "https://soi.example/voc/"
    assert found["epcisBody"]["eventList"] == [event]
    assert event["soi:process"] == "mien-dong"


def test_what_epcis_forbids_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="ADD"):
        events.object_event(core(biz_step="shipping"), "OBSERVE", [grams(TUBERS, 1)], Ilmd(lot="A"))
    with pytest.raises(ValueError, match="positive"):
        grams(TUBERS, 0)
    with pytest.raises(ValueError, match="unit code"):
        Amount(TUBERS, 1, "kg")
    with pytest.raises(ValueError, match="offset"):
        Core(ID, datetime(2026, 11, 20), "packing")
    with pytest.raises(ValueError, match="input"):
        events.transform(core(), [], [grams(STARCH, 1)])
    with pytest.raises(ValueError, match="prefix"):
        events.observe(core(extra={"process": "x"}), [grams(STARCH, 1)])
    with pytest.raises(ValueError, match="business step"):
        events.object_event(core(), "OBSERVE", [grams(STARCH, 1)])
