"""What was sold in the demo season: orders in each state, and an evening's livestream. Every buyer is invented."""

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select

from shop.demo.season import Happens, actor, demo_id
from shop.live import intake
from shop.live import services as live
from shop.live.intake import Said
from shop.orders import services as orders
from shop.orders import steps
from shop.orders.models import Order
from village.db import db, write
from village.errors import Conflict
from village.people.access import Actor
from village.products.models import Product


@dataclass(frozen=True)
class Sale:
    """An order: who, what, and how far it got. `day` counts back from today."""

    key: str
    day: float
    buyer: str
    address: str
    lines: tuple[tuple[str, int], ...]
    steps: tuple[str, ...] = ()
    reason: str = ""


SALES = (
    Sale("o1", 24, "Khách mẫu Hoa", "Số 1 phố Thử, phường Mẫu, Hà Nội", (("mien-500", 4),),
         ("confirm", "pick", "dispatch", "deliver")),
    Sale("o2", 19, "Khách mẫu Bình", "Số 2 phố Thử, phường Mẫu, Hải Phòng", (("mien-1000", 10), ("che-200", 2)),
         ("confirm", "pick", "dispatch", "deliver")),
    Sale("o3", 8, "Khách mẫu Dung", "Số 3 phố Thử, phường Mẫu, Đà Nẵng", (("mien-500", 30),),
         ("confirm", "pick", "dispatch")),
    Sale("o4", 6, "Khách mẫu Em", "Số 4 phố Thử, phường Mẫu, Lào Cai", (("gao-5000", 3),), ("confirm", "cancel"),
         "Người mua đổi ý"),
    Sale("o5", 3, "Khách mẫu Giang", "Số 5 phố Thử, phường Mẫu, Hà Nội", (("mien-500", 12), ("mien-1000", 3)),
         ("confirm", "pick")),
    Sale("o6", 2, "Khách mẫu Hạnh", "Số 6 phố Thử, phường Mẫu, Sơn La", (("che-200", 5),), ("confirm",)),
    Sale("o7", 0.6, "Khách mẫu Khoa", "Số 7 phố Thử, phường Mẫu, Huế", (("mien-500", 2),)),
    Sale("o8", 0.2, "Khách mẫu Lan", "Số 8 phố Thử, phường Mẫu, Hà Nội", (("mien-1000", 1), ("gao-5000", 1))),
    Sale("o9", 4, "Khách mẫu Mai", "Số 9 phố Thử, phường Mẫu, Hà Nội", (("mien-500", 4), ("che-200", 1)),
         ("confirm", "pick", "send_first_line")),
)  # fmt: skip

CODES = (("MD01", "mien-500", 52_000, 60), ("MD02", "mien-1000", None, None), ("CHE1", "che-200", None, 3))
COMMENTS = (
    ("v1", "chốt MD01 x2 0900000101"),
    ("v2", "cho c 3b md01 nha"),
    ("v3", "giá md02 bao nhiêu shop"),
    ("v4", "md02 1 gói, che1 x2 0900000104"),
    ("v2", "0900000102"),
    ("v5", "che1 x2"),
    ("v6", "md01 ngon quá trời"),
    ("v7", "2kg md01"),
    ("v1", "thêm 1 md01"),
    ("v8", "bỏ md01 lấy md02"),
)


def timeline(today: dt.datetime) -> list[Happens]:
    """Orders placed and worked, then an evening's livestream, each with its moment."""
    seller = actor("seller")
    gtins = {p.slug: p.gtin for p in db.session.scalars(select(Product))}
    return [
        happens
        for number, sale in enumerate(SALES, start=1)
        for happens in _Customer(sale, number, seller, gtins).timeline(today - dt.timedelta(days=sale.day))
    ] + _evening(today - dt.timedelta(hours=10), seller, gtins)


class _Customer:
    """One sale from its order to as far as it gets."""

    def __init__(self, sale: Sale, number: int, seller: Actor, gtins: dict[str, str]) -> None:
        self.sale, self.seller, self.gtins = sale, seller, gtins
        self.buyer = orders.clean_buyer(sale.buyer, f"09000000{number:02d}", sale.address)
        self.order_id = ""

    def timeline(self, when: dt.datetime) -> list[Happens]:
        """The order, and a step every two hours."""
        steps_taken = [
            (when + dt.timedelta(hours=2 * hours), partial(self._take, step))
            for hours, step in enumerate(self.sale.steps, start=1)
        ]
        return [(when, self._order), *steps_taken]

    def _order(self) -> None:
        lines = [(self.gtins[slug], quantity) for slug, quantity in self.sale.lines]
        key = f"demo-{self.sale.key}"
        placed = orders.place(None, lines, self.buyer, channel="web", idempotency_key=key)
        self.order_id = db.session.scalars(select(Order.id).where(Order.token == placed.token)).one()

    def _take(self, step: str) -> None:
        # Told on after it was cut off: the order has taken this step already.
        with suppress(Conflict):
            if step == "cancel":
                steps.cancel(self.seller, self.order_id, self.sale.reason)
            elif step == "send_first_line":
                self._send_first_line()
            else:
                getattr(steps, step)(self.seller, self.order_id)

    def _send_first_line(self) -> None:
        """What is there goes by hand; the rest waits."""
        with write(ledger=True) as session:
            first = session.get_one(Order, self.order_id).lines[0]
            parts = [(first.id, part.batch_id, part.waiting) for part in first.allocations]
            parcel = demo_id(f"parcel-{self.sale.key}")
            steps.send_in(session, self.seller, self.order_id, parts, carrier="hand", shipment_id=parcel, cod_amount=0)


def _evening(began: dt.datetime, host: Actor, gtins: dict[str, str]) -> list[Happens]:
    said = [
        Said(demo_id(f"comment-{n}"), author, f"Người xem mẫu {author[1:]}", text, began + dt.timedelta(seconds=20 * n))
        for n, (author, text) in enumerate(COMMENTS, start=1)
    ]
    codes = [live.Code(code, gtins[slug], price, limit) for code, slug, price, limit in CODES]

    def start() -> str:
        return live.start(host, "Tối thứ sáu cùng miến mới (mẫu)", "facebook", codes, idempotency_key="demo-live")

    # Started once for its key: the second time it only gives the livestream's id.
    return [(began, start), (began + dt.timedelta(minutes=4), lambda: intake.receive(host, start(), said))]
