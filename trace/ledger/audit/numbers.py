"""Within one phone no number stands twice: what each chunk saw is laid beside what the chunks before it saw."""

from bisect import bisect_left, bisect_right
from collections import defaultdict

from trace.ledger.audit.chunk import Checked, Fault
from trace.ledger.audit.raw import Raw
from trace.ledger.canonical import parse
from trace.ledger.errors import LedgerError


class Numbers:
    """By device, the numbers that it used, as disjoint ranges in their order."""

    def __init__(self) -> None:
        self._starts: dict[str, list[int]] = defaultdict(list)
        self._ends: dict[str, list[int]] = defaultdict(list)

    def add(self, raw: Raw, chunk: Checked) -> Fault | None:
        """Take in a chunk, in the log's order. The first of its entries that uses a number again is at fault."""
        again = [
            (key, low, high)
            for key, used in chunk.numbers.items()
            for low, high in used
            if self._met(key, low, high)
        ]
        if again:
            return self._first(raw, chunk)
        for key, used in chunk.numbers.items():
            for low, high in used:
                self._join(key, low, high)
        return None

    def _met(self, key: str, low: int, high: int) -> bool:
        """Whether a number of [low, high] was used before."""
        starts, ends = self._starts[key], self._ends[key]
        return bisect_left(ends, low) < bisect_right(starts, high)

    def _join(self, key: str, low: int, high: int) -> None:
        starts, ends = self._starts[key], self._ends[key]
        at = bisect_left(starts, low)
        # A phone counts on, so that most ranges continue the last one.
        if at and ends[at - 1] == low - 1:
            at -= 1
            low = starts.pop(at)
            ends.pop(at)
        if at < len(starts) and starts[at] == high + 1:
            starts.pop(at)
            high = ends.pop(at)
        starts.insert(at, low)
        ends.insert(at, high)

    def _first(self, raw: Raw, chunk: Checked) -> Fault | None:
        bodies = raw.each(
            'SELECT "index", body FROM ledger_entry '
            f'WHERE "index" >= {chunk.start} AND "index" < {chunk.end} ORDER BY "index"'
        )
        for index, body in bodies:
            try:
                device = parse(body).get("device")
            except LedgerError:
                continue
            if device and self._met(device["key"], device["seq"], device["seq"]):
                return Fault(index, f"its phone's key {device['key']} had used the number {device['seq']} before")
        return Fault(chunk.start, "a phone's number that was used before stood here when its chunk was checked")
