"""What a guest may have kept on nothing but a word: packs that no seller has spoken about yet, or that are still to be
paid for. They are gone from the shelf for everybody else, and to order them costs nothing.

So there are two bounds. A telephone number has so many such orders at a time: as soon as a seller has confirmed one,
or it is paid or over, there is room for the next (of several at the very same moment one or two more may slip in). A
network address has so many packs in a day for cash at the door, and in a quarter of an hour to be paid ahead, for these
go back to the shelf by themselves. What was refused counts for nothing.

Whoever is signed in is known, and the machine itself (a proxy that nobody told us of, a bench) is not bounded.
"""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from shop.orders.models import Order, PaymentState, Status
from village import clock
from village.errors import Conflict
from village.i18n import lazy_gettext as _l
from village.people import throttle

ORDERS = 5
"""Of one telephone number at a time."""
CASH, UNPAID = 200, 200
"""Packs from one network address: for cash in a DAY, to be paid ahead in a WINDOW. Behind one address of a mobile
network there may be a whole hamlet."""
DAY = 86_400
"""Seconds, by UTC: a new day begins at seven in the morning in the village."""


def known_by(network: str | None) -> str | None:
    """The address whose word has bounds; None for one that says nothing about who asks."""
    try:
        parsed = throttle.parsed(network or "")
    except ValueError:
        return None
    return None if parsed.is_loopback else str(parsed)


def refuse_many(session: Session, phone: str | None) -> None:
    """Conflict `orders-waiting` when this telephone number has as many orders waiting as it may."""
    waiting = select(func.count()).where(
        Order.buyer_phone == phone,
        Order.status == Status.PLACED,
        Order.channel.in_(("web", "api")),
        Order.payment_state.in_((PaymentState.DUE, PaymentState.AWAITING)),
        or_(Order.hold_until.is_(None), Order.hold_until > clock.now()),
    )
    if (session.scalar(waiting) or 0) >= ORDERS:
        raise Conflict(
            "orders-waiting",
            _l("Số này có %(count)s đơn đang chờ rồi. Người bán gọi xong, hay bác trả tiền xong, là đặt tiếp được."),
            count=ORDERS,
        )


def count_in(session: Session, order: Order, network: str) -> None:
    """Count the packs of a new order; Conflict `too-much-on-word` or `too-much-unpaid` past the bound, and then the
    caller's transaction is to be undone."""
    packs = sum(part.units for line in order.lines for part in line.allocations)
    if not order.paid_ahead:
        if throttle.spend_in(session, "cash", network, packs, CASH, DAY) is not None:
            raise Conflict(
                "too-much-on-word",
                _l(
                    "Trả khi nhận thì mỗi ngày từ một mạng giữ được %(packs)s gói thôi, để hàng còn cho người khác. "
                    "Bác chọn trả trước, hoặc gọi người bán giúp mình nhé."
                ),
                packs=CASH,
            )
        return
    wait = throttle.spend_in(session, "unpaid", network, packs, UNPAID, throttle.WINDOW)
    if wait is not None:
        raise Conflict(
            "too-much-unpaid",
            _l(
                "Mỗi lúc từ một mạng giữ được %(packs)s gói chưa trả tiền thôi, để hàng còn cho người khác. "
                "Bác chờ %(minutes)s phút rồi đặt, hoặc gọi người bán giúp mình nhé."
            ),
            packs=UNPAID,
            minutes=-(-wait // 60),
        )
