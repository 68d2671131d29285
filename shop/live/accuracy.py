"""How well the parser reads comments whose meaning is known: false orders apart from missed ones, kind by kind."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from shop.live.parser import Reading, parse


class Unreadable(ValueError):
    """A file of comments that is not in the form that `load` reads."""


class Verdict(StrEnum):
    """What a reading was worth."""

    RIGHT = "right"
    FALSE_ORDER = "false order"
    """An order from what was none, or one with a wrong code or quantity: the worst fault."""
    FALSE_CANCELLATION = "false cancellation"
    """Packs would have been given back that nobody cancelled, or others than those."""
    MISSED = "missed order"
    """A person has to take it, or nobody does."""
    WRONG_PHONE = "wrong telephone"


@dataclass(frozen=True, slots=True)
class Case:
    """A comment and what a seller would understand."""

    text: str
    lines: tuple[tuple[str, int], ...]
    """(code, packs) to be ordered; empty where it is no order."""
    phone: str | None
    kind: str
    cancels: bool
    pinned: str | None = None
    """The code that was pinned when it was said."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A case, how it was read, and what that was worth."""

    case: Case
    reading: Reading
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one kind of comment."""

    kind: str
    comments: int
    orders: int
    """Comments that are orders."""
    verdicts: dict[Verdict, int]
    to_a_person: int
    """Comments that are no orders and that a person has to look at all the same."""

    @property
    def right(self) -> int:
        """Comments that were read as a seller would."""
        return self.verdicts.get(Verdict.RIGHT, 0)


def load(path: Path) -> list[Case]:
    """The comments of a file: a JSON list of `{"text", "expect", "note", "kind", "pinned"}`, the last two if need be.

    `expect` is "reject", or `{"codes", "quantities", "phone"}`; `note` begins with `intent=…`, which is the kind where
    none is given. Raises Unreadable.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path}: {error}") from None
    if not isinstance(entries, list):
        raise Unreadable(f"{path}: not a list of comments")
    cases = []
    for number, entry in enumerate(entries, start=1):
        try:
            cases.append(_case(entry))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unreadable(f"{path}, comment {number}: {type(error).__name__} {error}") from None
    return cases


def _case(entry: dict[str, object]) -> Case:
    text, expected = entry["text"], entry["expect"]
    if not isinstance(text, str):
        raise TypeError("text")
    intent = str(entry.get("note", "")).partition(";")[0].removeprefix("intent=").strip()
    kind, pinned = str(entry.get("kind") or intent or "other"), entry.get("pinned")
    if pinned is not None and not isinstance(pinned, str):
        raise TypeError("pinned")
    if expected == "reject":
        return Case(text, (), None, kind, intent == "cancel", pinned)
    if not isinstance(expected, dict):
        raise TypeError("expect")
    lines = tuple((str(code), int(n)) for code, n in zip(expected["codes"], expected["quantities"], strict=True))
    if not lines:
        raise ValueError("an order without lines")
    phone = expected.get("phone")
    return Case(text, lines, None if phone is None else str(phone), kind, False, pinned)


def judge(case: Case, reading: Reading) -> Verdict:
    """What a reading of a case is worth."""
    lines = tuple((line.code, line.quantity) for line in reading.lines)
    if reading.intent == "order":
        if lines != case.lines:
            return Verdict.FALSE_ORDER
        return Verdict.RIGHT if reading.phone == case.phone else Verdict.WRONG_PHONE
    if case.lines:
        return Verdict.FALSE_CANCELLATION if reading.intent == "cancel" else Verdict.MISSED
    if reading.intent == "cancel" and not case.cancels:
        return Verdict.FALSE_CANCELLATION
    return Verdict.RIGHT


def measure(cases: Iterable[Case], live_codes: Collection[str]) -> list[Judged]:
    """Reads each case against the codes that are live."""
    found = []
    for case in cases:
        reading = parse(case.text, live_codes, pinned=case.pinned)
        found.append(Judged(case, reading, judge(case, reading)))
    return found


def tallies(judged: Sequence[Judged]) -> list[Tally]:
    """One tally for each kind, in the order in which they came, and one of all."""
    kinds = dict.fromkeys(each.case.kind for each in judged)
    return [
        *(_tally(kind, [each for each in judged if each.case.kind == kind]) for kind in kinds),
        _tally("all", judged),
    ]


def _tally(kind: str, judged: Sequence[Judged]) -> Tally:
    verdicts: dict[Verdict, int] = {}
    for each in judged:
        verdicts[each.verdict] = verdicts.get(each.verdict, 0) + 1
    orders = sum(bool(each.case.lines) for each in judged)
    looked_at = sum(not each.case.lines and each.reading.intent in ("review", "change") for each in judged)
    return Tally(kind, len(judged), orders, verdicts, looked_at)
