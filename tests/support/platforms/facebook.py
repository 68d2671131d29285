"""Facebook, as far as a live video's comments go: the Graph API over HTTP, and signed notices of a page's feed.

It remembers videos and comments, lists them in both orders with cursors that die with their comment, and posts notices
of what was written, changed and taken back, with the moods of `serving`.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.platforms.serving import Answer, Moods, served
from village import clock
from village.settings import Settings

PAGE, TOKEN, APP_SECRET, VERIFY = "100200300", "page-token-for-tests", "app-secret-for-tests", "our-own-word"
VIDEO, ALIAS = "5550001", "7770001"


@dataclass
class Comment:
    """One comment there. `id` is its own number, without what stands before it."""

    id: str
    author: str
    name: str
    text: str
    at: dt.datetime
    shown_after: int = 0
    """The list shows it only once so many comments were written: comments appear late there."""
    gone: bool = False
    hidden: bool = False
    """The list does not show it, until `show`."""


@dataclass
class FacebookFake:
    """One page with live videos."""

    moods: Moods = field(default_factory=Moods)
    url: str = ""
    videos: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: dict[str, list[Comment]] = field(default_factory=dict)
    notices: list[bytes] = field(default_factory=list)
    """What is to be posted, in the order in which it happened."""
    asked: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None
    """While set, every question gets this error."""
    messages: list[tuple[str, str]] = field(default_factory=list)
    """(author, text) of every private message that was sent."""
    shut: set[str] = field(default_factory=set)
    """Authors who take no messages."""
    may_write: bool = True
    """Whether the page's token has `pages_messaging`."""
    deaf: int = 0
    """So many next messages are sent, and their answers lost."""
    page: int = 100
    """The most that it lists at once, whatever is asked for."""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _numbers: int = 9_000_000
    _answered: set[str] = field(default_factory=set)

    def go_live(self, video: str = VIDEO, alias: str = ALIAS, *, live: bool = True) -> None:
        """A live video begins."""
        self.videos[video] = {"id": video, "status": "LIVE" if live else "VOD", "video": {"id": alias}}
        self.comments.setdefault(video, [])

    def say(
        self, author: str, text: str, *, video: str = VIDEO, at: dt.datetime | None = None, late: int = 0,
        hidden: bool = False,
    ) -> Comment:  # fmt: skip
        """Somebody writes; `late`: the list shows it only after so many more; `hidden`: once it is told to."""
        with self._lock:
            self._numbers += 1
            mine = self.comments[video]
            said = Comment(
                str(self._numbers), author, f"Khách {author[-3:]}", text, at or clock.now(), len(mine) + late,
                hidden=hidden,
            )  # fmt: skip
            mine.append(said)
            self._notice(video, said, "add")
            return said

    def show(self, *said: Comment) -> None:
        """What was hidden appears in the list, at the place where it was said; nobody is told."""
        with self._lock:
            for one in said:
                one.hidden = False

    def edit(self, said: Comment, text: str, *, video: str = VIDEO) -> None:
        """She writes it anew."""
        with self._lock:
            said.text = text
            self._notice(video, said, "edited")

    def remove(self, said: Comment, *, video: str = VIDEO) -> None:
        """She takes it back."""
        with self._lock:
            said.gone = True
            self._notice(video, said, "remove")

    def post(self, client: FlaskClient, *, secret: str = APP_SECRET) -> list[TestResponse]:
        """Deliver what is to be told, as its moods will have it."""
        with self._lock:
            waiting, self.notices = self.notices, []
        return [deliver(client, body, secret=secret) for body in self.moods.disorder(waiting)]

    def settings(self, settings: Settings) -> Settings:
        """A village's settings with this page in them."""
        return replace(
            settings, facebook_page=PAGE, facebook_token=TOKEN, facebook_app_secret=APP_SECRET,
            facebook_verify=VERIFY, facebook_url=f"{self.url}/v26.0",
        )  # fmt: skip

    def connect(self, app: Flask) -> None:
        """Point an app at this page."""
        app.extensions["soi"] = self.settings(app.extensions["soi"])

    def _notice(self, video: str, said: Comment, verb: str) -> None:
        alias = self.videos[video]["video"]["id"]
        value: dict[str, Any] = {
            "item": "comment", "verb": verb, "comment_id": f"{alias}_{said.id}", "post_id": f"{PAGE}_{alias}",
            "parent_id": f"{PAGE}_{alias}", "created_time": int(said.at.timestamp()),
            "from": {"id": said.author, "name": said.name},
        }  # fmt: skip
        if verb != "remove":
            value["message"] = said.text
        self.notices.append(notice(value))

    def serve(
        self, method: str, path: str, query: dict[str, str], body: bytes, headers: dict[str, str]
    ) -> Answer | None:
        """The Graph API."""
        with self._lock:
            self.asked.append(path)
            if headers.get("authorization") != f"Bearer {TOKEN}":
                return 400, {"error": {"code": 190, "message": "Invalid OAuth access token."}}
            if self.error is not None:
                return 400, {"error": self.error}
            what = path.removeprefix("/v26.0/").split("/")
            if method == "GET" and what == [PAGE, "live_videos"]:
                return 200, {"data": list(self.videos.values())}
            if method == "GET" and len(what) == 2 and what[1] == "comments" and what[0] in self.videos:
                return self._list(what[0], query)
            if method == "POST" and what == [PAGE, "messages"]:
                return self._write(json.loads(body))
            return 400, {"error": {"code": 100, "message": "Unsupported get request."}}

    def _write(self, told: dict[str, Any]) -> Answer | None:
        assert set(told) == {"recipient", "message"} and 0 < len(told["message"]["text"]) <= 2000, told
        if not self.may_write:
            return 403, {"error": {"code": 230, "message": "Requires pages_messaging permission."}}
        number = told["recipient"]["comment_id"]
        named = {f"{alias}_{one.id}": one for alias, one in self._by_alias()}
        said = named.get(number)
        if said is None or said.gone:
            return 400, {"error": {"code": 100, "message": "No such comment."}}
        if number in self._answered:
            return 400, {"error": {"code": 10900, "message": "Activity already replied to."}}
        if clock.now() - said.at > dt.timedelta(days=7):
            return 400, {"error": {"code": 10, "error_subcode": 2018278, "message": "Outside of the window."}}
        if said.author in self.shut:
            return 400, {"error": {"code": 551, "message": "This person isn't available right now."}}
        self._answered.add(number)
        self.messages.append((said.author, told["message"]["text"]))
        if self.deaf:
            self.deaf -= 1
            return None
        return 200, {"recipient_id": said.author, "message_id": f"m_{len(self.messages)}"}

    def _by_alias(self) -> Iterator[tuple[str, Comment]]:
        for video, mine in self.comments.items():
            for said in mine:
                yield str(self.videos[video]["video"]["id"]), said

    def _list(self, video: str, query: dict[str, str]) -> Answer:
        assert query["filter"] == "stream" and query["live_filter"] == "no_filter", query
        mine = self.comments[video]
        shown = [one for one in mine if not (one.gone or one.hidden) and len(mine) > one.shown_after]
        if query["order"] == "reverse_chronological":
            shown.reverse()
        start, after = 0, query.get("after")
        if after:
            own = base64.b64decode(after).decode()
            found = next((at for at, one in enumerate(shown) if one.id == own), None)
            if found is None:
                return 400, {"error": {"code": 100, "message": "Invalid cursors values"}}
            start = found + 1
        rows = shown[start : start + min(int(query["limit"]), self.page)]
        if not rows:
            return 200, {"data": []}
        paging: dict[str, Any] = {"cursors": {"before": _cursor(rows[0]), "after": _cursor(rows[-1])}}
        if start + len(rows) < len(shown):
            paging["next"] = "https://graph.facebook.com/next"
        return 200, {"data": [_row(video, one) for one in rows], "paging": paging}


def _cursor(said: Comment) -> str:
    return base64.b64encode(said.id.encode()).decode()


def _row(video: str, said: Comment) -> dict[str, Any]:
    return {
        "id": f"{video}_{said.id}", "message": said.text, "created_time": said.at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "from": {"id": said.author, "name": said.name},
    }  # fmt: skip


def notice(value: dict[str, Any], *, field: str = "feed", page: str = PAGE) -> bytes:
    """A notice about one change."""
    entry = {"id": page, "time": int(clock.now().timestamp()), "changes": [{"field": field, "value": value}]}
    return json.dumps({"object": "page", "entry": [entry]}).encode()


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    """The header that Facebook would send with it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def deliver(client: FlaskClient, body: bytes, *, secret: str = APP_SECRET) -> TestResponse:
    """Post one notice, signed."""
    return client.post(
        "/hooks/facebook", data=body, content_type="application/json",
        headers={"X-Hub-Signature-256": signature(body, secret)},
    )  # fmt: skip


@contextmanager
def facebook_fake(moods: Moods | None = None) -> Iterator[FacebookFake]:
    """Facebook at work for the length of the block."""
    fake = FacebookFake(moods or Moods())
    with served(fake.serve, fake.moods) as fake.url:
        yield fake
