"""Sixteen writers in four processes: one log, without a gap and without a fork."""

import json
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.support import receipts
from tests.support.crowd import EVENTS_A_STORY
from tests.support.serving import environment
from tests.support.soak import times
from trace.events.models import Event
from trace.ledger import store
from trace.ledger.encoding import to_base64
from trace.ledger.models import LedgerEntry, LedgerLink
from trace.ledger.note import Verifier
from trace.ledger.proof import verify_proof
from trace.ledger.verify import verify
from village.db import db
from village.settings import ROOT, Settings

PROCESSES, THREADS = 4, 4
EVENTS = 400


def _write(settings: Settings, stories: int) -> tuple[list[tuple[str, int, str]], float]:
    """Let the crowd loose; what its answers said, and how many seconds it took."""
    command = [sys.executable, "-m", "tests.support.crowd"]
    env = environment(settings, 8000, SOI_ENV="test")
    crowd = [
        subprocess.Popen(
            [*command, f"writer-{number}", str(THREADS), str(stories)],
            cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(PROCESSES)
    ]
    try:
        for process in crowd:
            assert process.stdout and process.stdout.readline() == "ready\n"
        began = time.monotonic()
        for process in crowd:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [json.loads(process.communicate(timeout=600)[0]) for process in crowd]
        seconds = time.monotonic() - began
    finally:
        for process in crowd:
            process.kill()
            process.wait()
    assert [fault for one in said for fault in one["faults"]] == []
    return [tuple(event) for one in said for event in one["told"]], seconds


@pytest.mark.processes
def test_sixteen_writers_in_four_processes_keep_one_log(app: Flask, settings: Settings) -> None:
    before = store.ensure_born().size
    db.session.remove()
    told, seconds = _write(settings, times(EVENTS) // (PROCESSES * THREADS * EVENTS_A_STORY) + 1)
    print(f"{len(told)} events in {seconds:.1f} s: {len(told) / seconds:.0f} a second")
    assert len(told) >= times(EVENTS)

    indexes = sorted(index for _, index, _ in told)
    assert indexes == list(range(before, before + len(told))), "a gap or a fork"
    assert len({leaf for _, _, leaf in told}) == len(told)
    assert db.session.scalar(select(func.count()).select_from(Event)) == len(told)

    links = db.session.execute(
        select(LedgerLink.batch, LedgerLink.seq).order_by(LedgerLink.batch, LedgerLink.seq)
    ).all()
    assert all(b.seq == a.seq + 1 if a.batch == b.batch else b.seq == 0 for a, b in pairwise(links))

    report = verify()
    assert report.fault is None and report.entries == before + len(told)
    _all_receipts_hold(told)


def _all_receipts_hold(told: list[tuple[str, int, str]]) -> None:
    state = store.ensure_born()
    key = Verifier.parse(state.vkey)
    bodies = {index: body for index, body in db.session.execute(select(LedgerEntry.index, LedgerEntry.body))}
    for _, index, leaf in told:
        result = verify_proof(bodies[index], receipts.receipt(index).format(), state.origin, [key])
        assert result.holds, (index, result.reason)
        assert to_base64(store.entry(index).leaf_hash) == leaf
