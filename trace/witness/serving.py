"""gunicorn for a witness, without a settings file."""

import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from trace.witness.app import create_app
from trace.witness.state import State

PATIENCE = 10
"""Seconds without a byte after which a connection is given up."""


def serve(folder: Path, host: str, port: int) -> None:
    """Serve the witness in `folder` until it is told to end. Raises WitnessTrouble before anything is begun."""
    State(folder)
    _Server(
        lambda: create_app(folder),
        {"bind": f"{host}:{port}", "workers": 2, "threads": 4, "worker_class": "gthread", "timeout": 30,
         "keepalive": 15, "loglevel": "warning", "pre_request": _be_patient},
    ).run()


class _Server(BaseApplication):  # type: ignore[misc]  # the library has no types
    """gunicorn with these settings; each of its processes makes its own app."""

    def __init__(self, make: Callable[[], Flask], options: dict[str, Any]) -> None:
        self._make, self._options = make, options
        super().__init__()

    def load_config(self) -> None:
        """Take the settings over."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The app."""
        return self._make()


def _be_patient(_worker: Any, request: Any) -> None:
    patience = struct.pack("ll", PATIENCE, 0)
    for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        request.unreader.sock.setsockopt(socket.SOL_SOCKET, direction, patience)
