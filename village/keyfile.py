"""Secrets of the village's own: random bytes in a file under INSTANCE/keys, made when they are first needed."""

import base64
import os
import secrets
from functools import lru_cache
from pathlib import Path

from flask import current_app

BYTES = 32


def secret(name: str) -> bytes:
    """The village's secret of this name (`[a-z-]+`), the same for all its processes. OSError when it cannot be kept,
    ValueError when its file was damaged."""
    return _secret(current_app.extensions["soi"].instance / "keys" / f"{name}.key")


@lru_cache(maxsize=64)
def _secret(path: Path) -> bytes:
    if not path.exists():
        _make(path)
    found = base64.b64decode(path.read_text().strip(), validate=True)
    if len(found) != BYTES:
        raise ValueError(f"{path.name} does not hold {BYTES} bytes")
    return found


def _make(path: Path) -> None:
    """Written beside and linked, so that no other process reads half a secret, and the first one's stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(base64.b64encode(secrets.token_bytes(BYTES)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
