"""The log's own keys: each in its own file, readable by nobody else."""

import base64
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flask import current_app

from trace.ledger.note import Signer
from village.errors import SoiError
from village.i18n import lazy_gettext as _l

CUSTODY = b"soi/custodian/event/v1\n"
"""Domain prefix of what the custodian signs: it can never be taken for a checkpoint or a device's claim."""


class KeyTrouble(SoiError):
    """The log's key is missing, or is another log's: nothing can be signed."""

    status = 503


@dataclass(frozen=True)
class Keys:
    """The ledger's key signs checkpoints; the custodian's signs events for those who have no device key."""

    ledger: Signer
    custodian: Signer

    @cached_property
    def vkeys(self) -> tuple[str, str]:
        """The public halves: the ledger's and the custodian's."""
        return self.ledger.verifier.vkey, self.custodian.verifier.vkey

    @cached_property
    def _custodian_id(self) -> str:
        return self.custodian.verifier.key_id.hex()

    def sign_event(self, canonical_event: bytes) -> dict[str, str]:
        """The `custodian` member of an entry over the event's canonical bytes."""
        signature = self.custodian.private_key.sign(CUSTODY + canonical_event)
        return {"key": self._custodian_id, "sig": base64.b64encode(signature).decode()}

    def check(self, vkey: str, custodian_vkey: str) -> None:
        """Refuse key files that are not those that this log was born with."""
        for mine, its in zip(self.vkeys, (vkey, custodian_vkey), strict=True):
            if mine != its:
                raise KeyTrouble(
                    "other-key",
                    _l("Khoá trong máy không phải khoá của sổ này (%(vkey)s). Hãy đưa đúng tệp khoá vào thư mục keys."),
                    vkey=its,
                )


def load(origin: str, *, may_make: bool) -> Keys:
    """The keys of the log `origin` from the instance folder. With `may_make`, for a log yet unborn, they are made."""
    kept: dict[str, Keys] = current_app.extensions.setdefault("soi.keys", {})
    if origin not in kept:
        folder = current_app.extensions["soi"].instance / "keys"
        kept[origin] = Keys(
            ledger=_signer(folder / "ledger.key", origin, may_make),
            custodian=_signer(folder / "custodian.key", f"{origin}/custodian", may_make),
        )
    return kept[origin]


def _signer(path: Path, name: str, may_make: bool) -> Signer:
    if may_make:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(path)
    try:
        seed = base64.b64decode(path.read_text().strip(), validate=True)
    except (OSError, ValueError) as error:
        raise KeyTrouble(
            "no-key", _l("Thiếu tệp khoá %(file)s của sổ, nên chưa ký được gì."), file=path.name
        ) from error
    return Signer.from_seed(name, seed)


def _make(path: Path) -> None:
    """Make a seed unless there is one. Written beside and linked, so that no other process reads half a key."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
