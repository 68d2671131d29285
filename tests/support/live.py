"""Hands for tests of livestreams: a session over the API, comments said into it."""

import datetime as dt
import itertools
import json
from collections.abc import Sequence
from typing import Any

from flask import Flask
from sqlalchemy import select

from shop.live.models import LiveComment, LiveDecision
from shop.orders.models import Order
from shop.orders.services import Buyer, place
from shop.stock.models import StockLot
from tests.conftest import browser
from tests.support.village import Village
from village import clock
from village.db import db

_numbers = itertools.count(1)


class Live:
    """One livestream, spoken to as a comment reader would."""

    def __init__(
        self, app: Flask, village: Village, username: str = "seller", *, codes: dict[str, dict[str, Any]] | None = None
    ) -> None:
        self.app, self.village = app, village
        self.client = browser(app)
        self.headers = {"Authorization": f"Bearer {village.token(username)}"}
        pack = village.product("packs", 500).gtin
        wanted = codes or {"MD01": {}}
        body = {
            "title": "Miến mới tối thứ bảy",
            "platform": "facebook",
            "codes": [{"code": code, "gtin": pack, "price": 65000, **more} for code, more in wanted.items()],
        }
        answer = self.client.post("/api/live/sessions", json=body, headers=self.headers)
        assert answer.status_code == 201 and answer.json, answer.json
        self.id = answer.json["id"]

    @property
    def url(self) -> str:
        """Where its comments go."""
        return f"/api/live/sessions/{self.id}/comments"

    def send(self, comments: Sequence[dict[str, Any]], **more: Any) -> Any:
        """Post comments; the response."""
        body = json.dumps({"comments": list(comments)})  # ASCII, so that half a surrogate gets through
        return self.client.post(self.url, data=body, content_type="application/json", headers=self.headers, **more)

    def say(self, author: str, text: str, **more: Any) -> dict[str, Any]:
        """One comment of one viewer; its result."""
        answer = self.send([comment(author, text, **more)])
        assert answer.status_code == 200, answer.json
        found: dict[str, Any] = answer.json["results"][0]
        return found

    def orders(self) -> list[Order]:
        """This session's orders, read afresh."""
        db.session.rollback()
        return list(db.session.scalars(select(Order).where(Order.live_session_id == self.id).order_by(Order.id)))

    def decisions(self, comment_id: str) -> list[LiveDecision]:
        """All that was decided of a comment."""
        db.session.rollback()
        found = select(LiveDecision).join(LiveComment, LiveComment.id == LiveDecision.comment_id)
        found = found.where(LiveComment.comment_id == comment_id).order_by(LiveDecision.position)
        return list(db.session.scalars(found))


def comment(author: str, text: str, *, id: str = "", name: str | None = None, seconds: float = 0) -> dict[str, Any]:
    """A comment, said so many seconds from now by the platform's clock."""
    when = (clock.now() + dt.timedelta(seconds=seconds)).astimezone(clock.VN)
    return {
        "id": id or f"c{next(_numbers)}",
        "author": {"id": author, "name": author.title() if name is None else name},
        "text": text,
        "at": when.isoformat(),
    }


ASIDE = "Để Riêng"


def shelf(village: Village, packs: int) -> None:
    """A shelf with so many packs left; the village does not pack fewer than forty at once."""
    village.packs(40)
    if packs < 40:
        gtin, buyer = village.product("packs", 500).gtin, Buyer(ASIDE, "+84912345678", "Hà Nội")
        place(None, [(gtin, 40 - packs)], buyer, channel="web", idempotency_key="aside")


def reserved() -> int:
    """Packs that are promised, without those put aside by `shelf`."""
    db.session.rollback()
    aside = db.session.scalars(select(Order).where(Order.buyer_name == ASIDE))
    return sum(db.session.scalars(select(StockLot.reserved))) - sum(o.lines[0].quantity for o in aside)


def lines(result: dict[str, Any], key: str = "lines") -> dict[str, int]:
    """A result's lines as code → packs."""
    return {line["code"]: line["quantity"] for line in result[key]}
