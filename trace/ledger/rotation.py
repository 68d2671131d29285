"""Changing the log's own keys, for all to see: the old and the new key both sign the change, and the log keeps it.

The ledger's key changes in two steps. From `begin` on both keys sign every checkpoint, so that whoever knows the old
one learns of the new one; `finish` retires the old one. The custodian's key signs entries, not checkpoints: it changes
at once. The origin never changes.
"""

import base64

from sqlalchemy import update
from sqlalchemy.orm import Session

from trace.ledger import keys, store
from trace.ledger.keyring import rotate_message
from trace.ledger.models import LedgerState
from trace.ledger.note import Signer, Verifier
from village.db import core, write
from village.errors import Conflict
from village.i18n import lazy_gettext as _l


def begin() -> Verifier:
    """Make a new ledger key and let both sign from now on. Raises Conflict in an overlap. Returns the new key."""
    state = store.ensure_born()
    with write(ledger=True) as session:
        pen = store.take_up(session)
        if len(pen.signing.ledger) != 1:
            raise Conflict("in-overlap", _l("Đang đổi khoá dở: cả hai khoá cùng ký. Làm xong lần này đã rồi đổi tiếp."))
        (old,) = pen.signing.ledger
        # Its file is on the disk before the log names it. A transaction that fails leaves a file that nothing uses.
        new = keys.make(keys.LEDGER, state.origin)
        entry = _told(session, keys.LEDGER, state.origin, old, new)
        store.note_key(session, new.verifier.vkey, keys.LEDGER, enrolled=entry.index)
        _set(session, next_vkey=new.verifier.vkey)
        store.sign_with(session, (old, new), pen.signing.custodian)
    return new.verifier


def finish() -> list[str]:
    """Retire the old ledger key: from this entry on only the new one signs. Returns the files destroyed."""
    state = store.ensure_born()
    with write(ledger=True) as session:
        pen = store.take_up(session)
        if len(pen.signing.ledger) != 2:
            raise Conflict("no-overlap", _l("Không có lần đổi khoá nào đang dở."))
        old, new = pen.signing.ledger
        retired = {"role": keys.LEDGER, "status": "retired", "vkey": old.verifier.vkey}
        (entry,) = store.append(session, [store.Draft("key", None, extra={"key": retired})])
        store.note_key(session, old.verifier.vkey, keys.LEDGER, ended=entry.index)
        _set(session, vkey=new.verifier.vkey, next_vkey=None)
        store.sign_with(session, (new,), pen.signing.custodian)
    return keys.destroy(keys.LEDGER, state.origin, old.verifier.vkey)


def change_custodian() -> Verifier:
    """Put a new custodian's key in the old one's place, which is then destroyed. Returns the new key."""
    state = store.ensure_born()
    with write(ledger=True) as session:
        pen = store.take_up(session)
        old, new = pen.signing.custodian, keys.make(keys.CUSTODIAN, state.origin)
        store.sign_with(session, pen.signing.ledger, new)
        entry = _told(session, keys.CUSTODIAN, state.origin, old, new)
        store.note_key(session, old.verifier.vkey, keys.CUSTODIAN, ended=entry.index)
        store.note_key(session, new.verifier.vkey, keys.CUSTODIAN, enrolled=entry.index)
        _set(session, custodian_vkey=new.verifier.vkey)
    keys.destroy(keys.CUSTODIAN, state.origin, old.verifier.vkey)
    return new.verifier


def _told(session: Session, role: str, origin: str, old: Signer, new: Signer) -> store.Appended:
    """The entry by which one key takes another's place."""
    before, after = old.verifier.vkey, new.verifier.vkey
    message = rotate_message(origin, role, before, after)
    key = {
        "role": role,
        "status": "enrolled",
        "vkey": after,
        "replaces": before,
        "sigs": [base64.b64encode(one.private_key.sign(message)).decode() for one in (old, new)],
    }
    (entry,) = store.append(session, [store.Draft("key", None, extra={"key": key})])
    return entry


def _set(session: Session, **values: str | None) -> None:
    core(session).execute(update(LedgerState).where(LedgerState.id == 1).values(**values))
