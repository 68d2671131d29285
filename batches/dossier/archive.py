"""A zip that is written to disk piece by piece, never larger than it may be, and the same for the same files. Pure."""

import hashlib
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

PIECE = 1 << 20
NAME = re.compile(r"[a-z0-9A-Z][a-zA-Z0-9_-]*(?:\.[a-z0-9-]+)*(?:/[a-z0-9][a-zA-Z0-9_-]*(?:\.[a-z0-9-]+)+)?", re.ASCII)
"""A file, or a folder and a file: letters, digits and dashes alone, so that it is the same on every machine and can
lead nowhere else. Only we name files; what people typed goes through `village.text.plain_letters` first."""
_PACKED = (".jpg", ".png", ".webp", ".pdf", ".xlsx")
_LONGEST = 120


class Full(Exception):
    """One more file would make it larger than it may be. That file is not in it; the others are."""


@dataclass(frozen=True)
class Filed:
    """A file in the zip: its name, its bytes' number and SHA-256."""

    name: str
    size: int
    sha256: str


class Archive:
    """The zip at `path`. All files carry one day as their time. Leaving the block finishes it. `held`: bytes in it."""

    def __init__(self, path: Path, day: date, most: int) -> None:
        self.files: list[Filed] = []
        self._day = (day.year, day.month, day.day, 0, 0, 0)
        self._most, self.held = most, 0
        self._file = path.open("wb")
        self._zip = zipfile.ZipFile(self._file, "w")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def add(self, name: str, data: bytes) -> Filed:
        """Put bytes in. Raises Full, and ValueError for a name that is not ours to give or is taken."""
        return self._put(name, len(data), [data])

    def copy(self, name: str, source: Path) -> Filed:
        """Put a file in, piece by piece; as `add`."""
        return self._put(name, source.stat().st_size, _pieces(source))

    def _put(self, name: str, size: int, pieces: Iterable[bytes]) -> Filed:
        if len(name) > _LONGEST or not NAME.fullmatch(name) or any(one.name == name for one in self.files):
            raise ValueError(f"{name!r} cannot be the name of a file here")
        if self.held + size > self._most:
            raise Full(name)
        info = zipfile.ZipInfo(name, self._day)
        info.create_system, info.external_attr = 3, 0o100644 << 16
        info.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
        digest, written = hashlib.sha256(), 0
        with self._zip.open(info, "w") as out:
            for piece in pieces:
                digest.update(piece)
                written += len(piece)
                out.write(piece)
        self.held += written
        self.files.append(Filed(name, written, digest.hexdigest()))
        return self.files[-1]


def _pieces(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
