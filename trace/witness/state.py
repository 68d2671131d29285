"""What a witness must never lose: its key, and the newest checkpoint that it cosigned of each log.

Both lie in one folder: `witness.key` (mode 0600) and `witness.db`, a SQLite file of its own. A decision is one
transaction: what is held is read, judged, replaced and on the disk before anybody gets a cosignature, whatever other
processes do meanwhile and wherever the power fails.
"""

import base64
import datetime as dt
import fcntl
import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from trace.ledger.errors import MalformedKey
from trace.ledger.note import COSIGNATURE, ED25519, Signer, Verifier
from trace.witness.core import FORK, Heard, Held, Refusal, decide

KEY, STATE, LOCK = "witness.key", "witness.db", "witness.lock"
KEPT_FORKS, KEPT_UNPROVEN = 100, 20
"""Pieces of evidence kept of one log. The first ones tell; a log could go on inventing more for ever."""

SCHEMA = """
CREATE TABLE witness (id INTEGER PRIMARY KEY CHECK (id = 1), vkey TEXT NOT NULL);
CREATE TABLE log (vkey TEXT PRIMARY KEY, origin TEXT NOT NULL);
CREATE TABLE head (
  origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, time INTEGER NOT NULL
);
CREATE TABLE evidence (
  id INTEGER PRIMARY KEY, origin TEXT NOT NULL, kind TEXT NOT NULL, found INTEGER NOT NULL, reason TEXT NOT NULL,
  held TEXT NOT NULL, sent TEXT NOT NULL
);
"""


class WitnessTrouble(Exception):
    """The witness cannot begin, or cannot take in what it was told; one sentence for whoever runs it."""


@dataclass(frozen=True)
class Head:
    """The newest checkpoint of a log that this witness cosigned, and when."""

    origin: str
    size: int
    note: str
    """With the log's signature and our cosignature."""
    cosigned_at: dt.datetime


@dataclass(frozen=True)
class Found:
    """Two checkpoints that do not belong to one history, or of which nobody has shown that they do."""

    origin: str
    kind: str
    found_at: dt.datetime
    reason: str
    held: str
    """The note that this witness cosigned; empty when it had cosigned none."""
    sent: str
    """The note, signed by the log, that it refused."""


class State:
    """An opened folder. Every call opens the database afresh, so that any thread of any process may make it."""

    def __init__(self, folder: Path) -> None:
        """Open a folder that `create` made. Raises WitnessTrouble when anything of it is missing."""
        self._path, self._lock = folder / STATE, folder / LOCK
        if not self._path.is_file():
            raise WitnessTrouble(
                f"There is no {STATE} in {folder}. A new witness begins with `init`. If this one has cosigned before, "
                "its state is lost and it must not begin again at zero: end it, and begin another in a new folder "
                "under a new name."
            )
        with self._reading() as db:
            try:
                (self.vkey,) = db.execute("SELECT vkey FROM witness").fetchone()
            except (sqlite3.Error, TypeError) as error:
                raise WitnessTrouble(f"{self._path} is no witness's state: {error}") from error
        self._signer = _read_key(folder / KEY, Verifier.parse(self.vkey))

    @property
    def name(self) -> str:
        """The witness's name, which its key bears."""
        return self._signer.name

    def logs(self) -> dict[str, tuple[Verifier, ...]]:
        """The logs that it witnesses: their keys by origin."""
        found: dict[str, tuple[Verifier, ...]] = {}
        with self._reading() as db:
            for origin, vkey in db.execute("SELECT origin, vkey FROM log ORDER BY rowid"):
                found[origin] = (*found.get(origin, ()), Verifier.parse(vkey))
        return found

    def add_log(self, vkey: str) -> Verifier:
        """Witness the log whose key this is; a log's second key is one more. Raises WitnessTrouble."""
        try:
            key = Verifier.parse(vkey.strip())
        except MalformedKey as error:
            raise WitnessTrouble(f"This is no log's key: {error}") from error
        if key.type != ED25519:
            raise WitnessTrouble("This is a witness's key; a log's has signature type 0x01.")
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO log (vkey, origin) VALUES (?, ?)", (key.vkey, key.name))
        return key

    def consider(self, heard: Heard) -> str | Refusal:
        """Cosign a checkpoint, or refuse: the cosignature's line. What it says is on the disk before it is returned.

        Raises sqlite3.Error when the disk does not take it: then nothing was cosigned.
        """
        origin = heard.head.origin
        with self._writing() as db:
            row = db.execute("SELECT size, root, note FROM head WHERE origin = ?", (origin,)).fetchone()
            held = Held(row[0], row[1]) if row else Held()
            now = int(time.time())
            (last,) = db.execute("SELECT max(time) FROM head").fetchone()
            refusal = decide(heard, held)
            if refusal is not None:
                if refusal.evidence:
                    _keep(db, heard, refusal, row[2] if row else "", now)
                return refusal
            if last is not None and now < last:
                return Refusal(503, f"the clock says {now}, but the last cosignature was given at {last}")
            line = self._signer.sign(heard.note.text, now).format()
            db.execute(
                "INSERT INTO head (origin, size, root, note, time) VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) "
                "DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, time = excluded.time",
                (origin, heard.head.size, heard.head.root, heard.note.format() + line, now),
            )
        return line

    def forget_time(self) -> None:
        """After a clock that ran ahead was put right: what was cosigned in its future counts as cosigned now."""
        with self._writing() as db:
            now = int(time.time())
            db.execute("UPDATE head SET time = ? WHERE time > ?", (now, now))

    def heads(self) -> list[Head]:
        """What was cosigned last of each log."""
        with self._reading() as db:
            rows = db.execute("SELECT origin, size, note, time FROM head ORDER BY origin").fetchall()
        return [Head(origin, size, note, _moment(seconds)) for origin, size, note, seconds in rows]

    def head_of(self, digest: str) -> Head | None:
        """What was cosigned last of the log whose origin has this SHA-256 (hex)."""
        return next((one for one in self.heads() if hashlib.sha256(one.origin.encode()).hexdigest() == digest), None)

    def evidence(self) -> list[Found]:
        """What was kept against logs, oldest first."""
        with self._reading() as db:
            rows = db.execute("SELECT origin, kind, found, reason, held, sent FROM evidence ORDER BY id").fetchall()
        return [Found(origin, kind, _moment(found), *rest) for origin, kind, found, *rest in rows]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with closing(_connect(self._path, "rw")) as db:
            yield db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, one at a time: SQLite's own waiting polls and starves, a file lock is fair."""
        fd = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            with closing(_connect(self._path, "rw")) as db:
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
        finally:
            os.close(fd)


