"""Broken and forged inputs, tens of thousands in the suite and a million in `make soak`: none crashes a parser, none
hangs it, and none is taken for true that nobody signed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.support.soak import times
from tests.trace.fuzzing import CHECKED, SLOW, TARGETS
from village.settings import ROOT

INPUTS, FEWER = 3700, 300
"""For each target, and for each slow one: with these targets, a million in `make soak`."""
SEED = os.environ.get("FUZZ_SEED", "soi")


def test_a_million_inputs_are_tried_in_the_soak() -> None:
    assert TARGETS.keys() >= SLOW
    assert (len(TARGETS.keys() - SLOW) * INPUTS + len(SLOW) * FEWER) * 20 >= 1_000_000


@pytest.mark.processes
@pytest.mark.parametrize("target", TARGETS)
def test_broken_and_forged_inputs_are_refused(target: str, record_property: Callable[[str, object], None]) -> None:
    few = FEWER if target in SLOW else INPUTS
    count = times(few)
    # Beside the other tests one process is enough; alone, all cores.
    workers = (os.cpu_count() or 1) if count > few else 1
    share = -(-count // workers // CHECKED) * CHECKED
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.trace.fuzzing", target, SEED, str(first), str(min(share, count - first))],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for first in range(0, count, share)
    ]  # fmt: skip
    said = [process.communicate() for process in running]
    faults = [f"{out}\n{err}" for process, (out, err) in zip(running, said, strict=True) if process.returncode]
    assert not faults, faults[0]
    tallies = [json.loads(out) for out, _ in said]
    refused, accepted = (sum(tally[name] for tally in tallies) for name in ("refused", "accepted"))
    assert refused + accepted == count
    # Mutations that nothing survives would try the first lines of a parser only.
    assert refused > accepted / 10 and accepted > count / 500
    record_property("mutated inputs tried", count)
