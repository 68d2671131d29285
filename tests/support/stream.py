"""A session that reads a live video of the fake Facebook."""

from flask import Flask
from sqlalchemy import select

from shop.live.models import LiveComment, LiveSource
from shop.live.sources.facebook.reading import Reader
from tests.conftest import browser
from tests.support.live import Live, shelf
from tests.support.village import Village
from village.db import db


class Stream:
    """A session that reads the fake's live video."""

    def __init__(self, app: Flask, village: Village, *, packs: int = 40) -> None:
        if packs:
            shelf(village, packs)
        self.app, self.live = app, Live(app, village, codes={"MD01": {}})
        self.client = browser(app)
        village.sign_in(self.client, "seller")
        self.url = f"/seller/live/{self.live.id}/sources"
        assert self.client.post(f"{self.url}/facebook", data={"video": ""}).status_code == 303
        self.reader = Reader(self.source.id)

    @property
    def source(self) -> LiveSource:
        db.session.rollback()
        mine = select(LiveSource).where(LiveSource.session_id == self.live.id, LiveSource.kind == "facebook")
        return db.session.scalars(mine).one()

    def kept(self) -> list[LiveComment]:
        db.session.rollback()
        mine = select(LiveComment).where(LiveComment.session_id == self.live.id).order_by(LiveComment.seq)
        return list(db.session.scalars(mine))

    def catch_up(self, visits: int = 60) -> None:
        """Visit until nothing failed."""
        for _ in range(visits):
            self.reader.visit()
            if self.source.state == "running":
                return
        raise AssertionError("it never caught up")
