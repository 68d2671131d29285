"""The Graph API, as far as a live video's comments need it.

    GET /{page-id}/live_videos?fields=id,status,video{id}
    GET /{live-video-id}/comments?fields=…&order=…&filter=stream&live_filter=no_filter&limit=…&after=…
    POST /{page-id}/messages {"recipient": {"comment_id": …}, "message": {"text": …}}

Sources: developers.facebook.com, Graph API reference "Live Video", "Live Video Comments" (`live_filter=no_filter`, or
comments of "low quality" are left out; a newest-first order is advised for what is happening now), "Paginated Results",
"Handling Errors" (190 and 10, 200 to 299: the token; 4, 17, 32, 613 and 80001: too often; 100: no such thing);
Messenger Platform "Private Replies" (one message to a comment, within seven days; the page's token needs
`pages_messaging`) and "Error Codes" (10900: this comment was answered before; 551, 10903, and 10 with one of `_WINDOW`:
not to this person).
"""

from dataclasses import dataclass
from typing import Any

import requests

from shop.live.log import Said
from shop.live.sources.asking import ask, caller
from shop.live.sources.facebook import told
from shop.live.sources.faults import GONE, LOST_PLACE, NOT_REACHED, REFUSED, TOO_OFTEN, UNREACHABLE, SourceFault

PAGE = 100
"""Comments asked for at once."""
CURSOR_MAX = 500
_TOO_OFTEN = frozenset((4, 17, 32, 341, 613, 80001))
_ANSWERED = 10900
_NOT_TO_HER = frozenset((100, 551, 10903))
_WINDOW = frozenset((2018278, 2018065))
"""Subcodes of error 10: the time in which she may be written to is over."""
TEXT_MAX = 2000
"""Characters of a message."""
_FIELDS = "id,message,created_time,from{id,name}"


@dataclass(frozen=True)
class Video:
    """A live video. `alias` is the number of the video behind it, by which notices call it; empty when not told."""

    id: str
    alias: str
    live: bool


def _video(row: object) -> Video | None:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not told.is_number(row["id"]):
        return None
    behind = row.get("video")
    alias = str(behind.get("id", "")) if isinstance(behind, dict) else ""
    return Video(row["id"], alias if told.is_number(alias) else "", row.get("status") == "LIVE")


@dataclass(frozen=True)
class Page:
    """Comments, first said first. `cursor` is where the next page begins; `more` is True when there is one now."""

    said: list[Said]
    cursor: str
    more: bool


class Graph:
    """The API under one page's token."""

    def __init__(self, url: str, token: str, page: str) -> None:
        self._url, self._page = url, page
        self._session: requests.Session = caller()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> "Graph":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def videos(self) -> list[Video]:
        """The newest live videos of our page. Raises SourceFault."""
        params = {"fields": "id,status,video{id}", "limit": "25"}
        rows = self._ask(f"/{self._page}/live_videos", params).get("data")
        if not isinstance(rows, list):
            raise SourceFault(UNREACHABLE)
        read = (_video(row) for row in rows[:25])
        return [video for video in read if video is not None]

    def comments(self, video_id: str, after: str) -> Page:
        """Comments from a cursor on, oldest first; from the beginning without one."""
        params = self._listing("chronological") | ({"after": after} if after else {})
        return self._page_of(self._ask(f"/{video_id}/comments", params, placed=bool(after)), after)

    def newest(self, video_id: str) -> list[Said]:
        """The newest comments, oldest of them first."""
        found = self._page_of(self._ask(f"/{video_id}/comments", self._listing("reverse_chronological")), "")
        return found.said[::-1]

    def reply(self, comment_id: str, text: str) -> None:
        """Write to whoever wrote this comment, in private. Nothing happens when it was answered so before.

        Raises SourceFault: `not-reached` for this viewer alone.
        """
        body = {"recipient": {"comment_id": comment_id}, "message": {"text": text[:TEXT_MAX]}}
        status, answer = ask(self._session, f"{self._url}/{self._page}/messages", {}, body=body)
        error = answer.get("error")
        if status == 200 and error is None:
            return
        code, more = _number(error, "code"), _number(error, "error_subcode")
        if code == _ANSWERED:
            return
        if code in _NOT_TO_HER or (code == 10 and more in _WINDOW):
            raise SourceFault(NOT_REACHED)
        raise _fault(status, code)

    def _listing(self, order: str) -> dict[str, str]:
        return {
            "fields": _FIELDS, "order": order, "filter": "stream", "live_filter": "no_filter", "limit": str(PAGE),
        }  # fmt: skip

    def _page_of(self, answer: dict[str, Any], after: str) -> Page:
        rows, paging = answer.get("data"), answer.get("paging")
        if not isinstance(rows, list) or len(rows) > 10 * PAGE:
            raise SourceFault(UNREACHABLE)
        said = [one for one in (told.comment(row, self._page) for row in rows) if one is not None]
        cursors = paging.get("cursors") if isinstance(paging, dict) else None
        cursor = cursors.get("after") if isinstance(cursors, dict) else None
        if not isinstance(cursor, str) or not 0 < len(cursor) <= CURSOR_MAX:
            # An empty page has none: the place stays.
            return Page(said, after, more=False)
        return Page(said, cursor, more=isinstance(paging, dict) and "next" in paging and cursor != after)

    def _ask(self, path: str, params: dict[str, str], *, placed: bool = False) -> dict[str, Any]:
        status, answer = ask(self._session, f"{self._url}{path}", params)
        error = answer.get("error")
        if status == 200 and error is None:
            return answer
        code = _number(error, "code")
        fault = _fault(status, code)
        if fault.slug == UNREACHABLE and code == 100:
            raise SourceFault(LOST_PLACE if placed else GONE)
        raise fault


def _number(error: object, name: str) -> int | None:
    found = error.get(name) if isinstance(error, dict) else None
    return found if isinstance(found, int) else None


def _fault(status: int, code: int | None) -> SourceFault:
    """What is wrong with all that we ask, whatever it is about."""
    if code in _TOO_OFTEN or status == 429:
        return SourceFault(TOO_OFTEN)
    if code in (10, 102, 190) or (code is not None and 200 <= code < 300) or status in (401, 403):
        return SourceFault(REFUSED)
    return SourceFault(UNREACHABLE)
