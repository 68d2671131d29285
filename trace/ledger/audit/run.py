"""The check of the whole stored log, from its parts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trace.ledger.audit import pool
from trace.ledger.audit.chunk import CHUNK, Checked, Fault
from trace.ledger.audit.kept import stored_root
from trace.ledger.audit.keys import unnamed
from trace.ledger.audit.numbers import Numbers
from trace.ledger.audit.raw import Raw, Source
from trace.ledger.audit.resume import Progress
from trace.ledger.audit.structure import check_structure
from trace.ledger.audit.whole import Snapshot, check_high, look
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.errors import LedgerError
from trace.ledger.merkle import Frontier
from trace.ledger.note import parse_note

FEW = 4 * CHUNK
"""So many entries are checked sooner than a worker has started."""

Tell = Callable[[int, int], None]
"""Told now and then how many entries are done, and how many there are."""


@dataclass(frozen=True)
class Report:
    """What the check found: how many entries from the first on were hashed before anything was at fault, the root over
    them, and the first fault if any."""

    entries: int
    root: bytes
    fault: Fault | None
    notes: tuple[str, ...] = ()
    """What is worth knowing, and no fault."""

    @property
    def holds(self) -> bool:
        """True when everything did."""
        return self.fault is None


def run(
    raw: Raw, source: Source | None = None, *, jobs: int = 1, tell: Tell | None = None, kept: Progress | None = None,
    resume: bool = False, few: int = FEW,
) -> Report:  # fmt: skip
    """Check the whole log. `source` is where workers connect; without one, or for `few` entries, `raw` does it all.

    With `kept` the check leaves behind where it stands, and with `resume` goes on from there if that fits.
    Raises CouldNotCheck when the database cannot be read to the end.
    """
    seen = look(raw)
    done = _begin(raw, seen, kept, resume) if kept and seen.state else {}
    total = seen.size
    spans = [(start, min(start + CHUNK, total)) for start in range(0, total, CHUNK) if start not in done]
    alone = jobs == 1 or sum(end - start for start, end in spans) <= few
    chunks = dict(done)
    structure: list[Fault] = []

    def look_at_structure() -> None:
        structure.extend(check_structure(raw))

    finished = len(done) * CHUNK
    try:
        if alone or source is None:
            look_at_structure()
            found = pool.here(raw, seen.keys, iter(spans))
        else:
            found = pool.spread(source, seen.keys, iter(spans), jobs, look_at_structure)
        for chunk in found:
            chunks[chunk.start] = chunk
            finished += chunk.end - chunk.start
            if kept:
                kept.add(chunk)
            if tell:
                tell(finished, total)
        report = _report(raw, seen, chunks, structure)
    except BaseException:
        if kept:
            kept.close()
        raise
    if kept:
        kept.finish()
    return report


def _begin(raw: Raw, seen: Snapshot, kept: Progress, resume: bool) -> dict[int, Checked]:
    def root(size: int) -> bytes | None:
        try:
            return stored_root(raw, size)
        except (LedgerError, TypeError):
            return None

    return kept.begin(seen.size, root(seen.size) or b"", root if resume else None)


def _report(raw: Raw, seen: Snapshot, chunks: dict[int, Checked], structure: list[Fault]) -> Report:
    good = list(_prefix(chunks))
    roots = [chunk.edge[0] for chunk in good if chunk.end - chunk.start == CHUNK]
    rest = good[-1].edge if good and good[-1].end - good[-1].start < CHUNK else ()
    levels, high = check_high(seen.high, roots)
    size = good[-1].end if good else 0
    edge = [level[-1] for level in reversed(levels) if len(level) & 1] if roots else []
    frontier = Frontier(size, (*edge, *rest))
    faults = [chunk.fault for _, chunk in sorted(chunks.items()) if chunk.fault]
    faults += filter(None, [high, unnamed(seen.keys, (index for chunk in good for index in chunk.keys))])
    faults += _numbers(raw, good)
    faults += seen.faults
    if not faults:
        faults += _agreement(seen, frontier)
    faults += structure
    # Of one entry's faults the first; the log as a whole comes after all entries.
    first = min(faults, key=lambda fault: (fault.index is None, fault.index or 0), default=None)
    return Report(size, frontier.root(), first, tuple(_notes(good)))


def _prefix(chunks: dict[int, Checked]) -> Iterator[Checked]:
    """The chunks from the first entry on, up to and with the first that has a fault."""
    start = 0
    while (chunk := chunks.get(start)) is not None:
        yield chunk
        if chunk.fault:
            return
        start = chunk.end


def _numbers(raw: Raw, good: list[Checked]) -> Iterator[Fault]:
    numbers = Numbers()
    for chunk in good:
        if (fault := numbers.add(raw, chunk)) is not None:
            yield fault
            return


def _agreement(seen: Snapshot, frontier: Frontier) -> Iterator[Fault]:
    """Whether what was signed is what is stored."""
    if seen.state is None:
        return
    if seen.state.frontier != b"".join(frontier.hashes):
        yield Fault(None, "the stored right edge of the tree is not what the entries hash to")
    if Checkpoint.parse(parse_note(seen.state.checkpoint).text).root != frontier.root():
        yield Fault(None, "the signed checkpoint is of another tree than the stored entries")


def _notes(good: list[Checked]) -> Iterator[str]:
    gone = [place for chunk in good for place in chunk.unexplained]
    if gone:
        index, name = gone[0]
        yield (
            f"{len(gone)} values that entries commit to are not kept, and no entry says that they were erased; "
            f"the first is {name} of entry {index}"
        )


