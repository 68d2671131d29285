"""Short messages over any gateway that speaks plain HTTP.

    POST <SMS_URL>
    Authorization: Bearer <SMS_TOKEN>
    Idempotency-Key: <our id>
    {"id": "<our id>", "to": "+84912345678", "text": "…"}

Any 2xx means that the gateway took it, and 409 that it has had it before; both count as sent. 400, 413 and 422 mean
that it will never take this one. Everything else, and silence, is tried again under the same key.
"""

import time

import requests
import urllib3

from village.outbox.models import Outcome
from village.outbox.providers import Held, Later, Never, Taken, without_address

CONNECT, SILENCE, IN_ALL = 5, 15, 25
"""Seconds: to connect, between two pieces of the answer, and for all of it."""
MOST_BYTES = 16_384
LONGEST_WAIT = 3600
_NEVER = frozenset((400, 413, 422))
_KNOWN = 409


class Gateway:
    """One gateway; its connection is kept from message to message."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        # No password of some .netrc in place of ours, no proxy that the environment happens to name.
        self._session.trust_env = False
        self._session.headers.update({"Authorization": f"Bearer {token}", "User-Agent": "soi-outbox"})

    def deliver(self, held: Held) -> Taken:
        """Hand one short message over."""
        status, wait, text = self._post(held)
        answer = without_address(f"{status} {text}", held.to)
        if 200 <= status < 300 or status == _KNOWN:
            return Taken(Outcome.ACCEPTED, answer)
        if status in _NEVER:
            raise Never(answer)
        raise Later(answer, everybody=True, wait=wait)

    def _post(self, held: Held) -> tuple[int, int, str]:
        told = {"id": held.id, "to": held.to, "text": held.body}
        try:
            with self._session.post(
                self._url, json=told, headers={"Idempotency-Key": held.id}, timeout=(CONNECT, SILENCE), stream=True,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                return answer.status_code, _wait(answer.headers.get("Retry-After", "")), _text(answer)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            # Its text may hold the gateway's address with a key in it; its kind says enough.
            raise Later(type(error).__name__, everybody=True) from error

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()


def _text(answer: requests.Response) -> str:
    """As much of the answer as is worth keeping: reading on would only let a gateway hold us."""
    deadline, body = time.monotonic() + IN_ALL, b""
    while len(body) < MOST_BYTES and time.monotonic() < deadline and (piece := answer.raw.read1(4096)):
        body += piece
    return body.decode("utf-8", "replace")


def _wait(text: str) -> int:
    return min(int(text), LONGEST_WAIT) if text.isascii() and text.isdigit() and len(text) < 10 else 0
