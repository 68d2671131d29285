"""The log's own keys: each in its own file, readable by nobody else.

Every `ledger*.key` and `custodian*.key` in the folder is looked at; which of them signs, the log's state says. So a
rotation is a file more, and no process ever signs with a key that the log does not know.
"""

import base64
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import current_app

from trace.ledger import foreign
from trace.ledger.errors import MalformedKey
from trace.ledger.keyring import CUSTODY
from trace.ledger.note import Signer
from village.errors import SoiError
from village.i18n import lazy_gettext as _l

LEDGER, CUSTODIAN = "ledger", "custodian"


class KeyTrouble(SoiError):
    """The log's key is missing, or is another log's: nothing can be signed."""

    status = 503


@dataclass(frozen=True)
class Keys:
    """The ledger's keys sign checkpoints (two in the overlap of a rotation); the custodian's signs events for those
    who have no device key."""

    ledger: tuple[Signer, ...]
    custodian: Signer

    @cached_property
    def _custodian_id(self) -> str:
        return self.custodian.verifier.key_id.hex()

    def sign_event(self, canonical_event: bytes) -> dict[str, str]:
        """The `custodian` member of an entry over the event's canonical bytes."""
        signature = self.custodian.private_key.sign(CUSTODY + canonical_event)
        return {"key": self._custodian_id, "sig": base64.b64encode(signature).decode()}

    def sign_received(self, told: Mapping[str, Any]) -> str:
        """The `received` member of an entry that tells what somebody else claims."""
        return base64.b64encode(self.custodian.private_key.sign(foreign.message(told))).decode()


def born(origin: str) -> Keys:
    """The keys of a log yet unborn; made where there are none."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    for role in (LEDGER, CUSTODIAN):
        _write(folder() / f"{role}.key", secrets.token_bytes(32))
    return Keys(
        (_read(folder() / f"{LEDGER}.key", name_of(LEDGER, origin)),),
        _read(folder() / f"{CUSTODIAN}.key", name_of(CUSTODIAN, origin)),
    )


def load(origin: str, ledger: tuple[str, ...], custodian: str) -> Keys:
    """The keys of the log `origin` whose vkeys its state names. Raises KeyTrouble when a file is missing."""
    kept: dict[str, Signer] = current_app.extensions.setdefault("soi.keys", {})
    if not kept.keys() >= {*ledger, custodian}:
        kept.clear()
        for role in (LEDGER, CUSTODIAN):
            for path in sorted(folder().glob(f"{role}*.key")):
                signer = _read(path, name_of(role, origin))
                kept[signer.verifier.vkey] = signer
    return Keys(
        tuple(_known(kept, vkey, LEDGER, origin) for vkey in ledger), _known(kept, custodian, CUSTODIAN, origin)
    )


def make(role: str, origin: str) -> Signer:
    """A new key of `role` in a file of its own, for a rotation."""
    seed = secrets.token_bytes(32)
    signer = Signer.from_seed(name_of(role, origin), seed)
    _write(folder() / f"{role}-{signer.verifier.key_id.hex()}.key", seed)
    return signer


def destroy(role: str, origin: str, vkey: str) -> list[str]:
    """Take away the files of a key that signs no more; their names."""
    gone = []
    for path in sorted(folder().glob(f"{role}*.key")):
        if _read(path, name_of(role, origin)).verifier.vkey == vkey:
            path.unlink()
            gone.append(path.name)
    return gone


def folder() -> Path:
    """Where the key files lie."""
    path: Path = current_app.extensions["soi"].instance / "keys"
    return path


def name_of(role: str, origin: str) -> str:
    """The name that keys of a role bear: the origin for the ledger's."""
    return origin if role == LEDGER else f"{origin}/{role}"


def _known(kept: dict[str, Signer], vkey: str, role: str, origin: str) -> Signer:
    signer = kept.get(vkey)
    if signer is not None:
        return signer
    if not any(one.name == name_of(role, origin) for one in kept.values()):
        raise _missing(f"{role}.key")
    raise KeyTrouble(
        "other-key",
        _l("Khoá trong máy không phải khoá của sổ này (%(vkey)s). Hãy đưa đúng tệp khoá vào thư mục keys."),
        vkey=vkey,
    )


def _missing(name: str) -> KeyTrouble:
    return KeyTrouble("no-key", _l("Thiếu tệp khoá %(file)s của sổ, nên chưa ký được gì."), file=name)


def _read(path: Path, name: str) -> Signer:
    try:
        return Signer.from_seed(name, base64.b64decode(path.read_text().strip(), validate=True))
    except (OSError, ValueError, MalformedKey) as error:
        raise _missing(path.name) from error


def _write(path: Path, seed: bytes) -> None:
    """Keep a seed unless there is a file. Written beside and linked, so that no other process reads half a key."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(base64.b64encode(seed).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
