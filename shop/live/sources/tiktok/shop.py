"""TikTok Shop's Open API over HTTP.

    GET  /order/202309/orders?ids=…                    one order as it is now
    POST /order/202309/orders/search                   orders that changed since a time, oldest change first
    GET  <auth>/api/v2/token/refresh                   a new access token, before the old one's seven days are over

Sources: partner.tiktokshop.com, "Get Order Detail" and "Get Order List" 202309, "Authorization guide 202309".
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import structlog

from shop.live.sources.asking import ask, caller
from shop.live.sources.faults import GONE, REFUSED, TOO_OFTEN, UNREACHABLE, SourceFault
from shop.live.sources.tiktok import told
from shop.live.sources.tiktok.told import TikTokOrder
from shop.payments.bank.told import Unreadable
from village.settings import Settings

ORDERS = "/order/202309/orders"
SEARCH = "/order/202309/orders/search"
AT_ONCE = 50
_EXPIRED = range(105000, 105100)
"""Their codes for a token that is not good (any more)."""
_TOO_OFTEN = frozenset((36009002, 36009003, 36009004))

log = structlog.get_logger("soi.live")


class Shop:
    """The API under one shop's token."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens = Tokens(settings)
        self._session: requests.Session = caller()

    def __enter__(self) -> "Shop":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def order(self, order_id: str) -> TikTokOrder:
        """The order as it is now. Raises SourceFault; `gone` when the shop has no such order."""
        rows = _rows(self._ask(ORDERS, {"ids": order_id}))
        found = next((row for row in rows if isinstance(row, dict) and row.get("id") == order_id), None)
        if found is None:
            raise SourceFault(GONE)
        try:
            return told.order(found)
        except Unreadable as error:
            raise SourceFault(UNREACHABLE) from error

    def changed_since(self, since: int) -> Iterator[TikTokOrder]:
        """Orders that changed at that time or later (seconds since 1970), oldest change first. Raises SourceFault."""
        page = ""
        while True:
            params = {"page_size": str(AT_ONCE), "sort_field": "update_time", "sort_order": "ASC"}
            data = self._ask(SEARCH, params | ({"page_token": page} if page else {}), {"update_time_ge": since})
            for row in _rows(data):
                try:
                    yield told.order(row)
                except Unreadable as error:
                    # One that we cannot read must not keep the others from us.
                    log.warning("a TikTok order cannot be read", why=str(error))
            before, page = page, str(data.get("next_page_token") or "")
            if not page or page == before:
                return

    def _ask(self, path: str, params: dict[str, str], body: dict[str, Any] | None = None) -> dict[str, Any]:
        token = self._tokens.now()
        status, code, data = self._once(path, params, body, token)
        if status == 401 or code in _EXPIRED:
            token = self._tokens.fresh(self._session, token)
            status, code, data = self._once(path, params, body, token)
        if code == 0 and status == 200:
            return data
        if status == 429 or code in _TOO_OFTEN:
            raise SourceFault(TOO_OFTEN)
        raise SourceFault(REFUSED if status in (401, 403) or code in _EXPIRED else UNREACHABLE)

    def _once(
        self, path: str, params: dict[str, str], body: dict[str, Any] | None, token: str
    ) -> tuple[int, object, dict[str, Any]]:
        settings = self._settings
        sent = {
            **params, "app_key": settings.tiktok_app_key, "shop_cipher": settings.tiktok_cipher,
            "timestamp": str(int(time.time())),
        }  # fmt: skip
        # Signed are the very bytes that `requests` makes of the body.
        text = "" if body is None else json.dumps(body)
        sent["sign"] = told.sign(path, sent, text, settings.tiktok_app_secret)
        headers = {"x-tts-access-token": token, "Content-Type": "application/json"}
        status, answer = ask(self._session, f"{settings.tiktok_url}{path}", sent, headers, body=body)
        data = answer.get("data")
        return status, answer.get("code"), data if isinstance(data, dict) else {}


class Tokens:
    """The shop's access token: the setting's, or a newer one that was fetched and is kept beside the keys."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file: Path = settings.instance / "keys" / "tiktok.json"
        both = f"{settings.tiktok_token} {settings.tiktok_refresh}"
        self._of = hashlib.sha256(both.encode()).hexdigest()

    def now(self) -> str:
        """The token to use."""
        return self._kept().get("access", self._settings.tiktok_token)

    def fresh(self, session: requests.Session, old: str) -> str:
        """Another token than `old`, fetched unless somebody else just did. Raises SourceFault `refused`."""
        with self._alone():
            kept = self._kept()
            if kept.get("access", old) != old:
                return kept["access"]
            refresh = kept.get("refresh", self._settings.tiktok_refresh)
            if not refresh:
                raise SourceFault(REFUSED)
            params = {
                "app_key": self._settings.tiktok_app_key, "app_secret": self._settings.tiktok_app_secret,
                "refresh_token": refresh, "grant_type": "refresh_token",
            }  # fmt: skip
            status, answer = ask(session, f"{self._settings.tiktok_auth_url}/api/v2/token/refresh", params)
            data = answer.get("data")
            access = data.get("access_token") if isinstance(data, dict) else None
            if status != 200 or answer.get("code") != 0 or not isinstance(access, str) or not isinstance(data, dict):
                raise SourceFault(REFUSED)
            renewed = data.get("refresh_token")
            self._keep(access, renewed if isinstance(renewed, str) and renewed else refresh)
            return access

    def _kept(self) -> dict[str, str]:
        try:
            kept = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        # New settings are newer than what was fetched with the old ones.
        return kept if isinstance(kept, dict) and kept.get("of") == self._of else {}

    def _keep(self, access: str, refresh: str) -> None:
        new = self._file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"of": self._of, "access": access, "refresh": refresh}, file)
        new.replace(self._file)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._file.parent.mkdir(mode=0o700, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _rows(data: dict[str, Any]) -> list[Any]:
    rows = data.get("orders", [])
    if not isinstance(rows, list) or len(rows) > AT_ONCE:
        raise SourceFault(UNREACHABLE)
    return rows

