"""Our event hashes beside those of GS1 Germany's reference generator, over all of the example events."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.oracles.hands import Oracle
from trace.epcis.hashing import pre_hash
from trace.epcis.reading import Read, read_document, read_event
from trace.epcis.vocabulary import CONTEXT

CANNOT = {
    # A business transaction without a type, and twice a prefix of GS1's own given another meaning.
    "Combination_of_different_event.json": "list index out of range",
    "TransactionEvent.json": "list index out of range",
    "TransformationEvent_all_possible_fields.json": "protected term",
}
"""Examples with an event on which the generator itself dies."""


def test_every_example_event_has_the_hash_that_the_reference_generator_gives_it(
    hasher: Oracle, conformance_data: Path
) -> None:
    equal, died = 0, set[str]()
    for path in sorted((conformance_data / "epcis").glob("[DE]*/*.json")):
        for read in _events(json.loads(path.read_text())):
            answer = hasher.ask("hash", document=_alone(read))
            if "error" in answer:
                assert CANNOT[path.name] in answer["error"]
                died.add(path.name)
                continue
            assert [pre_hash(read.event, read.namespaces)] == answer["hashed"], path.name
            equal += 1
    assert (equal, died) == (70, set(CANNOT))


def _events(told: Any) -> Iterator[Read]:
    yield from read_document(told).events if "epcisBody" in told else (read_event(told),)


def _alone(read: Read) -> Mapping[str, Any]:
    """One event in a document that declares its namespaces: the generator takes an event's own `@context` for data."""
    return {
        "@context": [CONTEXT, *({prefix: told} for prefix, told in read.namespaces.items())],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-20T00:00:00Z",
        "epcisBody": {"eventList": [{name: one for name, one in read.event.items() if name != "@context"}]},
    }
