"""What was sold in the demo season: orders in each state, and an evening's livestream. Every buyer is invented."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from shop.demo.season import actor, demo_id
from shop.live import intake
from shop.live import services as live
from shop.live.intake import Said
from shop.orders import services as orders
from shop.orders import steps
from shop.orders.models import Order
from village import clock
from village.db import db
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


def sell(today: dt.datetime) -> None:
    """Place and work the orders, then take the livestream's comments."""
    seller = actor("seller")
    gtins = {p.slug: p.gtin for p in db.session.scalars(select(Product))}
    for number, sale in enumerate(SALES, start=1):
        when = today - dt.timedelta(days=sale.day)
        buyer = orders.clean_buyer(sale.buyer, f"09000000{number:02d}", sale.address)
        with clock.fixed(when):
            placed = orders.place(
                None,
                [(gtins[slug], quantity) for slug, quantity in sale.lines],
                buyer,
                channel="web",
                idempotency_key=f"demo-{sale.key}",
            )
        order_id = db.session.scalars(select(Order.id).where(Order.token == placed.token)).one()
        for hours, step in enumerate(sale.steps, start=1):
            with clock.fixed(when + dt.timedelta(hours=2 * hours)):
                if step == "cancel":
                    steps.cancel(seller, order_id, sale.reason)
                else:
                    getattr(steps, step)(seller, order_id)
    _evening(today, gtins)


def _evening(today: dt.datetime, gtins: dict[str, str]) -> None:
    host = actor("seller")
    began = today - dt.timedelta(hours=10)
    with clock.fixed(began):
        session_id = live.start(
            host,
            "Tối thứ sáu cùng miến mới (mẫu)",
            "facebook",
            [live.Code(code, gtins[slug], price, limit) for code, slug, price, limit in CODES],
            idempotency_key="demo-live",
        )
    said = [
        Said(demo_id(f"comment-{n}"), author, f"Người xem mẫu {author[1:]}", text, began + dt.timedelta(seconds=20 * n))
        for n, (author, text) in enumerate(COMMENTS, start=1)
    ]
    with clock.fixed(began + dt.timedelta(minutes=4)):
        intake.receive(host, session_id, said)
