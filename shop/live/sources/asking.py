"""Asking a platform over HTTP as one asks a stranger: bounded in time and size, no redirects, no proxy of the place."""

import json
import time
from collections.abc import Mapping
from typing import Any

import requests
import urllib3

from shop.live.sources.faults import UNREACHABLE, SourceFault

CONNECT, SILENCE, IN_ALL = 4, 8, 15
"""Seconds: to connect, between two pieces of the answer, and for all of it."""
MOST_BYTES = 4 * 1024 * 1024


def caller() -> requests.Session:
    """A connection to ask with. Used as a context manager."""
    session = requests.Session()
    # No password of some .netrc, no proxy that the environment happens to name.
    session.trust_env = False
    session.headers["User-Agent"] = "soi-live"
    return session


def ask(
    session: requests.Session,
    url: str,
    params: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
    *,
    body: Mapping[str, Any] | None = None,
) -> tuple[int, dict[str, Any]]:
    """The status and the JSON object of the answer to a GET, or with a body to a POST.

    Raises SourceFault `unreachable` when there is none; its own words are not repeated, they may hold a token.
    """
    try:
        with session.request(
            "GET" if body is None else "POST", url, params=params, headers=headers, json=body,
            timeout=(CONNECT, SILENCE), stream=True, allow_redirects=False,
        ) as answer:  # fmt: skip
            deadline, raw = time.monotonic() + IN_ALL, bytearray()
            while piece := answer.raw.read1(65_536, decode_content=True):
                raw += piece
                if len(raw) > MOST_BYTES or time.monotonic() > deadline:
                    raise SourceFault(UNREACHABLE)
            if answer.status_code >= 500 or 300 <= answer.status_code < 400:
                raise SourceFault(UNREACHABLE)
            told = json.loads(raw)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, RecursionError) as error:
        raise SourceFault(UNREACHABLE) from error
    if not isinstance(told, dict):
        raise SourceFault(UNREACHABLE)
    return answer.status_code, told
