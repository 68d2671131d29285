"""Does a lot's story hold? Every stored byte behind it is hashed again, and every shown value is compared with it.

Checked for each entry of the lot's ancestry: its bytes hash to its leaf, a phone's or the custodian's key signed it,
it stands in the tree that the log's key signed, each batch's chain runs without a gap, and the rows that the page
shows say what the entry says. A fault carries the entry and event at which it lies, so that the page cuts the strand
right there.
"""

import base64
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import InvalidOperation
from functools import cached_property
from typing import Any

from trace.epcis.events import sensor_element
from trace.events.models import Event, EventBatch
from trace.events.readings import epcis_reading
from trace.gs1.digital_link import class_uri, parcel_uri, place_uri
from trace.gs1.errors import Gs1Error
from trace.ledger import merkle
from trace.ledger.canonical import parse
from trace.ledger.checkpoint import Checkpoint, open_checkpoint
from trace.ledger.errors import LedgerError
from trace.ledger.keyring import Keyring, SignedBy
from trace.ledger.note import Verifier
from trace.lots.models import Batch, Edge
from trace.scan.family import Family, Link, Stored
from trace.series.reduced import digest

Record = Mapping[str, Any]
Quantity = tuple[str, int | None, str | None]
"""Class id, amount (None where the ledger alone knows it), unit (GRM, or None for packs)."""

_SHAPES = {
    "commission": ("ObjectEvent", "ADD"),
    "transform": ("TransformationEvent", None),
    "pack": ("TransformationEvent", None),
    "observe": ("ObjectEvent", "OBSERVE"),
    "inspect": ("ObjectEvent", "OBSERVE"),
    "dispatch": ("ObjectEvent", "OBSERVE"),
    "buy": ("ObjectEvent", "ADD"),
    "split": ("TransformationEvent", None),
    "merge": ("TransformationEvent", None),
    "lose": ("ObjectEvent", "DELETE"),
    "case": ("AggregationEvent", "ADD"),
    "uncase": ("AggregationEvent", "DELETE"),
}
_LISTS = {"TransformationEvent": "inputQuantityList", "AggregationEvent": "childQuantityList"}
_OWN_FACTS = ("soi:process", "soi:stage")


@dataclass(frozen=True)
class Fault:
    """Something that does not hold. `slug` says what; `told` is the ledger's value and `shown` the page's, if any."""

    slug: str
    index: int | None = None
    event: str | None = None
    told: Any = None
    shown: Any = None


@dataclass(frozen=True)
class Verdict:
    """What came of the proof: how many entries were checked, the log's size, and every fault found."""

    entries: int
    size: int
    faults: tuple[Fault, ...]
    signed: Mapping[int, SignedBy]
    """Who signed each entry that was checked."""

    @property
    def whole(self) -> bool:
        """True when everything held."""
        return not self.faults

    def at(self, event: Event) -> Fault | None:
        """The first fault at this event's knot."""
        places = (event.id, event.entry_index, event.correction_entry)
        found = [self._first[place] for place in places if place in self._first]
        return self.faults[min(found)] if found else None

    @cached_property
    def _first(self) -> Mapping[str | int | None, int]:
        """The place in `faults` of the first one at each event and each entry."""
        first: dict[str | int | None, int] = {}
        for number, fault in enumerate(self.faults):
            for place in (fault.event, fault.index):
                if place is not None:
                    first.setdefault(place, number)
        return first


def prove(family: Family) -> Verdict:
    """Check everything. Never raises, whatever the database holds; reads nothing that `family` has not."""
    return _Proof(family).run()


