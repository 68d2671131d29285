"""Files by the SHA-256 of their bytes, in a folder of the instance: each is there once and whole, or not at all.

    kept/ab/<sha256>                the files
    parts/<member>/<sha256>         what has arrived so far of an upload
    small/<width>/<sha256>.<suffix> made from a file, and made again whenever it is missing

What is to be found after a power cut is synced before its name is: a file appears under its name in one step.
"""

import fcntl
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_OWNER = re.compile(r"[0-9a-f-]{36}", re.ASCII)
_PIECE = 1 << 16


class Busy(Exception):
    """Another request is writing to this very part."""


class Store:
    """The files under `folder`. Names that are no SHA-256 in lower-case hex raise ValueError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[int, int, int]] = {}

    def path(self, sha256: str) -> Path:
        """Where the file is, or would be."""
        return self._folder / "kept" / _checked(sha256)[:2] / sha256

    def has(self, sha256: str) -> bool:
        """True when the file is there."""
        return self.path(sha256).is_file()

    def intact(self, sha256: str) -> bool:
        """True when the file's bytes still are what its name says; hashed anew only where it was touched since."""
        path = self.path(sha256)
        try:
            found = path.stat()
            mark = (found.st_ino, found.st_size, found.st_mtime_ns)
            if self._seen.get(sha256) != mark:
                if digest(path) != sha256:
                    return False
                self._seen[sha256] = mark
        except OSError:
            return False
        return True

    def put(self, data: bytes) -> str:
        """Keep a file; gives its name."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.intact(sha256):
            write_whole(self.path(sha256), data)
        return sha256

    def adopt(self, part: Path, sha256: str) -> None:
        """Keep a part that has arrived whole and was synced."""
        path = self.path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(part, path)
        _sync(path.parent)

    def remove(self, sha256: str) -> None:
        """Drop the file and all that was made of it."""
        self._seen.pop(_checked(sha256), None)
        self.path(sha256).unlink(missing_ok=True)
        for others in (f"small/*/{sha256}.*", f"parts/*/{sha256}"):
            for path in self._folder.glob(others):
                path.unlink(missing_ok=True)

    def made(self, sha256: str, width: int, suffix: str, make: Callable[[bytes], bytes]) -> Path:
        """What `make` makes of the file, made once."""
        path = self._folder / "small" / str(width) / f"{_checked(sha256)}.{suffix}"
        if not path.is_file():
            write_whole(path, make(self.path(sha256).read_bytes()))
        return path

    def part(self, owner: str, sha256: str) -> Path:
        """What has arrived so far of somebody's upload; each has parts of her own."""
        if not _OWNER.fullmatch(owner):
            raise ValueError(f"{owner!r} owns no parts")
        return self._folder / "parts" / owner / _checked(sha256)

    @contextmanager
    def growing(self, owner: str, sha256: str) -> Iterator[tuple[int, int]]:
        """An upload's part, open for this request alone: its file descriptor and its bytes so far. Raises Busy."""
        path = self.part(owner, sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                mine = os.fstat(fd).st_ino == path.stat().st_ino
            except OSError as error:
                raise Busy from error
            if not mine:
                # It was finished and put away between our opening and locking it.
                raise Busy
            yield fd, os.fstat(fd).st_size
        finally:
            os.close(fd)

    def unfinished(self, owner: str) -> tuple[int, int]:
        """How many parts somebody has, and how many bytes in all."""
        sizes = [found.stat().st_size for found in _entries(self.part(owner, "0" * 64).parent)]
        return len(sizes), sum(sizes)

    def parts_before(self, moment: float) -> list[Path]:
        """Parts to which nothing was added since `moment` (Unix time)."""
        owners = [Path(one) for one in _entries(self._folder / "parts")]
        return [Path(one) for owner in owners for one in _entries(owner) if one.stat().st_mtime < moment]

    def kept_before(self, moment: float) -> Iterator[Path]:
        """Files that were written before `moment`, and what a killed process left of one."""
        for folder in _entries(self._folder / "kept"):
            yield from (Path(one) for one in _entries(Path(folder)) if one.stat().st_mtime < moment)

    def room(self) -> int:
        """Bytes that are free where the files lie."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._folder).free


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole, whatever happens in between, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.parent / f".{path.name}.{secrets.token_hex(6)}"
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def take_in(fd: int, at: int, most: int, read: Callable[[int], bytes]) -> int:
    """Add what `read` gives to a part, from `at` on and at most `most` bytes; gives where it ends.

    Whatever arrived before `read` raised is kept and synced: the sender goes on from there.
    """
    os.ftruncate(fd, at)
    os.lseek(fd, at, os.SEEK_SET)
    end = at + most
    try:
        while at < end and (piece := read(min(_PIECE, end - at))):
            left = memoryview(piece)
            while left:
                left = left[os.write(fd, left) :]
            at += len(piece)
    finally:
        os.fsync(fd)
    return at


def days_ago(days: float) -> float:
    """That moment as Unix time."""
    return time.time() - days * 86400


def _checked(sha256: str) -> str:
    if not HASH.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is no SHA-256 in hex")
    return sha256


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with suppress(FileNotFoundError), os.scandir(folder) as found:
        return list(found)
    return []


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
