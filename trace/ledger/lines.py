"""One entry as people read it. What is said comes from the entry's own bytes; rows only add names and neighbours."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from trace.events.models import Event
from trace.gs1.digital_link import parse_class_uri
from trace.gs1.errors import Gs1Error
from trace.ledger import words
from trace.ledger.canonical import parse
from trace.ledger.errors import LedgerError
from trace.ledger.fingerprint import fingerprint
from trace.ledger.merkle import leaf_hash
from trace.ledger.models import Commitment, Erasure, LedgerEntry, LedgerKey, LedgerLink
from trace.ledger.readable import readable, readable_bytes, visible
from village import i18n
from village.i18n import in_language
from village.products.models import Product

Pair = tuple[int, str]


@dataclass(frozen=True)
class Lot:
    """A batch, as far as its identity tells. `href` is empty when it is not one of ours to show."""

    text: str
    href: str = ""
    product: str = ""


@dataclass(frozen=True)
class Share:
    """So much of a batch went in, came out or was looked at."""

    lot: Lot
    amount: str


@dataclass(frozen=True)
class Knot:
    """The entry's place in one batch's own chain, with its neighbours there."""

    lot: Lot
    seq: int
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Signed:
    """Who signed. `by` is device, custodian or nobody."""

    by: str
    key: str = ""
    """A phone's fingerprint in digits, the custodian's key ID in hex."""
    number: int | None = None
    enrolled: int | None = None
    """The entry that brought the key in, where a row tells."""


@dataclass(frozen=True)
class Promise:
    """A commitment, and what became of what it is about: kept, erased, or absent where no row tells."""

    name: str
    commitment: str
    state: str
    erased_at: dt.datetime | None = None
    told: int | None = None


@dataclass(frozen=True)
class Line:
    """An entry, told."""

    index: int
    kind: str
    title: str
    recorded_at: dt.datetime
    happened_at: str
    """When it happened, as its phone claimed it; empty where nothing did."""
    event: Event | None
    shares: Mapping[str, Sequence[Share]]
    """By part: input, output, about, gone, packed, unpacked."""
    facts: Sequence[tuple[str, str]]
    """What this kind of event says besides, such as where something was bought, by its name."""
    readings: Sequence[dict[str, Any]]
    passed: bool | None
    photos: int
    place: str
    """A place's number; empty when there is none."""
    chain: Sequence[Knot]
    signed: Signed
    promises: Sequence[Promise]
    keys: Sequence[tuple[str, str]]
    """What a key entry tells of: what it is, and the key, a phone's as its fingerprint."""
    erased: Mapping[str, Sequence[int]]
    """What an erasure entry tells of: in which entries, by what it was."""
    reason: str
    livestream: str
    """The id of the livestream whose log it is about; empty for most."""
    corrected: int | None
    """The entry that took this one back."""
    corrects: int | None
    """The entry that this one takes back."""
    retold: int | None
    """The entry that tells a taken-back one right."""
    leaf: str
    whole: bool
    """False when the stored bytes are not those that were hashed."""
    raw: str
    size: int


def line(session: Session, entry: LedgerEntry) -> Line:
    """Tell an entry. Reads a handful of rows around it."""
    record = _record(entry.body)
    event = _object(record.get("event"))
    rows = _rows(session, entry.index)
    told = rows.get("entry") or rows.get("correction")
    links = [_object(link) for link in _list(record.get("chain"))]
    lots = _lots(session, [str(link.get("batch", "")) for link in links])
    retold = None
    if told is not None and told.corrected_by not in (None, told.id):
        retold = session.scalar(select(Event.entry_index).where(Event.id == told.corrected_by))
    return Line(
        index=entry.index,
        kind=words.kind_of(record),
        title=words.title(record, in_language(told.name_vi, told.name_en) if told else ""),
        recorded_at=entry.recorded_at,
        happened_at=_moment(event.get("eventTime")),
        event=told,
        shares=_shares(event, lots),
        facts=[*_facts(event), *words.claimed(record), *words.anchored(record)],
        readings=_readings(event),
        passed=_passed(event),
        photos=len(_list(record.get("photos"))),
        place=visible(str(_object(event.get("readPoint")).get("id", "")).rpartition("/")[2])[:20],
        chain=_chain(session, entry.index, lots),
        signed=_signed(session, record),
        promises=_promises(session, entry.index, record),
        keys=_keys(_object(record.get("key"))),
        erased=_erased(record),
        reason=words.reason_of(record),
        livestream=words.livestream(record),
        corrected=told.correction_entry if told and told.entry_index == entry.index else None,
        corrects=told.entry_index if told and told.correction_entry == entry.index else None,
        retold=retold,
        leaf=entry.leaf_hash.hex(),
        whole=leaf_hash(entry.body) == entry.leaf_hash and bool(record),
        raw=readable(record) if record else readable_bytes(entry.body),
        size=len(entry.body),
    )


def _record(body: bytes) -> dict[str, Any]:
    try:
        return parse(body)
    except LedgerError:
        return {}


def _rows(session: Session, index: int) -> dict[str, Event]:
    found = session.scalars(
        select(Event)
        .where(or_(Event.entry_index == index, Event.correction_entry == index))
        .options(joinedload(Event.site))
    ).all()
    return {"entry" if event.entry_index == index else "correction": event for event in found}


def _lots(session: Session, uris: Sequence[str]) -> dict[str, Lot]:
    parsed = {}
    for uri in uris:
        try:
            parsed[uri] = parse_class_uri(uri)
        except Gs1Error:
            continue
    gtins = {link.gtin for link in parsed.values()}
    products = session.scalars(select(Product).where(Product.gtin.in_(gtins))).all() if gtins else []
    names = {product.gtin: in_language(product.name_vi, product.name_en) for product in products}
    return {
        uri: Lot(parsed[uri].lot or uri, parsed[uri].path, names.get(parsed[uri].gtin, ""))
        if uri in parsed
        else Lot(visible(uri))
        for uri in uris
    }


