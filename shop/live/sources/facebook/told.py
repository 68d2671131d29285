"""What Facebook tells, made into comments of ours. Only computing: no HTTP, no database.

Sources: developers.facebook.com, Live Video API "Interacting with Viewers" (the comments' members), Graph API reference
"Webhooks, Page, feed" (a notice's members), "Webhooks, Getting Started" (`X-Hub-Signature-256: sha256=` the HMAC-SHA256
of the raw body with the app's secret; one notice carries several changes).
"""

import datetime as dt
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shop.live.log import Said
from shop.live.models import AUTHOR_MAX, CommentKind

PLATFORM = "facebook"
CHANGES_MAX = 5000
"""Changes in one notice. They promise at most a thousand."""
VERBS: Mapping[str, CommentKind] = {"add": "said", "edit": "edited", "edited": "edited", "remove": "deleted"}
_ID = re.compile(r"[0-9]{1,40}(?:_[0-9]{1,40}){0,2}")
_NUMBER = re.compile(r"[0-9]{3,40}")


class Unreadable(ValueError):
    """What was posted is no notice."""


@dataclass(frozen=True)
class Change:
    """A comment, and what it stands under: a post's or a video's number."""

    under: str
    said: Said


def is_number(text: str) -> bool:
    """True for what can be a live video's, a video's or a page's number."""
    return _NUMBER.fullmatch(text) is not None


def trusted(body: bytes, signature: str, app_secret: str) -> bool:
    """True for a notice that Facebook signed."""
    ours = hmac.digest(app_secret.encode(), body, "sha256").hex()
    given = signature.removeprefix("sha256=")
    return signature.startswith("sha256=") and hmac.compare_digest(
        ours.encode(), given.encode("utf-8", "surrogatepass")
    )


def changes(body: bytes, page: str) -> list[Change]:
    """The comments in a notice, in its order; what is no comment of a viewer on this page is left out.

    Raises Unreadable for what is no notice at all.
    """
    try:
        told = json.loads(body)
        entries = told["entry"]
        found = [
            (entry, change["value"])
            for entry in entries
            for change in entry.get("changes", ())
            if change.get("field") == "feed" and isinstance(change["value"], dict)
        ]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable("no notice") from error
    if len(found) > CHANGES_MAX:
        raise Unreadable("too many changes")
    if told.get("object") != "page":
        return []
    read = (_change(value, page) for entry, value in found if str(entry.get("id")) == page)
    return [change for change in read if change is not None]


def _change(value: dict[str, Any], page: str) -> Change | None:
    kind = VERBS.get(str(value.get("verb")))
    if value.get("item") != "comment" or kind is None:
        return None
    said = _said(value, "comment_id", kind, page)
    under = value.get("post_id")
    if said is None or not isinstance(under, str) or not _ID.fullmatch(under):
        return None
    return Change(under.rpartition("_")[2], said)


def comment(row: object, page: str) -> Said | None:
    """A comment as the Graph API lists it; None for the page's own words, and for what has no number."""
    return _said(row, "id", "said", page) if isinstance(row, dict) else None


def _said(row: dict[str, Any], named: str, kind: CommentKind, page: str) -> Said | None:
    comment_id, words = row.get(named), row.get("message", "")
    if not isinstance(comment_id, str) or not _ID.fullmatch(comment_id) or not isinstance(words, str):
        return None
    # Notices and lists write other numbers before it; the last one is the comment's own.
    own = comment_id.rpartition("_")[2]
    author, name = _author(row.get("from"))
    if author == page:
        return None
    if not author and kind == "said":
        author = f"unknown:{own}"
    return Said(own, author, name, words, _moment(row.get("created_time")) if kind == "said" else None, kind)


def _author(told: object) -> tuple[str, str]:
    if not isinstance(told, dict) or not isinstance(told.get("id"), str) or not _NUMBER.fullmatch(told["id"]):
        return "", ""
    name = told.get("name")
    return told["id"][:AUTHOR_MAX], name if isinstance(name, str) else ""


def _moment(told: object) -> dt.datetime | None:
    """Their time: seconds since 1970 in notices, ISO 8601 in lists; None for anything else."""
    try:
        if isinstance(told, int) and not isinstance(told, bool):
            return dt.datetime.fromtimestamp(told, dt.UTC)
        if isinstance(told, str):
            at = dt.datetime.fromisoformat(told)
            return at.astimezone(dt.UTC) if at.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None
    return None
