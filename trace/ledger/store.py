"""The ledger in the database: append inside the caller's transaction, and read proofs back.

The caller's transaction must be one of `village.db.write(ledger=True)`: it holds the log's lock, so that of all
processes only one appends at a time, and what it wrote beside the entries commits with them or not at all.
"""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import current_app
from sqlalchemy import Table, bindparam, func, select, tuple_, update
from sqlalchemy.orm import Session

from trace.ledger import foreign, keys, merkle
from trace.ledger.canonical import around, canonical
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.claims import check_claim
from trace.ledger.merkle import Frontier, Node, NodeId
from trace.ledger.models import (
    Commitment,
    Evidence,
    KeptCheckpoint,
    LedgerEntry,
    LedgerKey,
    LedgerLink,
    LedgerNode,
    LedgerState,
)
from trace.ledger.note import Signer, sign_note
from trace.ledger.tiles import ENTRIES, Tile, encode_entries, encode_hashes
from village import clock
from village.db import WRITES, before_commit, core, db, in_parts, insert_later, insert_now, write
from village.errors import NotFound, SoiError
from village.i18n import lazy_gettext as _l

VERSION = 1
MANY = 500
"""Batches asked for in one query."""
PEN = "soi_ledger_pen"
FLOOR = "soi.ledger.floor"
"""In the app's extensions: the log is at least so long, as a witness or this process has seen it."""
PATIENCE = dt.timedelta(minutes=1)
"""How far the clock may lie behind the newest entry, as clocks of several machines do: it then takes its time."""

# Statements of the hot path, built once: building one takes longer than running it.
_ENTRY = LedgerEntry.__table__.c
_LINK = LedgerLink.__table__.c
_STATE = LedgerState.__table__.c
_READ_STATE = select(LedgerState.__table__)
_READ_HEADS = select(_LINK.batch, _LINK.seq, _LINK.leaf_hash).where(
    tuple_(_LINK.batch, _LINK.seq).in_(
        select(_LINK.batch, func.max(_LINK.seq))
        .where(_LINK.batch.in_(bindparam("batches", expanding=True)))
        .group_by(_LINK.batch)
    )
)
_READ_HEAD = (
    select(_LINK.batch, _LINK.seq, _LINK.leaf_hash)
    .where(_LINK.batch == bindparam("batch"))
    .order_by(_LINK.seq.desc())
    .limit(1)
)
_READ_BACK = (
    select(_ENTRY.index, _ENTRY.body)
    .where(_ENTRY.index.between(bindparam("first"), bindparam("last")))
    .order_by(_ENTRY.index)
)
_ADVANCE = (
    update(LedgerState)
    .where(_STATE.id == 1, _STATE.size == bindparam("old_size"))
    .values({name: bindparam(f"new_{name}") for name in ("size", "frontier", "checkpoint", "signed_at")})
)


class CannotSign(SoiError):
    """The log must not sign anything now, and says why."""

    status = 503


@dataclass(frozen=True)
class Draft:
    """An entry to be: the server adds its links, its time and its place."""

    type: str
    """event, correction, key, erasure or claim."""
    event: dict[str, Any] | None
    """The EPCIS event, public fields only."""
    batches: tuple[str, ...] = ()
    """Class ids of all batches that it touches; each gets a link."""
    private: Mapping[str, str] = field(default_factory=dict)
    """Personal values by name. Only salted commitments to them go into the entry."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further public members of the entry."""
    born: frozenset[str] = frozenset()
    """Batches that this very entry brings into the world, as the caller knows: there is no older link to look for."""
    device: Mapping[str, Any] | None = None
    """What a phone signed: claim, key, seq and sig (docs/formats.md). The caller has checked the signature; without
    one, the custodian signs."""
    salts: Mapping[str, bytes] = field(default_factory=dict)
    """Salts of private values that a phone drew itself; the others are drawn here."""


@dataclass(frozen=True)
class Appended:
    """Where an entry stands."""

    index: int
    leaf_hash: bytes


@dataclass(frozen=True)
class Pen:
    """Where a transaction stands on the log: what it appended is sealed and signed once, just before the commit."""

    origin: str
    signing: keys.Keys
    before: int
    """Entries when the transaction began."""
    frontier: Frontier
    leaves: tuple[bytes, ...] = ()
    nodes: tuple[Node, ...] = ()
    heads: Mapping[str, tuple[int, bytes]] = field(default_factory=dict)
    """The newest link, number and leaf hash, of each batch that was looked up or appended to."""
    moment: dt.datetime | None = None
    """When the newest entry was recorded; None before the first."""