class _Proof:
    def __init__(self, family: Family) -> None:
        self.family = family
        self.faults: list[Fault] = []
        self.bad: set[int] = set()
        self.records: dict[int, Record] = {}
        self.leaves: dict[int, bytes] = {}
        self.signed: dict[int, SignedBy] = {}
        self.keys_known = True
        self.keyring = Keyring(family.state.origin if family.state else "")

    def run(self) -> Verdict:
        """Bytes first, then chains, then what is shown: a later step leaves alone what an earlier one named."""
        head = self._head()
        for index in sorted(self.family.entries):
            self._guarded(index, lambda stored: self._entry(stored, head))
        by_index = {link.index for link in self.family.links}
        by_index |= {event.entry_index for event in self.family.events}
        by_index |= {e.correction_entry for e in self.family.events if e.correction_entry is not None}
        for index in sorted(by_index - self.family.entries.keys()):
            self._fault("missing", index)
        self._chains()
        self._unlisted()
        self._recalls()
        for event in self.family.events:
            try:
                self._event(event)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError, InvalidOperation, Gs1Error):
                self._fault("unreadable", event.entry_index, event.id)
        self._edges()
        size = head.size if head else 0
        return Verdict(len(self.family.entries), size, tuple(self.faults), self.signed)

    def _fault(
        self, slug: str, index: int | None = None, event: str | None = None, told: Any = None, shown: Any = None
    ) -> None:
        self.faults.append(Fault(slug, index, event, told, shown))
        if index is not None:
            self.bad.add(index)

    def _guarded(self, index: int, check: Any) -> None:
        try:
            slug = check(self.family.entries[index])
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            slug = "unreadable"
        if slug:
            self._fault(slug, index)

    def _head(self) -> Checkpoint | None:
        """The signed checkpoint, or a fault of the log as a whole."""
        state = self.family.state
        if state is None:
            self._fault("checkpoint")
            return None
        try:
            opened = open_checkpoint(state.checkpoint, state.origin, [Verifier.parse(state.vkey)]).checkpoint
        except LedgerError:
            self._fault("checkpoint")
            return None
        if opened.size != state.size:
            self._fault("checkpoint")
        return opened

    def _entry(self, stored: Stored, head: Checkpoint | None) -> str | None:
        leaf = self.leaves[stored.index] = merkle.leaf_hash(stored.body)
        if leaf != stored.leaf_hash:
            return "bytes"
        record = self.records[stored.index] = parse(stored.body)
        try:
            if record["type"] == "key":
                self.keyring.learn(stored.index, record)
        except LedgerError:
            self.keys_known = False
            return "custodian"
        try:
            self.signed[stored.index] = self.keyring.check(stored.index, record)
        except LedgerError:
            # Where a key entry itself does not hold, that is named, and not every line which the key signed.
            if self.keys_known:
                return "signature"
        if head is None:
            return None
        try:
            path = merkle.assemble(merkle.inclusion_plan(stored.index, head.size), self.family.nodes)
            merkle.verify_inclusion(leaf, stored.index, head.size, path, head.root)
        except LedgerError:
            return "tree"
        return None

    def _chains(self) -> None:
        """Each batch's entries follow one another, each naming the one before by its hash."""
        before: Link | None = None
        for link in self.family.links:
            if before is not None and before.batch != link.batch:
                before = None
            if link.index not in self.bad and not self._follows(link, before):
                self._fault("chain", link.index)
            before = link

    def _follows(self, link: Link, before: Link | None) -> bool:
        if link.seq != (before.seq + 1 if before else 0) or link.leaf_hash != self.leaves.get(link.index):
            return False
        record = self.records.get(link.index)
        told = [one for one in record["chain"] if one["batch"] == link.batch] if record else []
        if len(told) != 1 or told[0]["seq"] != link.seq:
            return False
        if before is None:
            return told[0]["prev"] is None
        # What does not hold in the entry before is named there, not here as well.
        leaf = self.leaves.get(before.index)
        return before.index in self.bad or (leaf is not None and told[0]["prev"] == base64.b64encode(leaf).decode())

    def _unlisted(self) -> None:
        """Every event on these chains is shown: one that lost its row was taken out of the story."""
        listed = {event.entry_index for event in self.family.events}
        corrections = {event.correction_entry for event in self.family.events}
        for index in sorted({link.index for link in self.family.links} - self.bad):
            kind = self.records[index]["type"]
            if (kind == "event" and index not in listed) or (kind == "correction" and index not in corrections):
                self._fault("unlisted", index)

    def _recalls(self) -> None:
        """A lot is shown as recalled exactly while its newest recall entry says so."""
        newest: dict[str, tuple[int, bool]] = {}
        for link in self.family.links:
            record = self.records.get(link.index)
            if record is not None and record["type"] == "recall" and link.index not in self.bad:
                told = record["event"].get("persistentDisposition", {})
                newest[link.batch] = link.index, "recalled" in told.get("set", [])
        for batch in self.family.batches.values():
            index, recalled = newest.get(batch.epc, (None, False))
            if recalled is not (batch.hold == "recalled"):
                self._fault("recall", index, None, recalled, not recalled)

    def _event(self, event: Event) -> None:
        record = self.records.get(event.entry_index)
        if record is None or event.entry_index in self.bad:
            return
        told = record["event"]
        found = self._plain(event, told, record) or self._amounts(event, told) or self._correction(event, told)
        if found is None and event.corrected_by is None:
            found = self._outcome(event, told)
        if found is not None:
            slug, ledger, shown = found
            self._fault(slug, None, event.id, ledger, shown)

    def _plain(self, event: Event, told: Record, record: Record) -> tuple[str, Any, Any] | None:
        """Identity, kind, time, place, readings, verdict and pictures."""
        if record["type"] != "event" or told["eventID"] != f"urn:uuid:{event.id}":
            return "identity", None, None
        if (told["type"], told.get("action")) != _SHAPES[event.kind]:
            return "stage", told.get("soi:stage"), event.stage
        stage = (told["soi:process"], told["soi:stage"])
        if stage != (f"{event.process}/{event.process_version}", event.stage):
            return "stage", told["soi:stage"], event.stage
        moment = dt.datetime.fromisoformat(told["eventTime"])
        offset = dt.timedelta(minutes=event.offset_minutes)
        if moment != _millisecond(event.occurred_at) or moment.utcoffset() != offset:
            return "time", moment, event.occurred_at
        if told["readPoint"]["id"] != place_uri(event.site.gln):
            return "place", told["readPoint"]["id"], event.site.gln
        if told.get("sensorElementList", []) != _read(event):
            return "reading", None, None
        if not self._series_hold(event):
            return "series", None, None
        if event.kind == "inspect" and ("conformant" in told["persistentDisposition"]["set"]) != bool(event.passed):
            return "verdict", None, None
        if list(record.get("photos", [])) != list(event.photos):
            return "photo", None, None
        facts = {name: text for name, text in told.items() if name.startswith("soi:") and name not in _OWN_FACTS}
        if facts != {f"soi:{name}": text for name, text in event.facts.items()}:
            return "fact", None, None
        if event.kind in ("case", "uncase") and told["parentID"] != parcel_uri(event.facts["sscc"]):
            return "fact", None, None
        return None

    def _series_hold(self, event: Event) -> bool:
        """The curves beside an event are those whose hashes its readings, and so the ledger, name."""
        named = {place: one["series"] for place, one in enumerate(event.readings) if "series" in one}
        stored = {place: digest(body) for place, body in self.family.series.get(event.id, {}).items()}
        return named == stored

    def _amounts(self, event: Event, told: Record) -> tuple[str, Any, Any] | None:
        inputs = told.get(_LISTS.get(told["type"], "quantityList"), [])
        outputs = told.get("outputQuantityList" if told["type"] == "TransformationEvent" else "quantityList", [])
        pairs = {
            "commission": ((outputs, "output"),),
            "buy": ((outputs, "output"),),
            "dispatch": ((inputs, "input"),),
            "lose": ((inputs, "input"),),
            "observe": ((inputs, "about"),),
            "inspect": ((inputs, "about"),),
            "case": ((inputs, "about"),),
            "uncase": ((inputs, "about"),),
        }.get(event.kind, ((inputs, "input"), (outputs, "output")))
        known = {part for _, part in pairs}
        if any(part.part not in known for part in event.parts):
            return "amount", None, None
        for listed, name in pairs:
            parts = [part for part in event.parts if part.part == name]
            if len(listed) != len(parts):
                return "amount", None, None
            for one, part in zip(listed, parts, strict=True):
                epc, quantity, unit = _quantity(part)
                if one["epcClass"] != epc:
                    return "lot", None, None
                if quantity is not None and (one["quantity"], one.get("uom")) != (quantity, unit):
                    return "amount", _amount(one["quantity"], one.get("uom")), _amount(quantity, unit)
                if unit is None and part.grams != (part.units or 0) * (part.batch.product.net_grams or 0):
                    return "amount", None, None
        return None

    def _correction(self, event: Event, told: Record) -> tuple[str, Any, Any] | None:
        """A row that calls itself corrected has its declaration on the ledger, word for word."""
        if event.corrected_by is None and event.correction_entry is None:
            return None
        index = event.correction_entry
        if event.corrected_by is None or index is None or index not in self.records:
            return "correction", None, None
        record = self.records[index]
        again = dict(record["event"])
        declared = again.pop("errorDeclaration", {})
        named = declared.get("correctiveEventIDs", [])
        holds = (
            record["type"] == "correction"
            and again == told
            and declared.get("reason") == event.correction_reason
            and (not named or f"urn:uuid:{event.corrected_by}" in named)
        )
        return None if holds else ("correction", None, None)

    def _outcome(self, event: Event, told: Record) -> tuple[str, Any, Any] | None:
        """The batches that came out are what their standing event says."""
        for part in event.parts:
            batch = part.batch
            if part.part != "output" or batch.id not in self.family.batches:
                continue
            if batch.epc != class_uri(batch.gtin, batch.lot):
                return "lot", None, None
            # What is split or blended may have come from outside, too: that is told by what it was made of.
            if event.kind not in ("split", "merge") and batch.outside != event.facts.get("origin"):
                return "fact", None, None
            if batch.made_units is not None and batch.made_units != part.units:
                return "amount", _amount(part.units or 0, None), _amount(batch.made_units, None)
            if batch.made_grams != part.grams:
                return "amount", _amount(part.grams or 0, "GRM"), _amount(batch.made_grams, "GRM")
            if _millisecond(batch.made_at) != _millisecond(event.occurred_at) or batch.void:
                return "time", event.occurred_at, batch.made_at
            ilmd = told.get("ilmd", {})
            expires = batch.best_before.isoformat() if batch.best_before else None
            if "cbvmda:lotNumber" in ilmd and (
                ilmd["cbvmda:lotNumber"] != batch.lot or ilmd.get("cbvmda:itemExpirationDate") != expires
            ):
                return "best-before", ilmd.get("cbvmda:itemExpirationDate"), expires
        return None

    def _edges(self) -> None:
        """The steps of ancestry are those of the standing events, no more and no fewer."""
        kept = _by_event(self.family.edges, self.family.batches)
        blamed = {fault.event for fault in self.faults} | {
            event.id for event in self.family.events if event.entry_index in self.bad
        }
        for event in self.family.events:
            stored = kept.pop(event.id, set())
            made = _made_of(event, self.family.batches) if event.corrected_by is None else set()
            if stored != made and event.id not in blamed:
                self._fault("parents", None, event.id)
        for event_id in kept:
            self._fault("parents", None, event_id)


