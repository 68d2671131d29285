"""Chunks on all cores: each worker is a process with a connection and a keyring of its own."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context, parent_process

from trace.ledger.audit.chunk import Checked, Fault, check_chunk
from trace.ledger.audit.keys import Keys
from trace.ledger.audit.raw import CouldNotCheck, Raw, Source
from trace.ledger.audit.structure import check_structure
from trace.ledger.keyring import Keyring


@dataclass(frozen=True)
class Structure:
    """What `check_structure` found."""

    faults: tuple[Fault, ...]


Found = Checked | Structure
_given: list[tuple[Source, Keys]] = []
"""In a worker's process, what it was given to work with."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def here(raw: Raw, keys: Keys, spans: Iterator[tuple[int, int]]) -> Iterator[Found]:
    """Check the chunks one after the other in this process, up to the first that does not hold."""
    ring = keys.ring()
    for start, end in spans:
        found = check_chunk(raw, ring, start, end)
        yield found
        if found.fault is not None:
            return
    yield Structure(check_structure(raw))


def spread(source: Source, keys: Keys, spans: Iterator[tuple[int, int]], jobs: int) -> Iterator[Found]:
    """Check the chunks in `jobs` processes. They come as they are done; once one does not hold, no further ones are
    begun, but all before it are brought to their end, so that the lowest fault is among those that come.

    Raises CouldNotCheck when a worker could not read, or was ended.
    """
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (source, keys))
    try:
        waiting: set[Future[Found]] = {pool.submit(_structure)}
        for start, end in spans:
            waiting.add(pool.submit(_chunk, start, end))
            if len(waiting) < 2 * jobs:
                continue
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            results = [future.result() for future in done]
            yield from results
            if any(isinstance(found, Checked) and found.fault for found in results):
                break
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    except BrokenProcessPool as error:
        raise CouldNotCheck("a worker was ended before it was done") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(source: Source, keys: Keys) -> None:
    """In a new worker."""
    # Ctrl-C is for the parent to hear, and a worker whose parent is gone waits for nothing any more.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _given.append((source, keys))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@cache
def _tools() -> tuple[Raw, Keyring]:
    source, keys = _given[0]
    return source.open(), keys.ring()


def _chunk(start: int, end: int) -> Found:
    return check_chunk(*_tools(), start, end)


def _structure() -> Found:
    return Structure(check_structure(_tools()[0]))