def append(session: Session, drafts: Sequence[Draft]) -> list[Appended]:
    """Append entries, in this order, inside the caller's transaction, which signs the new checkpoint as it ends."""
    take_up(session)
    return _append(session, drafts)


def take_up(session: Session) -> "Pen":
    """Where this transaction stands on the log. First reads the log's state, and refuses where nothing may be signed.

    Raises CannotSign, or KeyTrouble when the log's keys are not there.
    """
    if not session.info.get(WRITES):
        raise RuntimeError("append() needs the transaction of write(ledger=True)")
    if PEN not in session.info:
        _read_state(session)
    pen: Pen = session.info[PEN]
    return pen


def look_up(session: Session, batches: Sequence[str]) -> None:
    """Read the newest links of many batches at once, for a transaction that is to append to each of them in turn."""
    pen = take_up(session)
    heads = dict(pen.heads)
    missing = sorted(set(batches) - heads.keys())
    for start in range(0, len(missing), MANY):
        heads |= _heads(session, set(missing[start : start + MANY]))
    session.info[PEN] = replace(session.info[PEN], heads=heads)


def sign_with(session: Session, ledger: tuple[Signer, ...], custodian: Signer) -> None:
    """Let other keys sign what this transaction appends from here on, and its checkpoint."""
    session.info[PEN] = replace(take_up(session), signing=keys.Keys(ledger, custodian))


def _read_state(session: Session) -> None:
    state = core(session).execute(_READ_STATE).one_or_none()
    if state is None:
        _birth(session)
        return
    if state.halted is not None:
        raise CannotSign(
            "log-halted", _l("Sổ đang dừng ký, vì có điều trái nhau phải xem lại: %(why)s"), why=state.halted
        )
    floor = current_app.extensions.get(FLOOR, 0)
    if state.size < floor:
        raise CannotSign(
            "log-behind",
            _l(
                "Sổ trong máy có %(size)s dòng, mà đã có người thấy %(floor)s dòng. Máy này có lẽ vừa khôi phục từ "
                "bản cũ, nên sổ không ký gì nữa."
            ),
            size=state.size,
            floor=floor,
        )
    current_app.extensions[FLOOR] = state.size
    ledger = (state.vkey, state.next_vkey) if state.next_vkey else (state.vkey,)
    session.info[PEN] = Pen(
        state.origin,
        keys.load(state.origin, ledger, state.custodian_vkey),
        state.size,
        _frontier(state.size, state.frontier),
        moment=state.signed_at,
    )


def _append(session: Session, drafts: Sequence[Draft]) -> list[Appended]:
    pen: Pen = session.info[PEN]
    moment = _moment(pen)
    heads = dict(pen.heads)
    born = {batch for draft in drafts for batch in draft.born}
    heads |= _heads(session, {batch for draft in drafts for batch in draft.batches} - heads.keys() - born)
    entries: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    commitments: list[dict[str, Any]] = []
    for index, draft in enumerate(drafts, start=pen.frontier.size):
        salted = [_commit(index, name, value, draft.salts.get(name)) for name, value in draft.private.items()]
        chain = [_next_link(batch, heads.get(batch)) for batch in draft.batches]
        body = _body(draft, chain, moment, salted, pen.signing)
        leaf = merkle.leaf_hash(body)
        entries.append({"index": index, "leaf_hash": leaf, "body": body, "recorded_at": moment})
        for link in chain:
            heads[link["batch"]] = (link["seq"], leaf)
            links.append({"batch": link["batch"], "seq": link["seq"], "entry_index": index, "leaf_hash": leaf})
        commitments += [{k: v for k, v in row.items() if k != "commitment"} for row in salted]
    _insert(session, LedgerEntry, entries)
    _insert(session, LedgerLink, links)
    _insert(session, Commitment, commitments)
    leaves = tuple(entry["leaf_hash"] for entry in entries)
    frontier, nodes = pen.frontier.extend(leaves)
    session.info[PEN] = replace(
        pen, frontier=frontier, leaves=pen.leaves + leaves, nodes=pen.nodes + nodes, heads=heads, moment=moment
    )
    before_commit(session, PEN, _seal)
    return [Appended(entry["index"], entry["leaf_hash"]) for entry in entries]


