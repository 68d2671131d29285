"""The published log as static files, for any web server, mirror or USB stick.

The folder is the tree under `/ledger/`, so any web server can stand in for ours. It only ever grows: what is there is
never overwritten with something else, and the checkpoint comes last, so that it never promises what is not there yet.
(A listing that shares its name with a folder, `anchors`, is `anchors/index.txt` there.)
"""

import datetime as dt
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.anchors import services as anchors
from trace.ledger import merkle, published, store, witnesses
from trace.ledger.checkpoint import Checkpoint, open_checkpoint
from trace.ledger.errors import LedgerError
from trace.ledger.merkle import Frontier
from trace.ledger.models import KeptCheckpoint
from trace.ledger.note import Verifier, parse_note
from trace.ledger.tiles import ENTRIES, Tile, decode_entries, new_tiles
from village.db import db

_OURS = {"tile", "checkpoint", "checkpoints", "keys", "policy", "anchors", ".lock"}
_DRAFT = ".soi-draft"


class CannotExport(Exception):
    """The folder is not a mirror of this log that can be continued; its text says why. Nothing was written over."""


@dataclass(frozen=True)
class Exported:
    """What became of it: the mirror's size before and now, and how many files were written."""

    before: int
    size: int
    files: int


def export(folder: Path, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Exported:
    """Bring the mirror in `folder` up to today's checkpoint; makes the folder if there is none.

    `progress` is told how many of how many entries are done. Raises CannotExport; OSError when the disk fails, after
    which the same call goes on where it stopped.
    """
    store.ensure_born()
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(folder)
    with _locked(folder):
        session = db.session()
        head = published.newest(session)
        now = Checkpoint.parse(parse_note(head.note).text)
        mirror = _Mirror(folder)
        before = _before(session, mirror, now)
        _tiles(session, mirror, before, now, progress)
        for name, data in _small(session, now.size):
            mirror.put(name, data)
        mirror.settle()
        mirror.put("checkpoint", head.note.encode())
        mirror.settle()
        return Exported(before, now.size, mirror.written)


class _Mirror:
    """Files in a folder, each written beside and moved into its place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = 0
        self._touched: set[Path] = set()
        for draft in folder.rglob(f"*{_DRAFT}"):
            draft.unlink()

    def read(self, name: str) -> bytes | None:
        """A file's bytes, None if there is none."""
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, name: str, data: bytes, *, immutable: bool = False) -> None:
        """Write a file, unless it is there already; what is immutable must then be the same."""
        there = self.read(name)
        if there == data:
            return
        if there is not None and immutable:
            raise CannotExport(f"{name} is there already with other bytes: the folder mirrors another history")
        path = self.folder / name
        self._make(path.parent)
        draft = path.with_name(path.name + _DRAFT)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        self._touched.add(path.parent)
        self.written += 1

    def settle(self) -> None:
        """See that the names of all files so far are on the disk as well."""
        for folder in sorted(self._touched):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._touched.clear()

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make(folder.parent)
            folder.mkdir(exist_ok=True)
            self._touched.add(folder.parent)


def _refuse_foreign(folder: Path) -> None:
    foreign = sorted({path.name for path in folder.iterdir()} - _OURS)
    foreign = [name for name in foreign if not name.endswith(_DRAFT)]
    if foreign:
        raise CannotExport(f"{folder} holds something else than a mirror of a log: {foreign[0]}")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotExport(f"another export into {folder} is under way") from None
        yield
    finally:
        os.close(descriptor)


def _before(session: Session, mirror: _Mirror, now: Checkpoint) -> int:
    """The size of the mirror as it is, once it is known that our log only adds to it."""
    note = mirror.read("checkpoint")
    if note is None:
        return 0
    keys = [Verifier.parse(vkey) for vkey in published.vkeys(session)]
    try:
        then = open_checkpoint(note, now.origin, keys).checkpoint
    except LedgerError as error:
        raise CannotExport(f"the folder mirrors another log: {error}") from error
    if then.size > now.size:
        raise CannotExport(
            f"the mirror has {then.size} entries, but this log only {now.size}: was it restored from a backup?"
        )
    if _edge(session, then.size).root() != then.root:
        raise CannotExport(f"the mirror's {then.size} entries are not the first {then.size} of this log: it has forked")
    return then.size


def _edge(session: Session, size: int) -> Frontier:
    return merkle.frontier_of(size, store.nodes(session, merkle.frontier_nodes(size)))


def _tiles(
    session: Session, mirror: _Mirror, before: int, now: Checkpoint, progress: Callable[[int, int], None]
) -> None:
    """Write what is new. The entries written must hash to the very root that the checkpoint signs."""
    edge = _edge(session, before)
    for tile in new_tiles(before, now.size):
        data = store.tile(tile)
        mirror.put(tile.format(), data, immutable=True)
        if tile.level == ENTRIES:
            edge, _ = edge.extend(merkle.leaf_hash(entry) for entry in _new_entries(tile, data, before))
            progress(tile.start + tile.width, now.size)
    if edge.root() != now.root:
        raise CannotExport("the stored entries do not hash to the signed checkpoint; run `flask ledger verify`")


def _new_entries(tile: Tile, data: bytes, before: int) -> Iterable[bytes]:
    return decode_entries(data, tile.width)[max(before - tile.start, 0) :]


def _small(session: Session, size: int) -> Iterator[tuple[str, bytes]]:
    """Everything but tiles and the checkpoint. These files may gain lines: cosignatures, keys, stamps."""
    sizes = select(KeptCheckpoint.size).where(KeptCheckpoint.size <= size).order_by(KeptCheckpoint.size)
    for one in session.scalars(sizes).all():
        yield f"checkpoints/{one}", published.kept(session, one).note.encode()
    yield "keys", "".join(f"{vkey}\n" for vkey in published.vkeys(session)).encode()
    yield "policy", witnesses.served().encode()
    lines: list[str] = []
    for kept in anchors.anchors():
        anchor, name = kept.anchor, f"anchors/{kept.anchor.size}/{kept.number}.tsr"
        yield name, anchors.token(anchor.size, kept.number)
        lines.append(f"{anchor.size} {_utc(anchor.stamped_at)} {anchor.authority} {name}\n")
    yield "anchors/index.txt", "".join(lines).encode()


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
