"""Logs to be checked: longer than a village's, with a phone's signatures, and with everything kept beside them."""

import hashlib
import uuid

from sqlalchemy import Connection, Engine, text

from tests.support.phone import Phone
from trace.ledger import store
from trace.ledger.audit.resume import Progress
from trace.ledger.audit.run import Report, Tell, run
from trace.ledger.models import APPEND_ONLY, KEPT, Anchor, Cosignature, WitnessSeen
from trace.ledger.note import COSIGNATURE, Signer, parse_note
from trace.ledger.verify import stored
from village import clock
from village.db import db, write

WITNESS = Signer.from_seed("witness.test/one", bytes(32), COSIGNATURE)
BATCH = "https://id.gs1.org/01/09506000000016/10/"
IMPRINT = bytes.fromhex("3031300d060960864801650304020105000420")


def grow(count: int, *, batches: int = 50) -> None:
    """Append `count` small entries, each in the chain of one of so many batches."""
    size = store.ensure_born().size
    for start in range(size, size + count, 200):
        numbers = range(start, min(start + 200, size + count))
        with write(ledger=True) as session:
            store.append(
                session,
                [
                    store.Draft("event", {"number": n, "value": 13.2}, (f"{BATCH}L{n % batches}",), {"member": "A"})
                    for n in numbers
                ],
            )
    db.session.remove()


def known(phone: Phone) -> Phone:
    """Put the phone's key on the log."""
    key = {"role": "device", "status": "enrolled", "key": phone.key, "jwk": phone.jwk, "proof": phone.proof}
    with write(ledger=True) as session:
        (entry,) = store.append(session, [store.Draft("key", None, extra={"key": key})])
        store.note_key(session, phone.key, "device", enrolled=entry.index)
    db.session.remove()
    return phone


def by_phone(phone: Phone, seq: int) -> int:
    """Append an event that the phone signed under this number; its entry."""
    claim = {
        "id": str(uuid.uuid4()), "process": "mien-dong", "stage": "harvest", "site": "9506000000013",
        "occurred_at": "2026-10-18T07:00:00+07:00",
    }  # fmt: skip
    event = {
        "type": "ObjectEvent", "action": "ADD", "eventID": f"urn:uuid:{claim['id']}", "soi:process": "mien-dong/1",
        "soi:stage": "harvest", "eventTime": "2026-10-18T00:00:00.000Z", "eventTimeZoneOffset": "+07:00",
        "readPoint": {"id": f"https://id.gs1.org/414/{claim['site']}"},
    }  # fmt: skip
    signature = phone.signed(claim, seq)["device"]["signature"]
    device = {"claim": claim, "key": phone.key, "seq": seq, "sig": signature}
    with write(ledger=True) as session:
        (entry,) = store.append(session, [store.Draft("event", event, device=device)])
    db.session.remove()
    return entry.index


def keep_all() -> None:
    """Keep the newest checkpoint, have a witness of the policy cosign it, and have it stamped."""
    now = clock.now().replace(microsecond=0)
    with write() as session:
        kept = store.keep_checkpoint(session)
        line = WITNESS.sign(parse_note(kept.note).text, int(now.timestamp()))
        session.add(WitnessSeen(vkey=WITNESS.verifier.vkey, name=WITNESS.name, size=kept.size, asked_at=now))
        session.add(
            Cosignature(
                size=kept.size, key_id=line.key_id.hex(), name=line.name, line=line.format(), cosigned_at=now
            )
        )
        digest = hashlib.sha256(kept.note.encode()).digest()
        token = b"\x30\x82" + IMPRINT + digest + b"\x18\x0f" + now.strftime("%Y%m%d%H%M%SZ").encode()
        session.add(Anchor(size=kept.size, authority="https://tsa.test", token=token, stamped_at=now))
    db.session.remove()


def take_guards_away(connection: Connection) -> None:
    """Drop the triggers, as whoever tampers would."""
    for model in (*APPEND_ONLY, *KEPT):
        name = model.__tablename__
        if connection.dialect.name == "sqlite":
            for verb in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER {name}_no_{verb}"))
        else:
            connection.execute(text(f"DROP TRIGGER {name}_append_only ON {name}"))
            connection.execute(text(f"DROP TRIGGER {name}_no_truncate ON {name}"))


def careless(connection: Connection) -> None:
    """Switch foreign keys off for this transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))


def audit(
    engine: Engine, *, jobs: int = 1, tell: Tell | None = None, kept: Progress | None = None, resume: bool = False
) -> Report:
    """Check the log of this database, in processes however short it is."""
    source = stored(engine.url)
    raw = source.open()
    try:
        return run(raw, source, jobs=jobs, tell=tell, kept=kept, resume=resume, few=0)
    finally:
        raw.close()