def _seal(session: Session) -> None:
    """Store the new tree nodes and sign the new checkpoint over what the database gives back."""
    pen: Pen = session.info[PEN]
    _insert(session, LedgerNode, [{"level": n.level, "position": n.number, "hash": n.hash} for n in pen.nodes])
    insert_now(session)
    _reread(session, pen)
    note = sign_note(Checkpoint(pen.origin, pen.frontier.size, pen.frontier.root()).format(), *pen.signing.ledger)
    moved = core(session).execute(
        _ADVANCE,
        {
            "old_size": pen.before,
            "new_size": pen.frontier.size,
            "new_frontier": b"".join(pen.frontier.hashes),
            "new_checkpoint": note.format(),
            "new_signed_at": pen.moment,
        },
    )
    if moved.rowcount != 1:
        raise RuntimeError("the log grew while it was appended to: append() was called without the log's lock")


def _body(
    draft: Draft,
    chain: list[dict[str, Any]],
    moment: dt.datetime,
    salted: list[dict[str, Any]],
    signing: keys.Keys,
) -> bytes:
    """An entry's canonical bytes. The event's own are made once, to be signed and to be written."""
    event = canonical(draft.event)
    members = {
        "v": VERSION,
        "type": draft.type,
        "chain": chain,
        "recordedAt": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "commitments": {row["name"]: row["commitment"] for row in salted},
        **draft.extra,
    }
    if draft.device is None:
        members["custodian"] = signing.sign_event(event)
        if draft.type == foreign.TYPE:
            members["received"] = signing.sign_received(draft.extra["claim"])
    else:
        members["device"] = draft.device
        check_claim(draft.device["claim"], {**members, "event": draft.event})
    return around(members, "event", event)


def _next_link(batch: str, head: tuple[int, bytes] | None) -> dict[str, Any]:
    if head is None:
        return {"batch": batch, "seq": 0, "prev": None}
    seq, leaf = head
    return {"batch": batch, "seq": seq + 1, "prev": base64.b64encode(leaf).decode()}


def commitment(salt: bytes, value: str) -> str:
    """HMAC-SHA256(salt, value) in base64: what stands on the ledger for a personal value."""
    return base64.b64encode(hmac.digest(salt, value.encode(), hashlib.sha256)).decode()


def _commit(index: int, name: str, value: str, salt: bytes | None) -> dict[str, Any]:
    salt = salt or secrets.token_bytes(32)
    return {"entry_index": index, "name": name, "salt": salt, "value": value, "commitment": commitment(salt, value)}


def _heads(session: Session, batches: set[str]) -> dict[str, tuple[int, bytes]]:
    if not batches:
        return {}
    if len(batches) == 1:
        rows = core(session).execute(_READ_HEAD, {"batch": next(iter(batches))})
    else:
        rows = core(session).execute(_READ_HEADS, {"batches": sorted(batches)})
    return {batch: (seq, leaf) for batch, seq, leaf in rows}


def _reread(session: Session, pen: Pen) -> None:
    """Hash what the database gives back before anything is signed over it: a flipped bit must not be signed."""
    first, last = pen.before, pen.frontier.size - 1
    stored = core(session).execute(_READ_BACK, {"first": first, "last": last})
    if tuple(merkle.leaf_hash(body) for _, body in stored) != pen.leaves:
        raise RuntimeError(f"the database gave back other bytes than were written for entries {first} to {last}")


def _birth(session: Session) -> None:
    """Start the log: set its origin for ever and put the custodian's key on it as entry 0."""
    origin = current_app.extensions["soi"].ledger_origin
    made = keys.born(origin)
    moment = _millisecond(clock.now())
    empty = sign_note(Checkpoint(origin, 0, merkle.EMPTY_ROOT).format(), *made.ledger)
    state = LedgerState(
        id=1,
        origin=origin,
        vkey=made.ledger[0].verifier.vkey,
        custodian_vkey=made.custodian.verifier.vkey,
        size=0,
        frontier=b"",
        checkpoint=empty.format(),
        signed_at=moment,
    )
    session.add(state)
    session.flush()
    session.expunge(state)
    session.info[PEN] = Pen(origin, made, 0, Frontier())
    key = {"role": "custodian", "vkey": state.custodian_vkey, "status": "enrolled"}
    (first,) = _append(session, [Draft("key", None, extra={"key": key})])
    for role, vkey in ((keys.LEDGER, state.vkey), (keys.CUSTODIAN, state.custodian_vkey)):
        note_key(session, vkey, role, enrolled=first.index)


def note_key(
    session: Session, key: str, role: str, *, enrolled: int | None = None, ended: int | None = None
) -> None:
    """Keep where on the log a key begins or ends, for whoever looks for its entries. In the caller's transaction."""
    insert_now(session)
    if enrolled is not None:
        session.add(LedgerKey(key=key, role=role, enrolled_entry=enrolled))
    else:
        session.get_one(LedgerKey, key).ended_entry = ended
    session.flush()


