"""A small log that can also lie, and witnesses that answer over real HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from werkzeug.serving import make_server

from tests.support.serving import free_port
from trace.ledger import merkle
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.note import Signer, sign_note
from trace.witness.app import create_app
from trace.witness.core import Request
from trace.witness.state import State, create

ORIGIN = "log.test/ledger"


class Log:
    """A log of short entries, all in memory. `lie` makes another history under the same key."""

    def __init__(self, origin: str = ORIGIN, seed: bytes = b"\x01" * 32, start: str = "") -> None:
        self.signer = Signer.from_seed(origin, seed)
        self._start = start

    def lie(self) -> "Log":
        """Another history of the same log: other entries from number 0 on."""
        other = Log(self.signer.name, start="a lie: ")
        other.signer = self.signer
        return other

    @property
    def vkey(self) -> str:
        """Its key."""
        return self.signer.verifier.vkey

    def leaves(self, size: int) -> list[bytes]:
        """Its first leaf hashes."""
        return [merkle.leaf_hash(f"{self._start}{number}".encode()) for number in range(size)]

    def note(self, size: int) -> str:
        """Its signed checkpoint."""
        root = merkle.root_of(self.leaves(size))
        return sign_note(Checkpoint(self.signer.name, size, root).format(), self.signer).format()

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """The consistency proof between two of its sizes."""
        leaves = self.leaves(new)
        return merkle.consistency_path(
            old, new, lambda level, number: merkle.root_of(leaves[number << level : (number + 1) << level])
        )

    def body(self, old: int, new: int) -> bytes:
        """The body of an honest request."""
        return Request(old, self.proof(old, new), self.note(new)).format().encode()


def begun(folder: Path, *vkeys: str, name: str = "witness.test/w1") -> State:
    """A new witness that watches these logs."""
    state = create(folder, name)
    for vkey in vkeys:
        state.add_log(vkey)
    return state


@contextmanager
def answering(folder: Path, port: int = 0) -> Iterator[str]:
    """The address of a witness in a thread of this process, for the length of a `with` block."""
    port = port or free_port()
    server = make_server("127.0.0.1", port, create_app(folder), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