def _by_event(edges: Iterable[Edge], batches: Mapping[str, Batch]) -> dict[str, set[tuple[str, str, int]]]:
    found: dict[str, set[tuple[str, str, int]]] = {}
    for edge in edges:
        if edge.child_id in batches:
            found.setdefault(edge.event_id, set()).add((edge.parent_id, edge.child_id, edge.grams))
    return found


def _made_of(event: Event, batches: Mapping[str, Batch]) -> set[tuple[str, str, int]]:
    """Its inputs' grams shared out over its outputs by weight, as `trace.events.services` does it."""
    outputs = [part for part in event.parts if part.part == "output"]
    total = sum(part.grams or 0 for part in outputs)
    found: set[tuple[str, str, int]] = set()
    for parent in event.parts:
        if parent.part != "input" or not outputs:
            continue
        before, taken = 0, parent.grams or 0
        for child in outputs:
            after = before + (child.grams or 0)
            grams = taken * after // total - taken * before // total if total else 0
            before = after
            if child.batch_id in batches:
                found.add((parent.batch_id, child.batch_id, grams))
    return found


def _quantity(part: EventBatch) -> Quantity:
    if part.units is not None:
        return part.batch.epc, part.units, None
    return part.batch.epc, part.grams or None, "GRM"


def _amount(quantity: int, unit: str | None) -> tuple[int, str]:
    return quantity, "grams" if unit else "packs"


def _read(event: Event) -> list[Record]:
    """The event's readings as the ledger would have them."""
    return [sensor_element(epcis_reading(one)) for one in event.readings]


def _millisecond(moment: dt.datetime) -> dt.datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
