"""Two livestreams of the demo: one that was sold in yesterday evening, and one that is planned for tomorrow."""

import datetime as dt
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import select

from shop.demo.sales import FAR
from shop.demo.season import Happens, actor, demo_id
from shop.live import desk, intake, services
from shop.live.claims.claiming import Wish, fill
from shop.live.fairness.anchors import anchor
from shop.live.log import Said
from shop.live.models import CommentKind, Decision, LiveClaim, LiveComment, LiveDecision
from shop.live.planning import Code, Draft
from shop.orders.models import Order, Status
from shop.orders.services import clean_buyer
from village.db import db
from village.errors import Conflict
from village.people.access import Actor
from village.products.models import Product

TITLE = "Tối thứ sáu cùng miến mới (mẫu)"
CODES = (
    # Code, product, price, limit, packs for one viewer, packs kept for the evening
    ("MD01", "mien-500", 52_000, 60, 10, 25),
    ("MD02", "mien-1000", None, None, None, 6),
    ("CHE1", "che-200", None, 4, 2, 4),
    ("QUA1", "bo-qua-binh-lu", None, None, None, 0),
)
NOTES = (
    "Chào bà con, kể nắng tháng này phơi được mấy giàn.\nCho xem sợi miến trong suốt, bẻ nghe giòn.\n"
    "Nhắc: gõ mã rồi số gói, thí dụ MD01 x2. Ai hết hàng cứ chờ, có người bỏ là tới lượt."
)
SAID = (
    # Minutes from the start, who, what
    (1.2, "v1", "chào shop, tối nay có miến mới ko"), (1.6, "v2", "nghe rõ rồi bác ơi"),
    (2.1, "v3", "chốt MD01 x2 0900000101"), (2.3, "v4", "cho c 3b md01 nha"), (2.4, "v5", "md01 1 gói"),
    (2.9, "v6", "giá md02 bao nhiêu shop"), (3.4, "v4", "0900000102"), (3.8, "v7", "md02 1 gói, che1 x2 0900000104"),
    (4.1, "v8", "che1 x2"), (4.2, "v9", "che1 1 gói nhé"), (4.3, "v10", "lấy che1 x1"),
    (4.9, "v11", "md01 ngon quá trời"), (5.5, "v12", "2kg md01"), (6.1, "v3", "thêm 1 md01"),
    (6.4, "v38", "che1 x2 nha"), (6.8, "v13", "bỏ md01 lấy md02"), (7.5, "v14", "md01 x5 ạ"),
    (8.0, "v15", "ship Đà Nẵng mấy ngày"), (8.8, "v16", "md02 2 gói 0900000116"), (9.2, "v39", "che1 1 gói"),
    (9.9, "v17", "md0l x2"), (10.4, "v18", "chốt đơn md01 4 gói"), (11.0, "v7", "bỏ che1 giúp mình nha"),
    (11.7, "v19", "qua1 1 bộ nhé bác"), (12.5, "v20", "MD01 sl 6"), (13.0, "v9", "ok che1 1 gói nhé"),
    (13.3, "v21", "em lấy md01 x12"), (14.2, "v22", "md02 x1"), (15.6, "v1", "md01 x3 nhé"),
    (17.0, "v23", "đẹp quá, miến này nấu gà được ko"), (18.4, "v24", "md01 2, md02 1"),
    # While she cooks, the livestream rests; these are decided when it goes on.
    (21.5, "v25", "md01 x2"), (22.8, "v26", "md02 x1 0900000126"), (23.9, "v8", "còn chè không bác"),
    (27.0, "v27", "thơm quá, chốt md01 x3"), (28.1, "v28", "md01 x2"), (29.5, "v29", "qua1 x1"),
    (31.0, "v30", "md01 x4 0900000130"), (33.2, "v31", "md02 x2"), (35.0, "v5", "thêm 2 md01"),
    (37.4, "v32", "md01 x1"), (39.8, "v33", "cho hỏi hạn dùng tới khi nào"), (42.0, "v34", "md01 x2"),
    (44.5, "v14", "thôi bỏ md01 nha shop"), (47.0, "v35", "md01 x6"), (50.2, "v36", "md01 2 gói"),
    (53.0, "v37", "cảm ơn bác, hẹn tuần sau"),
)  # fmt: skip
CHANGED: tuple[tuple[float, CommentKind, str, str, str], ...] = (
    (17.5, "edited", "v22", "md02 x1", "md02 x2"),
    (40.6, "deleted", "v32", "md01 x1", ""),
)
"""Minutes from the start, what a viewer did to which comment of hers, and its words then."""
TOGETHER = 2.5
"""Minutes whose comments come in at once."""
LASTED, REST_FROM, REST_TO = 58, 20.5, 25.5
CLAIMED = (
    (62, "v3", "Đà Nẵng"), (66, "v4", "Hà Nội"), (69, "v7", "Huế"), (75, "v18", "Hải Phòng"), (80, "v20", "Nghệ An"),
    (84, "v24", "Hà Nội"), (91, "v30", "Cần Thơ"), (104, "v35", "TP. Hồ Chí Minh"), (120, "v28", "Lào Cai"),
    (150, "v16", "Hà Nội"), (180, "v9", "Sơn La"),
)  # fmt: skip
"""Minutes from the start, which viewer wrote an address on her own page, and its province."""
KEPT_FOR = 7 * 24 * 60
"""Minutes for which the others' orders wait: a demo is looked at for days."""


