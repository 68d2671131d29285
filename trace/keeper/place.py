"""The keeper's corner of the instance folder: its lock, its slate, and the wish for a check.

Files, not rows: what is the matter must be told also while the database is away. Whoever reads the slate gets what was
last written, whole.
"""

import datetime as dt
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

MOST_READ = 64 * 1024


@dataclass(frozen=True)
class Turn:
    """How a duty stands. Moments are ISO 8601, empty when there was none yet."""

    began: str = ""
    ended: str = ""
    failed: str = ""
    """Why its last turn failed; empty when it did not."""
    again: str = ""
    """When it is tried again, after a failure."""

    @property
    def running(self) -> bool:
        """True while it is being done."""
        return bool(self.began) and self.ended < self.began


@dataclass(frozen=True)
class Place:
    """The folder of one instance."""

    instance: Path

    @property
    def folder(self) -> Path:
        """Where slate, wish and the outputs of its processes lie."""
        return self.instance / "keeper"

    def make(self) -> None:
        """Make the folder."""
        self.folder.mkdir(mode=0o700, exist_ok=True)

    @property
    def _lock(self) -> Path:
        return self.instance / "keeper.lock"

    @contextmanager
    def only_one(self) -> Iterator[bool]:
        """Be the keeper for the length of the block, if nobody else is: True then."""
        fd = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(fd)

    def kept(self) -> bool:
        """True while a keeper is at work."""
        try:
            fd = os.open(self._lock, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            # Shared: two who ask at once do not take each other for the keeper.
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def write_slate(self, turns: Mapping[str, Turn]) -> None:
        """Write down how all duties stand."""
        draft = self.folder / f"slate.{os.getpid()}"
        draft.write_text(json.dumps({name: asdict(turn) for name, turn in turns.items()}))
        draft.replace(self.folder / "slate.json")

    def read_slate(self) -> dict[str, Turn]:
        """How the duties stood when it was last written; empty when nobody wrote, or nothing that can be read."""
        try:
            with (self.folder / "slate.json").open("rb") as file:
                told = json.loads(file.read(MOST_READ))
            return {name: Turn(**turn) for name, turn in told.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    @property
    def _wish(self) -> Path:
        return self.folder / "check-wanted"

    def wish_check(self) -> None:
        """Ask for a check now; asking twice is asking once."""
        self.make()
        self._wish.touch()

    def check_wished(self) -> bool:
        """Whether somebody asked for a check that did not begin yet."""
        return self._wish.exists()

    def forget_wish(self) -> None:
        """The check that was asked for begins."""
        self._wish.unlink(missing_ok=True)

    def output(self, duty: str) -> Path:
        """Where a duty's process writes what it has to say."""
        return self.folder / f"{duty}.out"

    def errors(self, duty: str) -> Path:
        """Where it complains."""
        return self.folder / f"{duty}.err"

    def said(self, duty: str) -> str:
        """What a duty's process said."""
        return _beginning(self.output(duty))

    def complained(self, duty: str) -> str:
        """The last line of what it complained of; empty when it did not."""
        return _beginning(self.errors(duty)).strip().rpartition("\n")[2]


def _beginning(path: Path) -> str:
    with suppress(OSError), path.open("rb") as file:
        return file.read(MOST_READ).decode("utf-8", "replace")
    return ""


def stamp(moment: dt.datetime) -> str:
    """A moment as the slate holds it: such texts compare like the moments."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
