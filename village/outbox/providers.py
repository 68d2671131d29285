"""What every way of sending has in common: what it is given, and the two ways in which it can fail."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Protocol

from village.outbox.models import Channel, Outcome

ANSWER_MAX = 300
NO_ADDRESS, GIVEN_UP, NO_PROVIDER = "no such address", "given up", "no provider is set"
"""Our own reasons not to send; a provider's are in its own words."""


@dataclass(frozen=True)
class Held:
    """A message that this process alone has in hand until its lease ends."""

    id: str
    channel: Channel
    to: str
    subject: str
    body: str
    tries: int
    """This one included."""
    made_at: dt.datetime
    holder: str


@dataclass(frozen=True)
class Taken:
    """It went out; `answer` is the provider's, without the address."""

    outcome: Outcome
    answer: str


class Later(Exception):
    """Not now. `everybody` when the trouble is the provider's, so that others of this channel need not try either;
    `wait` are the seconds that it asked for."""

    def __init__(self, answer: str, *, everybody: bool = False, wait: int = 0) -> None:
        super().__init__(answer)
        self.answer, self.everybody, self.wait = answer, everybody, wait


class Never(Exception):
    """This message will not be taken, however often it is tried."""

    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.answer = answer


class Provider(Protocol):
    """One way of sending, used for many messages one after the other."""

    def deliver(self, held: Held) -> Taken:
        """Hand it over. Raises Later or Never."""

    def close(self) -> None:
        """Let go of connections."""


def without_address(answer: str, to: str) -> str:
    """A provider's words on one line, bounded, and without the address that they like to repeat."""
    bare = answer.encode("utf-8", "replace").decode()
    local = to.removeprefix("+84")
    for written in sorted({to, local, to.removeprefix("+"), to.partition("@")[0]}, key=len, reverse=True):
        if written:
            bare = re.sub(re.escape(written), "…", bare, flags=re.IGNORECASE)
    return " ".join("".join(c if c.isprintable() else " " for c in bare).split())[:ANSWER_MAX]