def timeline(today: dt.datetime) -> list[Happens]:
    """Both evenings, each step with its moment. `today`: five in the morning. Told again, nothing happens twice."""
    host = actor("seller")
    began = today - dt.timedelta(hours=9, minutes=30)
    next_time = today + dt.timedelta(days=1, hours=15)
    # Begun once for its key: later on it only gives the livestream's id.
    sold = partial(_plan, host, TITLE, began, len(CODES), begin_now=True, idempotency_key="demo-live")
    planned = partial(_plan, host, "Tối mai nấu miến gà (mẫu)", next_time, 3, idempotency_key="demo-live-next")

    def at(minutes: float) -> dt.datetime:
        return began + dt.timedelta(minutes=minutes)

    return [
        (began, sold),
        *_comments(host, sold, at),
        (at(REST_FROM), partial(_once, lambda: services.pause(host, sold()))),
        (at(REST_TO), partial(_once, lambda: services.resume(host, sold()))),
        (at(19), partial(_confirm, host, sold, "2kg md01", "MD01", 4)),
        (at(26), partial(_confirm, host, sold, "md0l x2", "MD01", 2)),
        (at(LASTED), lambda: services.end(host, sold())),
        (at(LASTED + 1), lambda: anchor(sold())),
        *(
            (at(minutes), partial(_claim, sold, number, author, province))
            for number, (minutes, author, province) in enumerate(CLAIMED, start=1)
        ),
        (today - dt.timedelta(minutes=5), planned),
    ]


def _plan(host: Actor, title: str, when: dt.datetime, codes: int, **more: Any) -> str:
    gtins = {product.slug: product.gtin for product in db.session.scalars(select(Product))}
    sold = [Code(code, gtins[slug], *terms) for code, slug, *terms in CODES[:codes]]
    draft = Draft(title, "facebook", sold, when, viewer_max=15, claim_minutes=KEPT_FOR, notes=NOTES)
    return services.plan(host, draft, **more)


def _claim(session: Callable[[], str], number: int, author: str, province: str) -> None:
    """A viewer says on her own page where it goes; she pays when it comes."""
    mine = select(LiveClaim.code).where(LiveClaim.session_id == session(), LiveClaim.author_id == author)
    hers = select(Order.id).where(Order.live_session_id == session(), Order.live_author == author)
    known = clean_buyer(_name(author), f"09000002{number:02d}", f"Số {number} phố Thử")
    buyer = replace(known, ward="phường Mẫu", province=province)
    wish = Wish(db.session.scalars(hers.where(Order.status == Status.PLACED)).one(), None, buyer, "hand", FAR, "cod")
    with suppress(Conflict):  # told on after it was cut off: a seller may have begun on it
        fill(db.session.scalars(mine).one(), wish)


def _comments(host: Actor, session: Callable[[], str], at: Callable[[float], dt.datetime]) -> Iterable[Happens]:
    """What was said, as it came in: a few comments at once, seconds after the last of them."""
    said = [(minute, _said(author, text, at(minute))) for minute, author, text in SAID]
    said += [
        (minute, Said(_id(author, text), author, _name(author), words, at(minute), kind))
        for minute, kind, author, text, words in CHANGED
    ]
    parts: dict[int, list[tuple[float, Said]]] = {}
    for minute, one in sorted(said, key=lambda pair: pair[0]):
        parts.setdefault(int(minute // TOGETHER), []).append((minute, one))
    for part in parts.values():
        comments = [one for _minute, one in part]
        yield at(part[-1][0] + 0.1), partial(_receive, host, session, comments)


def _receive(host: Actor, session: Callable[[], str], comments: list[Said]) -> None:
    intake.receive(host, session(), comments)


def _said(author: str, text: str, when: dt.datetime) -> Said:
    return Said(_id(author, text), author, _name(author), text, when)


def _id(author: str, text: str) -> str:
    return demo_id(f"comment-{author}-{text}")


def _name(author: str) -> str:
    return f"Người xem mẫu {author[1:]}"


def _confirm(host: Actor, session: Callable[[], str], text: str, code: str, quantity: int) -> None:
    """One tap on a comment that needed a look."""
    session_id = session()
    said = select(LiveDecision).join(LiveComment, LiveComment.id == LiveDecision.comment_id)
    said = said.where(LiveComment.session_id == session_id, LiveComment.text == text)
    last = db.session.scalars(said.order_by(LiveDecision.position.desc())).first()
    if last is not None and last.decision is Decision.REVIEW:
        desk.confirm(host, session_id, last.comment_id, last.position, [(code, quantity)])


def _once(act: Callable[[], object]) -> None:
    # Told on after it was cut off: the evening may be over already.
    with suppress(Conflict):
        act()
