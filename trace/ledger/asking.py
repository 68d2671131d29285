"""Asking witnesses over HTTP: one answer each, all at once, bounded in size and time. Knows no database.

What comes back is a stranger's word: only a cosignature that verifies under the policy's key says anything for sure.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import requests
import urllib3

from trace.ledger.encoding import from_decimal
from trace.ledger.errors import BadSignature, MalformedNote
from trace.ledger.note import Verifier, parse_signature_line
from trace.ledger.policy import Witness
from trace.witness.core import SIZE_TYPE

MAX_ANSWER = 64 * 1024
CONNECT, READ, WHOLE = 2.0, 3.0, 6.0
"""Seconds until a connection stands, between two pieces of an answer, and for all of it."""
LATEST_MOMENT = 253402300799
"""The last second of the year 9999: a cosignature's time must be one that a calendar has."""

T = TypeVar("T")


class _TooMuch(Exception):
    """Longer, or slower, than any witness's answer."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A line that verifies under the witness's key, and the time (Unix seconds) that it covers."""

    line: str
    time: int


@dataclass(frozen=True, slots=True)
class Holds:
    """No cosignature: the witness says that it holds `size` entries."""

    size: int


@dataclass(frozen=True, slots=True)
class Contradicts:
    """The witness holds another history than ours, or says so: another root, or a proof that does not hold for it."""

    status: int


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer that says anything. `slug` is one of unreachable, unknown-log, unknown-key, bad-cosignature, odd."""

    slug: str
    what: str = ""


FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, _TooMuch, OSError, ValueError)
Answer = Cosigned | Holds | Contradicts | Failed


def ask(witness: Witness, body: str, text: str) -> Answer:
    """Send an add-checkpoint request whose checkpoint has this note `text`. Never raises for what comes back."""
    try:
        status, kind, answer = _exchange("POST", f"{witness.url}/add-checkpoint", body.encode())
    except FAULTS as error:
        return Failed("unreachable", type(error).__name__)
    if status == 200:
        return _cosigned(answer, witness.key, text)
    if status == 409 and kind == SIZE_TYPE:
        digits = answer.removesuffix(b"\n").decode("ascii", "replace")
        size = from_decimal(digits) if len(digits) < 20 else None
        return Failed("odd", "409") if size is None else Holds(size)
    if status in (409, 422):
        return Contradicts(status)
    return Failed({403: "unknown-key", 404: "unknown-log"}.get(status, "odd"), str(status))


def shown_checkpoint(witness: Witness, origin: str) -> str:
    """The checkpoint that a witness shows of the log `origin`, as it says; empty when it shows none."""
    digest = hashlib.sha256(origin.encode()).hexdigest()
    try:
        status, _, answer = _exchange("GET", f"{witness.url}/{digest}/checkpoint", None)
        return answer.decode("utf-8") if status == 200 else ""
    except FAULTS:
        return ""


def at_once(asked: Mapping[Witness, Callable[[], T]]) -> dict[Witness, T]:
    """Do all of these, which never raise, in threads of their own. Who is not back in time is left out.

    A thread that a witness holds up with an endless answer is left behind, and no second one is begun beside it.
    """
    found: dict[Witness, T] = {}
    mine: list[threading.Thread] = []

    def one(witness: Witness, act: Callable[[], T]) -> None:
        found[witness] = act()

    for witness, act in asked.items():
        if witness.url not in _asking or not _asking[witness.url].is_alive():
            _asking[witness.url] = threading.Thread(target=one, args=(witness, act), daemon=True)
            _asking[witness.url].start()
            mine.append(_asking[witness.url])
    deadline = time.monotonic() + WHOLE
    for thread in mine:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(found)


_asking: dict[str, threading.Thread] = {}
"""The newest thread that asked at an address."""


def _exchange(method: str, url: str, body: bytes | None) -> tuple[int, str, bytes]:
    """Status, content type and body of an answer. A redirection is an answer like any other."""
    began = time.monotonic()
    with requests.request(
        method, url, data=body, timeout=(CONNECT, READ), allow_redirects=False, stream=True,
        headers={"Content-Type": "text/plain", "User-Agent": "soi-ledger", "Accept-Encoding": "identity"},
    ) as answer:
        found = b""
        # Byte for byte as they came: a compressed answer could grow without end.
        while piece := answer.raw.read1(4096):
            found += piece
            if len(found) > MAX_ANSWER or time.monotonic() - began > WHOLE:
                raise _TooMuch
        return answer.status_code, answer.headers.get("Content-Type", "").partition(";")[0].strip(), found


def _cosigned(answer: bytes, key: Verifier, text: str) -> Cosigned | Failed:
    try:
        lines = [parse_signature_line(line) for line in answer.decode("utf-8").removesuffix("\n").split("\n")]
    except (MalformedNote, UnicodeDecodeError) as error:
        return Failed("odd", str(error)[:200])
    for line in lines:
        if (line.name, line.key_id) == (key.name, key.key_id):
            try:
                moment = key.verify(text, line.signature)
            except BadSignature:
                return Failed("bad-cosignature", line.format())
            if moment is None or not 0 < moment <= LATEST_MOMENT:
                return Failed("bad-cosignature", line.format())
            return Cosigned(line.format(), moment)
    return Failed("odd", "no line of its key")
