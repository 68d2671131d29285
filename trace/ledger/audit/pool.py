"""Chunks on all cores: each worker is a process with a connection and a keyring of its own."""

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context, parent_process

from trace.ledger.audit.chunk import Checked, check_chunk
from trace.ledger.audit.keys import Keys
from trace.ledger.audit.raw import CouldNotCheck, Raw, Source
from trace.ledger.keyring import Keyring

_given: list[tuple[Source, Keys]] = []
"""In a worker's process, what it was given to work with."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def here(raw: Raw, keys: Keys, spans: Iterator[tuple[int, int]]) -> Iterator[Checked]:
    """Check the chunks one after the other in this process, up to the first that does not hold."""
    ring = keys.ring()
    for start, end in spans:
        found = check_chunk(raw, ring, start, end)
        yield found
        if found.fault is not None:
            return


def spread(
    source: Source, keys: Keys, spans: Iterator[tuple[int, int]], jobs: int, meanwhile: Callable[[], None]
) -> Iterator[Checked]:
    """Check the chunks in `jobs` processes. They come as they are done; once one does not hold, no further ones are
    begun, but all before it are brought to their end, so that the lowest fault is among those that come.

    `meanwhile` is done in this process once all workers have something to do.
    Raises CouldNotCheck when a worker could not read, or was ended.
    """
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (source, keys))
    try:
        waiting = {pool.submit(_chunk, *span) for span in itertools.islice(spans, 2 * jobs)}
        meanwhile()
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            results = [future.result() for future in done]
            yield from results
            if any(found.fault for found in results):
                spans = iter(())
            waiting |= {pool.submit(_chunk, *span) for span in itertools.islice(spans, len(done))}
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


def _chunk(start: int, end: int) -> Checked:
    return check_chunk(*_tools(), start, end)
