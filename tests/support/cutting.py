"""A road between a browser and a server that can be cut: whole, or on the way back alone, once the server has acted.

It keeps its own address whatever becomes of the server behind it, so that a phone keeps its pages and its records.
"""

import hashlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PATIENCE = 60


@dataclass
class Road:
    """`port` leads to `upstream`. `losing`: requests whose method and path it matches lose their
    answer once each."""

    listener: socket.socket
    upstream: int
    losing: str = ""
    lost: list[str] = field(default_factory=list)
    """The requests whose answer was lost, by method and path."""
    up: bool = True
    """False: no network at all."""
    asked: list[str] = field(default_factory=list)
    """Every request that came along, by method and path."""
    on_request: Callable[[str, bytes], None] | None = None
    """Called with each request's method and path, and its body, before it goes on; an OSError of it cuts it off."""
    _seen: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def port(self) -> int:
        """Where the browser finds it."""
        return int(self.listener.getsockname()[1])

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        """One request and its answer; then the connection ends, so that each request is seen."""
        near.settimeout(PATIENCE)
        with near, suppress(OSError):
            head, body = _read(near)
            if not head or not self.up:
                return
            first = head.split(b"\r\n", 1)[0]
            name = " ".join(first.decode().split(" ")[:2])
            self.asked.append(name)
            if self.on_request is not None:
                self.on_request(name, body)
            head = re.sub(rb"\r\nconnection:[^\r]*", b"", head, flags=re.IGNORECASE)
            with socket.create_connection(("127.0.0.1", self.upstream), PATIENCE) as far:
                far.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
                answer = b"".join(iter(lambda: far.recv(65536), b""))
            if self.up and not self._loses(name, body):
                near.sendall(answer)

    def _loses(self, name: str, body: bytes) -> bool:
        if not self.losing or not re.match(self.losing, name):
            return False
        digest = hashlib.sha256(name.encode() + body).hexdigest()
        with self._lock:
            if digest in self._seen:
                return False
            self._seen.add(digest)
            self.lost.append(name)
        return True


def _read(near: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = near.recv(65536)
        if not more:
            return b"", b""
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    found = _LENGTH.search(head)
    length = int(found[1]) if found else 0
    while len(body) < length:
        more = near.recv(65536)
        if not more:
            return b"", b""
        body += more
    return head, body


@contextmanager
def road(upstream: int) -> Iterator[Road]:
    """A road to a server's port, for the length of a `with` block."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    made = Road(listener, upstream)
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
