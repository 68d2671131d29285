"""What must not be lost: another history of this log. It is kept as evidence, and the log signs nothing more."""

from sqlalchemy import select

from trace.ledger import merkle, store
from trace.ledger.asking import at_once, shown_checkpoint
from trace.ledger.checkpoint import open_checkpoint
from trace.ledger.errors import LedgerError
from trace.ledger.models import Evidence, LedgerState
from trace.ledger.note import Verifier, parse_note
from trace.ledger.policy import Witness
from village import clock
from village.db import db, write
from village.i18n import marked

BEHIND, FORK, BAD = "behind-witness", "fork", "bad-cosignature"

# Kept as they stand, in the village's own language: what was found is not said anew for each reader.
_BEHIND = marked("Người làm chứng %(name)s giữ bản %(theirs)s dòng, mà sổ trong máy chỉ có %(ours)s dòng.")
_FORK = marked("Người làm chứng %(name)s giữ bản khác với bản %(ours)s dòng của sổ này.")
_BAD = marked("Người làm chứng %(name)s gửi về chữ ký không đúng cho bản %(ours)s dòng.")
_SIGNED = marked("Bản của họ mang chữ ký của chính sổ này.")


def behind(witness: Witness, key: Verifier, ours: str, size: int, theirs: int) -> None:
    """A witness holds `theirs` entries and this log, whose note `ours` is, only `size`: keep it and halt."""
    about = _BEHIND % {"name": witness.name, "theirs": theirs, "ours": size}
    _keep(BEHIND, about, ours, _shown(witness, key), key)
    store.halt(about)


def forked(witness: Witness, key: Verifier, ours: str, size: int) -> None:
    """A witness holds another history than the note `ours` over `size` entries: keep it and halt."""
    about = _FORK % {"name": witness.name, "ours": size}
    _keep(FORK, about, ours, _shown(witness, key), key)
    store.halt(about)


def bad_cosignature(witness: Witness, ours: str, size: int, line: str) -> None:
    """A witness's own key signed something else. That is its trouble, not the log's, which goes on."""
    _keep(BAD, _BAD % {"name": witness.name, "ours": size}, ours, line, None)


def _keep(kind: str, about: str, ours: str, theirs: str, key: Verifier | None) -> None:
    if key is not None and _proves(theirs, key):
        about = f"{about} {_SIGNED}"
    with write() as session:
        if session.scalar(select(Evidence.id).where(Evidence.kind == kind, Evidence.about == about).limit(1)) is None:
            session.add(Evidence(kind=kind, found_at=clock.now(), about=about, ours=ours, theirs=theirs))


def _shown(witness: Witness, key: Verifier) -> str:
    """The checkpoint that the witness shows, if it has the form of one."""
    note = at_once({witness: lambda: shown_checkpoint(witness, key.name)}).get(witness, "")
    try:
        parse_note(note)
    except LedgerError:
        return ""
    return note


def _proves(theirs: str, key: Verifier) -> bool:
    """Whether the note is signed by this very log, and is not of the history that lies here."""
    try:
        head = open_checkpoint(theirs, key.name, [key]).checkpoint
        # Not `ensure_born`: whoever asks may be about to refuse that very birth.
        state = db.session.get(LedgerState, 1)
        if state is None or head.size > state.size:
            return True
        edge = merkle.frontier_nodes(head.size)
        return merkle.frontier_of(head.size, store.nodes(db.session(), edge)).root() != head.root
    except LedgerError:
        return False
