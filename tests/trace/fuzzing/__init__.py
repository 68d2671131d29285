"""What the fuzzer throws at each parser and verifier of the ledger, and what must hold of it; run as
`python -m tests.trace.fuzzing <target> <seed> <first> <count>`.

A target takes any bytes. It returns True when they were accepted, raises LedgerError when they were refused, and
AssertionError when something was accepted that nobody signed, or that has a second spelling.
"""

import faulthandler
import json
import sys
import time
from collections.abc import Callable

from tests.trace.fuzzing import parsers, verifiers
from tests.trace.fuzzing.corpus import Target
from trace.ledger.errors import LedgerError

CHECKED = 100
"""So many inputs share one watchdog."""
HANG = 60
"""Seconds after which the watchdog ends the process and says where it hung."""
BUDGET = 1.0
"""Seconds of computing that one input may take."""

TARGETS: dict[str, Callable[[], Target]] = {
    made.__name__: made
    for made in (
        parsers.note, parsers.checkpoint, parsers.vkey, parsers.entry, parsers.asked, parsers.tile_path, parsers.tile,
        parsers.policy, parsers.stamp, verifiers.receipt, verifiers.signature, verifiers.key, verifiers.witness,
        verifiers.lot, verifiers.lot_small, verifiers.other_lot, verifiers.other_receipt, verifiers.rewritten,
    )
}  # fmt: skip
SLOW = frozenset({"lot", "lot_small", "other_lot", "rewritten"})
"""Each of their inputs has dozens of signatures to be checked."""


def main(name: str, seed: str, first: int, count: int) -> None:
    """Try `count` inputs; print what came of them as JSON. Ends with status 1 at the first that fails."""
    target = TARGETS[name]()
    assert any([attempt(target, source) for source in target.sources]), "none of the true inputs is accepted"
    refused = accepted = 0
    slowest = 0.0
    for block in range(first, first + count, CHECKED):
        faulthandler.dump_traceback_later(HANG, exit=True)
        mutator = target.mutator(f"{name} {seed} {block}")
        for _ in range(min(CHECKED, first + count - block)):
            data = mutator.next()
            began = time.thread_time()
            try:
                if attempt(target, data):
                    accepted += 1
                else:
                    refused += 1
            except Exception as error:
                print(json.dumps({"failed": repr(error), "input": data.hex()}))
                raise
            slowest = max(slowest, time.thread_time() - began)
            if slowest > BUDGET:
                print(json.dumps({"failed": f"it took {slowest:.1f} s", "input": data.hex()}))
                sys.exit(1)
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps({"refused": refused, "accepted": accepted, "slowest": slowest}))


def attempt(target: Target, data: bytes) -> bool:
    """True when accepted, False when refused as it should be."""
    try:
        return target.check(data)
    except LedgerError as error:
        assert str(error)
        return False
