"""A livestream on Facebook: notices that come in batches, late, twice or not at all, and the list that our reader
follows; now and then neither of them."""

import json
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from flask import Flask
from sqlalchemy import func, select

from shop.live.models import LiveComment, LiveDecision
from shop.live.sources.facebook.reading import Reader as OurReader
from tests.support.evening.readers import PATIENCE, TICK, Clock, Heard
from tests.support.evening.script import Spoken
from tests.support.platforms.facebook import FacebookFake, signature
from tests.support.platforms.serving import Answer
from tests.support.racing import Broken, Caller
from village.db import db

CHANGES = 50
"""Comments in one notice at most: Facebook puts together what happens at once."""


@dataclass
class Page(FacebookFake):
    """A page of which we know when it told us of each comment."""

    told: dict[str, float] = field(default_factory=dict)
    """By a comment's number, when we first had it, by this machine's clock."""

    def serve(
        self, method: str, path: str, query: dict[str, str], body: bytes, headers: dict[str, str]
    ) -> Answer | None:
        """The Graph API."""
        answer = super().serve(method, path, query, body, headers)
        for row in answer[1].get("data", ()) if answer and path.endswith("/comments") else ():
            self.tell(row["id"])
        return answer

    def tell(self, comment_id: str) -> None:
        """We have it from now on."""
        self.told.setdefault(comment_id.rpartition("_")[2], time.monotonic())


@dataclass
class Broadcast(threading.Thread):
    """Says a livestream's comments there, and posts its notices to us."""

    clock: Clock
    port: int
    app: Flask
    page: Page
    session: str
    source: str
    said: Sequence[Spoken]
    cuts: Sequence[tuple[float, float]] = ()
    """From when to when nothing is heard of Facebook, and nothing is answered there."""
    spoken: list[Spoken] = field(default_factory=list)
    """What was said, under the numbers that Facebook gave."""
    heard: dict[str, Heard] = field(default_factory=dict)
    calls: int = 0
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(name="facebook", daemon=True)
        self._over = threading.Event()
        self._caller = Caller(self.port)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        """Say all of it, and wait until it is all decided."""
        reader = threading.Thread(target=self._read, name="facebook reader", daemon=True)
        reader.start()
        try:
            self._speak()
            self._wait()
        except Exception as error:
            self.failures.append(f"{type(error).__name__}: {error}")
        finally:
            self._caller.leave()
            self.page.moods.down = False
            self._over.set()
            reader.join(PATIENCE)

    def _speak(self) -> None:
        left = list(self.said)
        while left:
            now = self.clock.now()
            self.page.moods.down = any(begins <= now < ends for begins, ends in self.cuts)
            while left and left[0].at <= now:
                one = left.pop(0)
                comment = self.page.say(one.author, one.text, at=self.clock.moment(one.at))
                self.spoken.append(replace(one, id=comment.id))
            self._post()
            if left:
                self.clock.until(min(left[0].at, self.clock.now() + TICK * 5))
        self.page.moods.down = False

    def _post(self) -> None:
        waiting, self.page.notices = self.page.notices, []
        if self.page.moods.down:
            return
        waiting = self.page.moods.disorder(waiting)
        for at in range(0, len(waiting), CHANGES):
            told = [json.loads(body) for body in waiting[at : at + CHANGES]]
            body = json.dumps({"object": "page", "entry": [entry for one in told for entry in one["entry"]]})
            for one in told:
                self.page.tell(one["entry"][0]["changes"][0]["value"]["comment_id"])
            head = {"X-Hub-Signature-256": signature(body.encode())}
            with suppress(Broken):
                answer = self._caller.once("POST", "/hooks/facebook", body, "application/json", **head)
                assert answer.status == 200, answer
            self.calls += 1

    def _read(self) -> None:
        """Follow the list as the jobs' worker does, which is the same code in a thread of its own."""
        reader = OurReader(self.source)
        while not self._over.is_set():
            with self.app.app_context():
                pause = reader.visit()
                db.session.remove()
            if pause is None:
                return
            self._over.wait(pause)

    def _wait(self) -> None:
        """Until all that was said is decided; then note when each was."""
        ends = time.monotonic() + PATIENCE
        mine = select(func.count()).select_from(LiveDecision).where(
            LiveDecision.session_id == self.session, LiveDecision.position == 0
        )
        with self.app.app_context():
            while (db.session.scalar(mine) or 0) < len(self.spoken):
                db.session.remove()
                assert time.monotonic() < ends, "not all that was said on Facebook came in"
                time.sleep(0.1)
            rows = db.session.execute(
                select(LiveComment.comment_id, LiveDecision.decided_at, LiveDecision.decision)
                .join(LiveDecision, LiveDecision.comment_id == LiveComment.id)
                .where(LiveComment.session_id == self.session, LiveDecision.position == 0)
            ).all()
            db.session.remove()
        for number, at, decision in rows:
            decided = (at - self.clock.started).total_seconds()
            self.heard[number] = Heard(self.clock.of(self.page.told[number]), decided, decision.value)