def keep_checkpoint(session: Session) -> KeptCheckpoint:
    """Keep the newest signed checkpoint for ever, to be shown to witnesses or to be stamped; once for each size."""
    state = session.get_one(LedgerState, 1, populate_existing=True)
    kept = session.get(KeptCheckpoint, state.size)
    if kept is None:
        kept = KeptCheckpoint(size=state.size, note=state.checkpoint, kept_at=clock.now())
        session.add(kept)
        session.flush()
    return kept


def halt(reason: str) -> None:
    """Sign nothing more, for this `reason`, until the operator resumes. The first reason stays."""
    with write() as session:
        session.execute(update(LedgerState).where(LedgerState.halted.is_(None)).values(halted=reason))


def resume(because: str) -> str | None:
    """Sign again. What had been the matter, and why it is no more, stays as evidence. None when nothing was halted."""
    with write() as session:
        state = session.get(LedgerState, 1)
        if state is None or state.halted is None:
            return None
        why, state.halted = state.halted, None
        session.add(Evidence(kind="resumed", found_at=clock.now(), about=f"{because} ({why})", ours=state.checkpoint))
        return why


def ensure_born() -> LedgerState:
    """The log's state; starts the log where there is none."""
    if _state(db.session()) is None:
        with write(ledger=True) as session:
            if _state(session) is None:
                _birth(session)
    state = _state(db.session())
    assert state is not None
    return state


def _state(session: Session) -> LedgerState | None:
    return session.get(LedgerState, 1, populate_existing=True)


def _frontier(size: int, edge: bytes) -> Frontier:
    return Frontier(size, tuple(edge[i : i + 32] for i in range(0, len(edge), 32)))


def entry(index: int) -> LedgerEntry:
    """Entry `index`, or NotFound."""
    found = db.session.get(LedgerEntry, index) if 0 <= index < 2**53 else None
    if found is None:
        raise NotFound("no-entry", _l("Sổ chưa có dòng số %(index)s."), index=index)
    return found


def nodes(session: Session, wanted: frozenset[NodeId] | Sequence[NodeId]) -> dict[NodeId, bytes]:
    """Stored hashes of complete subtrees; leaves come from the entries themselves."""
    entry_table, node_table = _table(LedgerEntry), _table(LedgerNode)
    leaves = [node.number for node in wanted if node.level == 0]
    inner = [(node.level, node.number) for node in wanted if node.level > 0]
    found: dict[NodeId, bytes] = {}
    for some in in_parts(leaves):
        rows = session.execute(
            select(entry_table.c.index, entry_table.c.leaf_hash).where(entry_table.c.index.in_(some))
        )
        found |= {NodeId(0, index): leaf for index, leaf in rows}
    for pairs in in_parts(inner):
        above = session.execute(
            select(node_table.c.level, node_table.c.position, node_table.c.hash).where(
                tuple_(node_table.c.level, node_table.c.position).in_(pairs)
            )
        )
        found |= {NodeId(level, position): value for level, position, value in above}
    return found


def tile(wanted: Tile) -> bytes:
    """The bytes of a tile or entry bundle, or NotFound while the log is not that long."""
    state = ensure_born()
    if not wanted.exists_at(state.size):
        raise NotFound("no-tile", _l("Sổ chưa dài đến mảnh này."))
    if wanted.level == ENTRIES:
        table = _table(LedgerEntry)
        rows = db.session.execute(
            select(table.c.body)
            .where(table.c.index >= wanted.start, table.c.index < wanted.start + wanted.width)
            .order_by(table.c.index)
        )
        return encode_entries([body for (body,) in rows])
    found = nodes(db.session(), wanted.nodes)
    return encode_hashes([found[node] for node in wanted.nodes])


def _insert(session: Session, model: type[Any], rows: list[dict[str, Any]]) -> None:
    if rows:
        insert_later(session, _table(model), rows)


def _table(model: type[Any]) -> Table:
    table: Table = model.__table__
    return table


def _moment(pen: Pen) -> dt.datetime:
    """The time of what is appended now. It never goes back: a clock that was put back is refused."""
    now = _millisecond(clock.now())
    if pen.moment is None or now >= pen.moment:
        return now
    if now < pen.moment - PATIENCE:
        raise CannotSign(
            "clock-behind",
            _l(
                "Đồng hồ máy chủ chạy lùi: đang là %(now)s, mà dòng mới nhất của sổ ghi lúc %(last)s. "
                "Chỉnh lại giờ rồi ghi tiếp nhé."
            ),
            now=now.isoformat(),
            last=pen.moment.isoformat(),
        )
    return pen.moment


def _millisecond(moment: dt.datetime) -> dt.datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
