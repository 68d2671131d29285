"""Where a check stands, in a file: a line for each chunk that held, so that a check cut off goes on where it was.

To go on is to believe two things: that no stored row of a finished chunk was changed since, and that nobody wrote the
file but this program. Whoever doubts either begins afresh. What is compared again in any case is the whole log's root,
which the finished chunks' roots lead to, and the table of keys.
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from trace.ledger.audit.chunk import CHUNK, Checked

FORMAT = "soi-verify/1"


class Progress:
    """The file of one log's check."""

    def __init__(self, folder: Path, origin: str) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:16]}.jsonl"
        self._origin = origin
        self._file: IO[str] | None = None

    def begin(self, size: int, root: bytes, was: Callable[[int], bytes | None] | None) -> dict[int, Checked]:
        """Open the file for a check of the log at `size` under `root`, and give the chunks that are done, by start.

        A file fits when its log had this origin, and `was` says that the log had its root at its size; any other is
        thrown away, and so it is where `was` is None.
        """
        done = self._read(size, was) if was is not None else {}
        if not done:
            self.path.unlink(missing_ok=True)
        self._file = self.path.open("a", encoding="ascii")
        if not done:
            self._write({"format": FORMAT, "origin": self._origin, "size": size, "root": root.hex(), "chunk": CHUNK})
        return done

    def add(self, chunk: Checked) -> None:
        """Keep a chunk that held. One that is not full would be another once the log has grown, and is not kept."""
        if chunk.fault is None and chunk.end - chunk.start == CHUNK:
            self._write(
                {
                    "start": chunk.start,
                    "root": chunk.edge[0].hex(),
                    "keys": chunk.keys,
                    "numbers": chunk.numbers,
                    "unexplained": chunk.unexplained,
                }
            )

    def close(self) -> None:
        """Leave the file for another time."""
        if self._file is not None:
            self._file.close()

    def finish(self) -> None:
        """The check came to its end: nothing is left to go on with."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _write(self, line: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()

    def _read(self, size: int, was: Callable[[int], bytes | None]) -> dict[int, Checked]:
        try:
            text = self.path.read_text("ascii")
            # Whoever was cut off in the midst of a line left half of one.
            text = text[: text.rfind("\n") + 1]
            os.truncate(self.path, len(text))
            first, *lines = [json.loads(line) for line in text.splitlines()]
            fits = (first["format"], first["origin"], first["chunk"]) == (FORMAT, self._origin, CHUNK)
            if not fits or first["size"] > size or (was(first["size"]) or b"").hex() != first["root"]:
                return {}
            chunks = [_chunk(line) for line in lines]
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return {}
        return {chunk.start: chunk for chunk in chunks if chunk.start % CHUNK == 0 and chunk.end <= size}


def _chunk(line: dict[str, Any]) -> Checked:
    return Checked(
        line["start"],
        line["start"] + CHUNK,
        (bytes.fromhex(line["root"]),),
        keys=tuple(line["keys"]),
        numbers={key: [(low, high) for low, high in used] for key, used in line["numbers"].items()},
        unexplained=tuple((index, name) for index, name in line["unexplained"]),
    )
