"""Forgetting personal values: the salt and value behind a commitment go for good, and an entry says so.

The commitment stays on the log, where it now commits to nothing that anybody could find out: every receipt, and
`flask ledger verify`, hold as before.
"""

import re
from collections.abc import Iterator, Sequence

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from trace.ledger import store
from trace.ledger.canonical import MAX_ENTRY_BYTES, canonical
from trace.ledger.models import Commitment, Erasure
from village import clock
from village.db import insert_later, insert_now

MEMBER, NOTE, BUYER = "member", "note", "buyer"
"""Names of commitments: who recorded, her words, who bought."""

MEMBER_LEFT, NOTE_WITHDRAWN, BUYER_ASKED, TIME_OVER = "member-left", "note-withdrawn", "buyer-asked", "time-over"
"""Reasons as they stand on the log for ever, so never anybody's words."""

_REASON = re.compile(r"[a-z]+(-[a-z]+)*")
_ROOM = MAX_ENTRY_BYTES - 1024
"""Bytes for the list of one entry; the rest is the entry's own members."""
_AT_ONCE = 5000
"""Pairs in one statement: SQLite takes 32,766 parameters."""

Pair = tuple[int, str]
"""An entry's index and the name of one of its commitments."""


def commitments_to(session: Session, name: str, value: str, since: int = 0) -> list[Pair]:
    """The commitments of this name to this value, in entries from `since` on, that are not forgotten yet.

    It reads the whole table, so call it for the long past before the log's lock is taken, and for the rest under it.
    """
    rows = session.execute(
        select(Commitment.entry_index, Commitment.name)
        .where(Commitment.entry_index >= since, Commitment.name == name, Commitment.value == value)
        .order_by(Commitment.entry_index)
    )
    return [(index, name) for index, name in rows]


def erase(session: Session, pairs: Sequence[Pair], reason: str) -> list[store.Appended]:
    """Forget salt and value of these commitments, in the caller's `write(ledger=True)`; the entries that say so.

    What is forgotten already is left out, so that saying it again writes nothing. `reason` is a slug: it is public.
    Raises ValueError for a pair that no entry committed to.
    """
    if not _REASON.fullmatch(reason):
        raise ValueError(f"a reason on the log is a slug, not {reason!r}")
    insert_now(session)
    wanted = sorted(set(pairs))
    kept = _present(session, Commitment, wanted)
    unknown = [pair for pair in wanted if pair not in kept]
    if lost := set(unknown) - _present(session, Erasure, unknown):
        raise ValueError(f"no commitment is kept for {min(lost)}")
    gone = [pair for pair in wanted if pair in kept]
    groups = list(_groups(gone))
    drafts = [
        store.Draft("erasure", None, extra={"erasure": {"of": [list(pair) for pair in group], "reason": reason}})
        for group in groups
    ]
    told = store.append(session, drafts) if drafts else []
    now = clock.now()
    for entry, group in zip(told, groups, strict=True):
        for part in _parts(group):
            session.execute(delete(Commitment).where(tuple_(Commitment.entry_index, Commitment.name).in_(part)))
        rows = [{"entry_index": i, "name": n, "erased_at": now, "told_entry": entry.index} for i, n in group]
        insert_later(session, Erasure.__table__, rows)
    insert_now(session)
    return told


def _present(session: Session, table: type[Commitment] | type[Erasure], pairs: Sequence[Pair]) -> set[Pair]:
    found: set[Pair] = set()
    for part in _parts(pairs):
        rows = session.execute(
            select(table.entry_index, table.name).where(tuple_(table.entry_index, table.name).in_(part))
        )
        found |= {(index, name) for index, name in rows}
    return found


def _parts(pairs: Sequence[Pair]) -> Iterator[Sequence[Pair]]:
    for start in range(0, len(pairs), _AT_ONCE):
        yield pairs[start : start + _AT_ONCE]


def _groups(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """As many as an entry holds, at a time."""
    group: list[Pair] = []
    used = 0
    for pair in pairs:
        size = len(canonical(list(pair))) + 1
        if group and used + size > _ROOM:
            yield group
            group, used = [], 0
        group.append(pair)
        used += size
    if group:
        yield group
