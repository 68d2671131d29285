"""A million comments that nobody would write (in `make soak`; some thousands in the suite), read under codes of every
kind: none breaks the reader, none takes long."""

import itertools
import time
from collections.abc import Callable, Sequence

import pytest

from shop.live.parser import Reading
from tests.support.absurd import BOOKS, LIVE, PATIENCE, about, comments, faults, read
from tests.support.soak import times

SOME, MILLION = 2_500, 1_000_000
SEED = 7_2026

# Counted among the long tests, so that `make soak` reads all of them.
pytestmark = pytest.mark.processes


def timed(text: str, live: Sequence[str]) -> tuple[float, Reading]:
    """Seconds of a core that a reading took, and the reading; what seems slow is read twice more, for once may be the
    machine."""
    least = 1.0
    for _try in range(3):
        began = time.process_time()
        reading = read(text, live)
        least = min(least, time.process_time() - began)
        if least <= PATIENCE:
            break
    return least, reading


def test_no_absurd_comment_breaks_the_reader_or_keeps_it_busy(
    record_property: Callable[[str, object], None],
) -> None:
    for live in BOOKS:
        read("md01", live)  # a session's codes are compiled once
    count = MILLION if times(1) > 1 else SOME
    books = itertools.cycle((LIVE, *BOOKS))
    for text, live in zip(itertools.islice(comments(SEED), count), books, strict=False):
        told = about(text, live)
        took, reading = timed(told, live)
        assert took <= PATIENCE, f"{took * 1000:.1f} ms under {live}: {told!r}"
        assert not (wrong := faults(told, reading, live)), f"{wrong} under {live}: {told!r} → {reading}"
    record_property("absurd comments read", count)
