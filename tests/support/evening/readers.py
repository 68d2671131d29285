"""What carries a livestream's comments to us over a network that fails: drops, repeats, mixed-up order, delays, cuts.

A reader has comments at hand once the platform told it of them. It sends what it has, again and again until it is told
that it was taken: nothing that it holds is ever lost, and much comes twice.
"""

import datetime as dt
import json
import random
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Protocol

from shop.live.sources import signed
from tests.support.evening.script import Spoken
from tests.support.racing import Answer, Broken, Caller

MOST = 500
"""Comments that one call may bring."""
TICK = 0.01
PATIENCE = 120.0


@dataclass(frozen=True)
class Trouble:
    """How bad a network is: probabilities by comment or by call."""

    repeated: float = 0.08
    """Comments that come again with a later call."""
    held: float = 0.03
    """Comments that are told late, by up to `late` seconds."""
    late: float = 1.5
    dropped: float = 0.03
    """Calls whose answer gets lost, so that they are sent once more. The first one's always is."""
    cuts: tuple[tuple[float, float], ...] = ()
    """From when to when, in seconds of the evening, nothing gets through; then all of it comes at once."""


class Way(Protocol):
    """How a reader's calls get to us."""

    @property
    def path(self) -> str:
        """Where they are posted."""

    def headers(self, body: str) -> dict[str, str]:
        """What shows that they are the reader's."""


@dataclass(frozen=True)
class ByApi:
    """By the API, with a member's token."""

    session: str
    bearer: str

    @property
    def path(self) -> str:
        return f"/api/live/sessions/{self.session}/comments"

    def headers(self, body: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.bearer}"}


@dataclass(frozen=True)
class BySignature:
    """By the generic webhook, with its source's secret."""

    source: str
    secret: str

    @property
    def path(self) -> str:
        return f"/hooks/live/{self.source}"

    def headers(self, body: str) -> dict[str, str]:
        stamp = str(int(time.time()))
        return {"X-Soi-Timestamp": stamp, "X-Soi-Signature": signed.sign(self.secret, stamp, body.encode())}


@dataclass
class Heard:
    """What became of one comment on its way."""

    at_hand: float
    """When the reader had it, in seconds of the evening."""
    decided: float | None = None
    """When its decision was answered; of several answers the first."""
    decision: str = ""


class Clock:
    """Seconds of the evening, and the moments that platforms tell of."""

    def __init__(self, ahead: float = 0.5) -> None:
        self._began = time.monotonic() + ahead
        self.started = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead)

    def now(self) -> float:
        """Seconds since it began; below 0 before."""
        return time.monotonic() - self._began

    def of(self, moment: float) -> float:
        """Seconds of the evening at a moment of `time.monotonic`."""
        return moment - self._began

    def moment(self, at: float) -> dt.datetime:
        """By a platform's clock."""
        return self.started + dt.timedelta(seconds=at)

    def until(self, at: float) -> None:
        """Wait."""
        if (left := at - self.now()) > 0:
            time.sleep(left)


@dataclass
class Reader(threading.Thread):
    """Carries one livestream's comments, or a part of them."""

    clock: Clock
    port: int
    way: Way
    said: Sequence[Spoken]
    trouble: Trouble = Trouble()
    seed: int = 0
    heard: dict[str, Heard] = field(default_factory=dict)
    calls: int = 0
    resent: int = 0
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(name=f"reader-{self.seed}", daemon=True)
        self._chance = random.Random(self.seed)
        self._caller = _Line(self.port)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        """Send all of it."""
        try:
            self._carry()
        except Exception as error:
            self.failures.append(f"{type(error).__name__}: {error}")
        finally:
            self._caller.leave()

    def _carry(self) -> None:
        coming = sorted(((self._told_at(one), one) for one in self.said), key=lambda each: each[0])
        again: list[Spoken] = []
        while coming or again:
            now = self.clock.now()
            count = 0
            while count < len(coming) and coming[count][0] <= now and count < MOST:
                count += 1
            due = [one for _at, one in coming[:count]]
            for at, one in coming[:count]:
                self.heard[one.id] = Heard(at)
            del coming[:count]
            if not due:
                if not coming:
                    due, again = again[:MOST], again[MOST:]
                else:
                    self.clock.until(min(coming[0][0], now + TICK))
                    continue
            room = MOST - len(due)
            sent = due + again[:room]
            again = again[room:] + [one for one in due if self._chance.random() < self.trouble.repeated]
            self._chance.shuffle(sent)
            self._send(sent)

    def _told_at(self, one: Spoken) -> float:
        """When the platform tells the reader of it."""
        at = one.at
        if self._chance.random() < self.trouble.held:
            at += self._chance.uniform(0, self.trouble.late)
        for begins, ends in self.trouble.cuts:
            if begins <= at < ends:
                at = ends
        return at

    def _send(self, sent: Sequence[Spoken]) -> None:
        body = json.dumps({"comments": [self._as_json(one) for one in sent]})
        if not self.calls or self._chance.random() < self.trouble.dropped:
            self.resent += 1
            self._caller.send_only(self.way.path, body, self.way.headers(body))
        answer = self._until_answered(body)
        self.calls += 1
        now = self.clock.now()
        assert answer.status == 200, answer
        for result in json.loads(answer.body)["results"]:
            found = self.heard[result["id"]]
            if found.decided is None:
                found.decided, found.decision = now, result["decision"]

    def _until_answered(self, body: str) -> Answer:
        ends = time.monotonic() + PATIENCE
        while True:
            with suppress(Broken):
                answer = self._caller.once("POST", self.way.path, body, "application/json", **self.way.headers(body))
                if answer.status < 500:
                    return answer
                self.failures += [str(answer)] if answer.status != 503 else []
            self.resent += 1
            assert time.monotonic() < ends, f"{self.way.path}: nobody answers"
            time.sleep(0.05)

    def _as_json(self, one: Spoken) -> dict[str, object]:
        return {
            "id": one.id, "author": {"id": one.author, "name": one.name}, "text": one.text,
            "at": self.clock.moment(one.at).isoformat(),
        }  # fmt: skip


class _Line(Caller):
    """A connection that may be torn off before its answer comes."""

    def send_only(self, path: str, body: str, head: dict[str, str]) -> None:
        """Send a call and hang up: it may be done or not, and nobody hears of it."""
        self.leave()
        line = Caller(self.port)
        with suppress(Broken, OSError, HTTPException):
            connection = line.connected()
            connection.request("POST", path, body.encode(), {"Content-Type": "application/json", **head})
        line.leave()


def apart(said: Iterable[Spoken], parts: int, seed: int, both: float = 0.1) -> list[list[Spoken]]:
    """One livestream's comments for several sources of its own; some come by two of them."""
    chance = random.Random(seed)
    found: list[list[Spoken]] = [[] for _ in range(parts)]
    for one in said:
        first = chance.randrange(parts)
        found[first].append(one)
        if parts > 1 and chance.random() < both:
            found[(first + 1) % parts].append(one)
    return found