def _shares(event: Mapping[str, Any], lots: Mapping[str, Lot]) -> dict[str, list[Share]]:
    # A batch that comes into the world, or leaves it, stands in the list of those that are looked at.
    where = {"ADD": "output", "DELETE": "gone"}.get(str(event.get("action")), "about")
    packed = {"ADD": "packed", "DELETE": "unpacked"}.get(str(event.get("action")), "about")
    parts = (
        ("input", "inputQuantityList"), ("output", "outputQuantityList"), (where, "quantityList"),
        (packed, "childQuantityList"),
    )  # fmt: skip
    found = {}
    for part, member in parts:
        shares = [_share(_object(one), lots) for one in _list(event.get(member))]
        if shares:
            found[part] = shares
    return found


def _facts(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What this kind of event says besides, with what each is called; a reason in its process's words."""
    found = []
    for name, what in words.FACTS.items():
        told = event.get(f"soi:{name}")
        if isinstance(told, str):
            found.append((str(what), words.reason_in(event, told) if name == "reason" else visible(told)))
    return found


def _share(one: Mapping[str, Any], lots: Mapping[str, Lot]) -> Share:
    uri = str(one.get("epcClass", ""))
    quantity = one.get("quantity")
    if type(quantity) is not int:
        return Share(lots.get(uri, Lot(visible(uri))), "")
    amount = (
        i18n.kilograms(quantity)
        if one.get("uom") == "GRM"
        else i18n.gettext("%(count)s gói", count=i18n.number(quantity))
        if "uom" not in one
        else f"{i18n.number(quantity)} {visible(str(one['uom']))}"
    )
    return Share(lots.get(uri, Lot(visible(uri))), amount)


def _readings(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for element in _list(event.get("sensorElementList")):
        for report in _list(_object(element).get("sensorReport")):
            one = _object(report)
            # Of a sensor's window the mean is told; its bounds and percentiles stand in the entry itself.
            told = one.get("value", one.get("meanValue"))
            if isinstance(told, int | float):
                kind = visible(str(one.get("type", ""))).removeprefix("soi:")
                value = format(Decimal(str(told)), "f")
                found.append({"type": kind, "value": value, "unit": visible(str(one.get("uom", "")))})
    return found


def _passed(event: Mapping[str, Any]) -> bool | None:
    if event.get("bizStep") != "inspecting":
        return None
    return "conformant" in _list(_object(event.get("persistentDisposition")).get("set"))


def _moment(text: Any) -> str:
    try:
        found = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return ""
    return i18n.moment(found) if found.tzinfo is not None else ""


def _chain(session: Session, index: int, lots: Mapping[str, Lot]) -> list[Knot]:
    own = session.execute(
        select(LedgerLink.batch, LedgerLink.seq).where(LedgerLink.entry_index == index).order_by(LedgerLink.batch)
    ).all()
    wanted = [(batch, seq + step) for batch, seq in own for step in (-1, 1)]
    if not wanted:
        return []
    near = session.execute(
        select(LedgerLink.batch, LedgerLink.seq, LedgerLink.entry_index).where(
            tuple_(LedgerLink.batch, LedgerLink.seq).in_(wanted)
        )
    )
    found = {(batch, seq): entry for batch, seq, entry in near}
    return [
        Knot(lots.get(batch, Lot(visible(batch))), seq, found.get((batch, seq - 1)), found.get((batch, seq + 1)))
        for batch, seq in own
    ]


def _keys(key: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for member, what in (("vkey", i18n.gettext("Khoá")), ("replaces", i18n.gettext("Thay cho khoá"))):
        if isinstance(key.get(member), str):
            found.append((what, visible(key[member])))
    if number := fingerprint(str(key.get("key", ""))):
        found.append((i18n.gettext("Khoá của máy ấy"), number))
    return found


def _erased(record: Mapping[str, Any]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index, name in words.erased_in(record):
        found.setdefault(words.commitment_name(name), []).append(index)
    return found


def _signed(session: Session, record: Mapping[str, Any]) -> Signed:
    device, custodian = _object(record.get("device")), _object(record.get("custodian"))
    if device:
        key, number = str(device.get("key", "")), device.get("seq")
        enrolled = session.scalar(select(LedgerKey.enrolled_entry).where(LedgerKey.key == key))
        return Signed("device", fingerprint(key), number if type(number) is int else None, enrolled)
    if custodian:
        key = visible(str(custodian.get("key", "")))[:8]
        theirs = select(LedgerKey.key, LedgerKey.enrolled_entry).where(LedgerKey.role == "custodian")
        enrolled = next((at for vkey, at in session.execute(theirs) if f"+{key}+" in vkey), None)
        return Signed("custodian", key, None, enrolled)
    return Signed("nobody")


def _promises(session: Session, index: int, record: Mapping[str, Any]) -> list[Promise]:
    made = _object(record.get("commitments"))
    if not made:
        return []
    kept = set(session.scalars(select(Commitment.name).where(Commitment.entry_index == index)))
    gone = {one.name: one for one in session.scalars(select(Erasure).where(Erasure.entry_index == index))}
    found = []
    for name, commitment in made.items():
        erasure = gone.get(name)
        state = "erased" if erasure else "kept" if name in kept else "absent"
        found.append(
            Promise(
                words.commitment_name(name, words.kind_of(record)), visible(str(commitment)), state,
                erasure.erased_at if erasure else None, erasure.told_entry if erasure else None,
            )
        )  # fmt: skip
    return found


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
