"""A comment reader on some computer: gathers what viewers write, and posts it signed until it was taken.

It signs by the page's own words, not by our module, so that what the page promises is what is tested.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.platforms.serving import Moods


@dataclass
class ReaderFake:
    """One reader with the address and the secret that the page showed."""

    address: str
    secret: str
    moods: Moods = field(default_factory=Moods)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What it was told of each comment, the first answer of each."""

    def post(
        self, client: FlaskClient, comments: Sequence[dict[str, Any]], *, late: float = 0, secret: str = ""
    ) -> TestResponse:
        """Post once; signed so many seconds ago."""
        body = json.dumps({"comments": list(comments)}).encode()
        stamp = str(int(time.time() - late))
        key = (secret or self.secret).encode()
        signature = "sha256=" + hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {"X-Soi-Timestamp": stamp, "X-Soi-Signature": signature}
        answer = client.post(self.address, data=body, content_type="application/json", headers=headers)
        if answer.status_code == 200 and answer.json:
            for result in answer.json["results"]:
                self.results.setdefault(result["id"], result)
        return answer

    def send(self, client: FlaskClient, comments: Sequence[dict[str, Any]], at_once: int = 20) -> None:
        """Post them all as its moods will have it; what was dropped is sent at the end."""
        waiting = self.moods.disorder(list(comments))
        for at in range(0, len(waiting), at_once):
            self.post(client, waiting[at : at + at_once])
        missed = [one for one in comments if one["id"] not in self.results]
        for at in range(0, len(missed), at_once):
            self.post(client, missed[at : at + at_once])


def comment(id: str, author: str, text: str, **more: Any) -> dict[str, Any]:
    """A comment as readers post it."""
    return {"id": id, "author": {"id": author, "name": author.title()}, "text": text, **more}
