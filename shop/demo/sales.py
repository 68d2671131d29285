"""What was sold in the demo season: orders in each state. Every buyer is invented."""

import datetime as dt

from shop.demo.season import Happens, actor
from shop.demo.working import Customer, Sale

FAR, NEAR = 35_000, 20_000
"""What the cooperative asks for bringing it itself, as in its table (places.py)."""
WHOLE = ("confirm", "pick", "dispatch", "deliver")
SALES = (
    Sale("o1", 24, "Hoa", ("Số 1 phố Thử", "phường Mẫu", "Hà Nội"), (("mien-500", 4),), WHOLE, fee=FAR),
    Sale("o2", 19, "Bình", ("Số 2 phố Thử", "phường Mẫu", "Hải Phòng"), (("mien-1000", 10), ("che-200", 2)), WHOLE,
         fee=FAR, note="Giao giờ hành chính giúp mình."),
    Sale("t1", 13, "An", ("Số 10 phố Thử", "phường Mẫu", "Hà Nội"), (("mien-500", 10),), ("pays", *WHOLE),
         payment="vietqr", fee=FAR),
    Sale("g1", 11, "Phúc", ("Số 11 phố Thử", "phường Mẫu", "TP. Hồ Chí Minh"), (("mien-1000", 2), ("khoai-300", 2)),
         ("confirm", "pick", "by_carrier", "arrives", "carrier_pays"), delivery="ghn", fee=52_000),
    Sale("t2", 9, "Quỳnh", ("Số 12 phố Thử", "phường Mẫu", "Hà Nội"), (("bo-qua-binh-lu", 3), ("gao-5000", 1)),
         ("pays", *WHOLE, "some_back", "money_back"), payment="vietqr", fee=FAR),
    Sale("o3", 8, "Dung", ("Số 3 phố Thử", "phường Mẫu", "Đà Nẵng"), (("mien-500", 30),),
         ("confirm", "pick", "dispatch"), fee=FAR),
    Sale("a1", 7, "Quán phở mẫu", ("Số 13 phố Thử", "phường Mẫu", "Hà Nội"), (("mien-1000", 12),), WHOLE,
         channel="api", fee=FAR),
    Sale("o4", 6, "Em", ("Số 4 phố Thử", "phường Mẫu", "Lào Cai"), (("gao-5000", 3),), ("confirm", "cancel"), fee=FAR),
    Sale("g2", 6.3, "Sơn", ("Số 14 phố Thử", "phường Mẫu", "Cần Thơ"), (("mien-500", 3),),
         ("confirm", "pick", "by_carrier", "arrives"), delivery="ghn", fee=42_000),
    Sale("g3", 5.4, "Tâm", ("Số 15 phố Thử", "phường Mẫu", "Nghệ An"), (("che-200", 2),),
         ("confirm", "pick", "by_carrier", "comes_back"), delivery="ghn", fee=32_000),
    Sale("t7", 5, "Phượng", ("Số 22 phố Thử", "phường Mẫu", "Đà Nẵng"), (("che-200", 1),),
         ("pays", "cancel", "money_back"), payment="vietqr", fee=FAR),
    Sale("o9", 4, "Mai", ("Số 9 phố Thử", "phường Mẫu", "Hà Nội"), (("mien-500", 4), ("che-200", 1)),
         ("confirm", "pick", "send_first_line"), fee=FAR),
    Sale("o5", 3, "Giang", ("Số 5 phố Thử", "phường Mẫu", "Hà Nội"), (("mien-500", 12), ("mien-1000", 3)),
         ("confirm", "pick"), fee=FAR, note="Gọi trước khi giao giúp mình."),
    Sale("g4", 2.6, "Uyên", ("Số 16 phố Thử", "phường Mẫu", "Huế"), (("mien-500", 5),),
         ("confirm", "pick", "by_carrier", "nobody_home"), delivery="ghn", fee=47_000),
    Sale("o6", 2, "Hạnh", ("Số 6 phố Thử", "phường Mẫu", "Sơn La"), (("che-200", 5),), ("confirm",), fee=FAR),
    Sale("g5", 1.8, "Vinh", ("Số 17 phố Thử", "phường Mẫu", "Quảng Ninh"), (("khoai-300", 3),),
         ("confirm", "pick", "by_carrier", "goes"), delivery="ghn", fee=32_000),
    Sale("t3", 1.4, "Xuân", ("Số 18 phố Thử", "phường Mẫu", "Hà Nội"), (("bo-qua-binh-lu", 1),),
         ("pays", "confirm", "pays_again"), payment="vietqr", fee=FAR),
    Sale("t4", 1.35, "Yến", ("Số 19 phố Thử", "phường Mẫu", "Lai Châu"), (("mien-1000", 2),), ("pays_short", "expire"),
         payment="vietqr", fee=NEAR),
    Sale("t5", 1.3, "Tuấn", ("Số 20 phố Thử", "phường Mẫu", "Thái Nguyên"), (("mien-500", 2),), ("expire",),
         payment="vietqr", fee=FAR),
    Sale("o7", 0.6, "Khoa", ("Số 7 phố Thử", "phường Mẫu", "Huế"), (("mien-500", 2),), fee=FAR),
    Sale("o8", 0.2, "Lan", ("Số 8 phố Thử", "phường Mẫu", "Hà Nội"), (("mien-1000", 1), ("gao-5000", 1)), fee=FAR),
    Sale("o10", -0.04, "Nga", ("Bản Thử", "xã Bình Lư", "Lai Châu"), (("mien-500", 3), ("che-200", 1))),
    Sale("t6", -0.07, "Oanh", ("Số 21 phố Thử", "phường Mẫu", "Hà Nội"), (("mien-500", 6),), ("pays",),
         payment="vietqr", fee=FAR),
)  # fmt: skip


def timeline(today: dt.datetime) -> list[Happens]:
    """Orders placed and worked, each step with its moment."""
    seller = actor("seller")
    return [
        happens
        for number, sale in enumerate(SALES, start=1)
        for happens in Customer(sale, number, seller).timeline(today - dt.timedelta(days=sale.day))
    ]