def create(folder: Path, name: str | None) -> State:
    """Begin a witness called `name` in `folder`, or open the one that is there. Raises WitnessTrouble.

    A key without a state, or a state without its key, is a witness that lost something: it is never begun anew.
    """
    state, key = folder / STATE, folder / KEY
    if state.exists():
        found = State(folder)
        if name not in (None, found.name):
            raise WitnessTrouble(f"The witness in {folder} is called {found.name}; a new name is a new witness.")
        return found
    if key.exists():
        raise WitnessTrouble(
            f"{folder} has a key but no {STATE}: the state is lost. Beginning again with this key could cosign a "
            "second history. End this witness, and begin another in a new folder under a new name."
        )
    if name is None:
        raise WitnessTrouble("A new witness needs a name that will never change, such as --name soi.neighbour.vn/w1.")
    try:
        signer = Signer.from_seed(name, secrets.token_bytes(32), COSIGNATURE)
    except MalformedKey as error:
        raise WitnessTrouble(f"The name cannot be used: {error}") from error
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write_key(key, signer)
    # Made beside and put in place whole: half a state would be taken for a lost one.
    draft = folder / f"{STATE}.new"
    draft.unlink(missing_ok=True)
    with closing(_connect(draft, "rwc")) as db:
        db.executescript(SCHEMA)
        db.execute("INSERT INTO witness (id, vkey) VALUES (1, ?)", (signer.verifier.vkey,))
    os.replace(draft, state)
    _sync_folder(folder)
    return State(folder)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=20)
    # With the rollback journal, FULL alone leaves the journal's removal unsynced: a power cut could undo a commit.
    db.execute("PRAGMA synchronous = EXTRA")
    return db


def _keep(db: sqlite3.Connection, heard: Heard, refusal: Refusal, held: str, now: int) -> None:
    origin, kind, sent = heard.head.origin, refusal.evidence, heard.note.format()
    most = KEPT_FORKS if kind == FORK else KEPT_UNPROVEN
    (count,) = db.execute("SELECT count(*) FROM evidence WHERE origin = ? AND kind = ?", (origin, kind)).fetchone()
    same = db.execute("SELECT 1 FROM evidence WHERE origin = ? AND kind = ? AND sent = ?", (origin, kind, sent))
    if count < most and same.fetchone() is None:
        db.execute(
            "INSERT INTO evidence (origin, kind, found, reason, held, sent) VALUES (?, ?, ?, ?, ?, ?)",
            (origin, kind, now, refusal.reason, held, sent),
        )


def _write_key(path: Path, signer: Signer) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(base64.b64encode(signer.private_key.private_bytes_raw()) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _read_key(path: Path, verifier: Verifier) -> Signer:
    try:
        open_to = path.stat().st_mode & 0o077
        seed = base64.b64decode(path.read_text("ascii").strip(), validate=True)
        signer = Signer.from_seed(verifier.name, seed, COSIGNATURE)
    except (OSError, ValueError) as error:
        raise WitnessTrouble(f"The witness's key {path} cannot be read: {error}") from error
    if open_to:
        raise WitnessTrouble(f"Others can read the witness's key {path}; `chmod 600` it.")
    if signer.verifier != verifier:
        raise WitnessTrouble(f"{path} is not the key of the witness {verifier.vkey} whose state lies beside it.")
    return signer


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
