"""A seller before the console of a livestream."""

import re
from typing import Any

from flask import Flask
from sqlalchemy import select

from shop.live.models import LiveComment
from tests.conftest import browser
from tests.support.live import Live
from tests.support.village import Village
from village.db import db


class Desk:
    """Her browser on her livestream."""

    def __init__(
        self, app: Flask, village: Village, username: str = "seller", *, codes: dict[str, dict[str, Any]] | None = None
    ) -> None:
        self.live = Live(app, village, username, codes=codes)
        self.client = browser(app)
        village.sign_in(self.client, username)
        self.url = f"/seller/live/{self.live.id}"

    def page(self, more: str = "") -> str:
        """The console, or what stands under it."""
        answer = self.client.get(self.url + more)
        assert answer.status_code == 200
        return answer.get_data(as_text=True)

    def part(self, name: str) -> str:
        """One part of the console, as its script gets it."""
        found = re.search(rf'<(\w+) id="{name}".*?</\1>', self.page("/list"), re.DOTALL)
        assert found, name
        return found[0]

    def post(self, path: str, **form: Any) -> str:
        """Press something; the page that answers."""
        answer = self.client.post(f"{self.url}/{path}", data=form, follow_redirects=True)
        assert answer.status_code == 200
        return answer.get_data(as_text=True)

    def paste(self, text: str, paste: str = "one") -> str:
        """Paste comments."""
        return self.post("paste", comments=text, paste=paste)

    def tap(self, text: str, what: str, seen: int = 0, **form: str) -> str:
        """Tap a fix of the comment that says `text`."""
        db.session.rollback()
        row = db.session.scalars(select(LiveComment).where(LiveComment.text == text)).first()
        assert row is not None
        return self.post(f"comments/{row.id}/{what}", seen=seen, **form)
