"""Bringing a time-stamp request to an authority over HTTP (RFC 3161, 3.4)."""

import time

import requests
import urllib3

from trace.anchors.stamp import MOST_BYTES, StampError

CONNECT, SILENCE, IN_ALL = 10, 20, 60
"""Seconds: to connect, between two pieces of the answer, and for all of its body."""


def post(url: str, request: bytes) -> bytes:
    """The authority's answer; raises StampError when there is none that could be one."""
    headers = {
        "Content-Type": "application/timestamp-query",
        "Accept": "application/timestamp-reply",
        "Accept-Encoding": "identity",
        "User-Agent": "soi-ledger",
    }
    deadline = time.monotonic() + IN_ALL
    answer = b""
    try:
        with requests.post(
            url, request, headers=headers, timeout=(CONNECT, SILENCE), stream=True, allow_redirects=False
        ) as response:
            if response.status_code != 200:
                raise StampError(f"the authority answered {response.status_code}")
            while piece := response.raw.read1(4096):
                answer += piece
                if len(answer) > MOST_BYTES:
                    raise StampError(f"the answer has more than {MOST_BYTES} bytes")
                if time.monotonic() > deadline:
                    raise StampError(f"the answer was not there within {IN_ALL} s")
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        # Its text names addresses and objects in memory; its kind says enough.
        raise StampError(f"the authority cannot be reached: {type(error).__name__}") from error
    return answer
