"""The true log whose notes, entries and proofs the fuzzer breaks, and what a target is."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.support.fuzz import JsonMutator, Mutator
from tests.support.proofs import Log, Story, story
from tests.trace.test_note import ENOCH, ENOCH_LINE, PETER, PETER_LINE, SPEC, SPEC_NOTE, TEXT
from trace.ledger.canonical import written_strictly
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.errors import LedgerError
from trace.ledger.note import Verifier, open_note, parse_note

KNOWN = tuple(map(Verifier.parse, (PETER, ENOCH, SPEC)))
"""Keys of published examples."""


@dataclass(frozen=True)
class Target:
    """Its true inputs, the check, and how its JSON is written where it is JSON."""

    sources: tuple[bytes, ...]
    check: Callable[[bytes], bool]
    write: Callable[[Any], bytes] | None = None

    def mutator(self, seed: str) -> Mutator:
        """Inputs for it."""
        return JsonMutator(self.sources, seed, self.write) if self.write else Mutator(self.sources, seed)


@cache
def told_story() -> Story:
    """A small village, some of whose phones sign, and whose keys were changed."""
    return story(seed=7, ancestors=6)


def true_log() -> Log:
    """Its log."""
    return told_story().log


@cache
def heads() -> dict[int, str]:
    """True checkpoints of several sizes."""
    size = len(true_log().entries)
    return {n: true_log().checkpoint(n) for n in (1, 2, size // 2, size - 1, size)}


@cache
def keys() -> tuple[Verifier, ...]:
    """Its own keys and its witnesses'."""
    log = true_log()
    vkeys = [*log.vkeys, *(witness.verifier.vkey for witness in log.witnesses)]
    return tuple(Verifier.parse(vkey) for vkey in vkeys)


@cache
def signed() -> frozenset[tuple[str, int | None, str]]:
    """Everything that was ever signed, as (vkey, a cosignature's time, text)."""
    known = [*keys(), *KNOWN]
    return frozenset(
        (line.verifier.vkey, line.time, opened.text)
        for opened in (open_note(note, known) for note in (*notes(), *heads().values()))
        for line in opened.signatures
    )


def notes() -> list[str]:
    """Published examples of notes."""
    return [f"{TEXT}\n{PETER_LINE}", f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}", SPEC_NOTE]


@cache
def true_heads() -> frozenset[Checkpoint]:
    """What the true checkpoints say."""
    return frozenset(Checkpoint.parse(parse_note(note).text) for note in heads().values())


def encoded(*texts: str) -> tuple[bytes, ...]:
    """As bytes."""
    return tuple(text.encode() for text in texts)


def as_text(data: bytes) -> str:
    """As text, halves of surrogates for what is no UTF-8: parsers that take text must stand those too."""
    return data.decode("utf-8", "surrogateescape")


def written(told: Any) -> bytes:
    """Canonical bytes where there are any; else whatever JSON there is."""
    try:
        return written_strictly(told)
    except LedgerError:
        return json.dumps(told).encode()
