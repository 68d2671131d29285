"""A small HTTP server for a fake, and the moods that all of them have."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, Any]
Serve = Callable[[str, str, dict[str, str], bytes, dict[str, str]], Answer | None]
"""(method, path, query, body, headers by small letters) → status and JSON, bytes as they are; None: hang up."""


@dataclass
class Moods:
    """How a platform misbehaves. All by its own seed, so that a bad evening can be had again."""

    seed: int = 0
    fail: float = 0.0
    """Share of requests answered with a 503, a garbled body, or nothing."""
    repeat: float = 0.0
    """Share of notices that are posted twice."""
    drop: float = 0.0
    """Share of notices that are never posted."""
    shuffle: int = 1
    """Notices are posted in a wrong order within so many."""
    down: bool = False
    """While true, nothing is answered at all."""
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def fails(self) -> str:
        """What befalls this request: `down`, `garbage`, `hang up`, or nothing."""
        if self.down:
            return "hang up"
        if self.chance.random() >= self.fail:
            return ""
        return self.chance.choice(("down", "garbage", "hang up"))

    def disorder(self, things: list[Any]) -> list[Any]:
        """What is posted of these, in what order, how often."""
        found = [thing for thing in things if self.chance.random() >= self.drop]
        found += [thing for thing in found if self.chance.random() < self.repeat]
        placed = [(at + self.chance.random() * self.shuffle, at, thing) for at, thing in enumerate(found)]
        return [thing for _, _, thing in sorted(placed, key=lambda one: one[:2])]


class _Desk(BaseHTTPRequestHandler):
    server: "_Desks"

    def do_GET(self) -> None:
        """One question."""
        self._serve(b"")

    def do_POST(self) -> None:
        """One question with a body."""
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _serve(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        mood = self.server.moods.fails()
        given: Answer | None
        if mood == "hang up":
            given = None
        elif mood == "down":
            given = (503, {"error": {"code": 2, "is_transient": True}})
        elif mood == "garbage":
            given = (200, b"<html>?</html>")
        else:
            given = self.server.serve(self.command, parts.path, dict(parse_qsl(parts.query)), body, headers)
        if given is None:
            self.close_connection = True
            return
        status, told = given
        raw = told if isinstance(told, bytes) else json.dumps(told).encode()
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Desks(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    serve: Serve
    moods: Moods


@contextmanager
def served(serve: Serve, moods: Moods) -> Iterator[str]:
    """The platform at work for the length of the block; its address."""
    with _Desks(("127.0.0.1", 0), _Desk) as server:
        server.serve, server.moods = serve, moods
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
