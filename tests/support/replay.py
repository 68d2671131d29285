"""What the ledger's own bytes say there is: every batch, every step of ancestry, every case, without any service.

Reads entries in the log's order and knows EPCIS alone. Of an event that was declared wrong nothing counts.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

GONE = ("shipping", "destroying")
"""Business steps after which what was named is no longer there."""


@dataclass
class Replayed:
    """Amounts are packs for what is counted, grams for the rest; batches are named by their canonical ids."""

    made: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    edges: dict[tuple[str, str], int] = field(default_factory=dict)
    """Grams of (child, parent)."""
    cases: dict[str, tuple[str, dict[str, int]]] = field(default_factory=dict)
    """By SSCC: what became of it, and the packs in it."""
    transformations: list[tuple[dict[str, int], dict[str, int]]] = field(default_factory=list)
    """What went in and what came out, both in grams."""


def replay(bodies: Iterable[bytes], net_grams: Mapping[str, int]) -> Replayed:
    """Replay a log. `net_grams`: a pack's weight by GTIN, which stands on the pack and not on the ledger."""
    records = [json.loads(body) for body in bodies]
    events = [record["event"] for record in records if record["type"] == "event"]
    wrong = {record["event"]["eventID"] for record in records if record["type"] == "correction"}
    found = Replayed()
    for event in events:
        for part in _born(event):
            # One that was taken back has been there all the same, with nothing in it.
            found.made.setdefault(part["epcClass"], 0)
            found.left.setdefault(part["epcClass"], 0)
        if event["type"] == "AggregationEvent":
            found.cases.setdefault(event["soi:sscc"], ("opened", {}))
    standing = [event for event in events if event["eventID"] not in wrong]
    for event in standing:
        for part in _born(event):
            found.made[part["epcClass"]] += part["quantity"]
            found.left[part["epcClass"]] += part["quantity"]
    for event in standing:
        for part in _taken(event):
            found.left[part["epcClass"]] -= part["quantity"]
        _edges(found, event, net_grams)
    for event in standing:
        _case(found, event)
    return found


def _born(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    if event["type"] == "TransformationEvent":
        return list(event["outputQuantityList"])
    return list(event["quantityList"]) if event["type"] == "ObjectEvent" and event["action"] == "ADD" else []


def _taken(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    if event["type"] == "TransformationEvent":
        return list(event["inputQuantityList"])
    gone = event["type"] == "ObjectEvent" and event["bizStep"] in GONE
    return list(event["quantityList"]) if gone else []


def _edges(found: Replayed, event: Mapping[str, Any], net_grams: Mapping[str, int]) -> None:
    if event["type"] != "TransformationEvent":
        return
    inputs = {part["epcClass"]: _grams(part, net_grams) for part in event["inputQuantityList"]}
    outputs = {part["epcClass"]: _grams(part, net_grams) for part in event["outputQuantityList"]}
    found.transformations.append((inputs, outputs))
    whole = sum(outputs.values())
    for parent, taken in inputs.items():
        told = 0
        so_far = 0
        for child, grams in outputs.items():
            so_far += grams
            upto = taken * so_far // whole
            found.edges[child, parent] = found.edges.get((child, parent), 0) + upto - told
            told = upto


def _case(found: Replayed, event: Mapping[str, Any]) -> None:
    sscc = event.get("soi:sscc")
    if sscc is None:
        return
    if event["type"] == "AggregationEvent" and event["action"] == "ADD":
        content = {part["epcClass"]: part["quantity"] for part in event["childQuantityList"]}
        # A packing that was told again comes after what may have become of the case only in the log, never in life.
        status = found.cases[sscc][0] if found.cases[sscc][1] else "closed"
        found.cases[sscc] = (status, content)
        return
    ends = {"unpacking": "opened", "shipping": "shipped", "destroying": "lost"}
    found.cases[sscc] = (ends[event["bizStep"]], found.cases[sscc][1])


def _grams(part: Mapping[str, Any], net_grams: Mapping[str, int]) -> int:
    if part.get("uom") == "GRM":
        return int(part["quantity"])
    return int(part["quantity"]) * net_grams[part["epcClass"].split("/01/")[1].split("/")[0]]
