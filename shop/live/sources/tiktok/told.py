"""TikTok Shop's protocol, as far as orders need it. Only computing: no HTTP, no database.

Sources: partner.tiktokshop.com, "Sign your API request" (what `sign` covers), "Webhooks overview" (`Authorization` is
the HMAC-SHA256 hex of app key and raw body under the app's secret), "Order status change" (notice type 1), "Get Order
Detail" 202309 (an order's members; each line item is one pack, there is no quantity).
"""

import datetime as dt
import hmac
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shop.payments.bank.told import Unreadable, dong

PLATFORM = "tiktok"
ORDER_STATUS = 1
"""The type of notice that tells of an order."""
ITEMS_MAX = 1000
SKU_MAX = 60
CANCELLED, UNPAID = "CANCELLED", "UNPAID"
STATUSES = frozenset(
    (UNPAID, "ON_HOLD", "AWAITING_SHIPMENT", "PARTIALLY_SHIPPING", "AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED",
     "COMPLETED", CANCELLED)
)  # fmt: skip
_NUMBER = re.compile(r"[0-9]{1,40}")


@dataclass(frozen=True)
class Item:
    """So many packs of one of the seller's article numbers, at one price in đồng."""

    sku: str
    price: int
    quantity: int


@dataclass(frozen=True)
class TikTokOrder:
    """An order as TikTok has it now. `paid_at` is None while its buyer has not paid TikTok."""

    id: str
    status: str
    cod: bool
    """Cash is asked for at the door."""
    paid_at: dt.datetime | None
    updated: int
    """When it last changed there, seconds since 1970."""
    buyer: str
    """Her name as far as TikTok tells it: most of it is masked."""
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Notice:
    """What a notice is about. `order` is empty when it tells of no order."""

    id: str
    shop: str
    order: str


def sign(path: str, params: Mapping[str, str], body: str, app_secret: str) -> str:
    """A request's `sign`, lower-case hex."""
    covered = "".join(f"{name}{params[name]}" for name in sorted(params) if name not in ("sign", "access_token"))
    text = f"{app_secret}{path}{covered}{body}{app_secret}"
    return hmac.digest(app_secret.encode(), text.encode(), "sha256").hex()


def signature(body: bytes, app_key: str, app_secret: str) -> str:
    """A notice's `Authorization`."""
    return hmac.digest(app_secret.encode(), app_key.encode() + body, "sha256").hex()


def trusted(body: bytes, given: str, app_key: str, app_secret: str) -> bool:
    """True for a notice that TikTok Shop signed for our app."""
    ours = signature(body, app_key, app_secret)
    return hmac.compare_digest(ours.encode(), given.lower().encode("utf-8", "surrogatepass"))


def notice(body: bytes) -> Notice:
    """What was posted. Raises Unreadable."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("no JSON") from error
    if not isinstance(told, dict):
        raise Unreadable("no object")
    data = told.get("data")
    about = data.get("order_id") if told.get("type") == ORDER_STATUS and isinstance(data, dict) else None
    number = _number(told.get("tts_notification_id"), "tts_notification_id")
    return Notice(number, _number(told.get("shop_id"), "shop_id"), _number(about, "order_id") if about else "")


def order(row: object) -> TikTokOrder:
    """One order of an answer. Raises Unreadable."""
    if not isinstance(row, dict):
        raise Unreadable("an order is no object")
    status, items, paid = row.get("status"), row.get("line_items"), row.get("paid_time")
    if status not in STATUSES:
        raise Unreadable("a status that is not in their papers")
    if not isinstance(items, list) or not 0 < len(items) <= ITEMS_MAX:
        raise Unreadable("no line_items")
    counted = Counter(_item(item) for item in items)
    at = row.get("recipient_address")
    name = at.get("name") if isinstance(at, dict) else None
    return TikTokOrder(
        id=_number(row.get("id"), "id"),
        status=str(status),
        cod=row.get("is_cod") is True,
        paid_at=_moment(paid) if paid else None,
        updated=int(_number(str(row.get("update_time", 0)), "update_time")),
        buyer=name if isinstance(name, str) else "",
        items=tuple(Item(sku, price, count) for (sku, price), count in sorted(counted.items())),
    )


def _item(item: Any) -> tuple[str, int]:
    if not isinstance(item, dict) or item.get("currency", "VND") != "VND":
        raise Unreadable("an item that is not in đồng")
    sku = item.get("seller_sku")
    return (sku[:SKU_MAX].strip() if isinstance(sku, str) else ""), dong(item.get("sale_price"), "sale_price")


def _number(told: object, name: str) -> str:
    if not isinstance(told, str) or not _NUMBER.fullmatch(told):
        raise Unreadable(f"{name} is no number")
    return told


def _moment(told: object) -> dt.datetime:
    if not isinstance(told, int) or isinstance(told, bool) or not 0 < told < 2**33:
        raise Unreadable("paid_time is no time")
    return dt.datetime.fromtimestamp(told, dt.UTC)
