"""What a buyer is told of a recall, in Vietnamese: what it is about, what to do now, whom to ring.

Short enough for a short message (670 characters with marks), whatever names and reasons are in it.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from shop.recalls.models import Reached
from village.outbox.letters import BODY_MAX
from village.outbox.models import Channel
from village.people.phones import normal_phone, shown_phone

if TYPE_CHECKING:
    from shop.recalls.listening import Found

LOTS = 3
"""So many lots are named; the order's page has them all."""
NAME = 60
ROOM = BODY_MAX[Channel.SMS]


def subject(number: str) -> str:
    """One line, for who rings."""
    return f"Thu hồi, đơn {number}"


def recalled(seller: str, phone: str, reason: str, orders: "Sequence[Found]", address: str) -> str:
    """To a buyer of these orders, those that have left first."""
    first = orders[0]
    lots = _lots(orders)
    page = f"{address}/orders/{first.token}"
    about = f"{_short(seller, NAME)} báo: {lots}, đơn {_numbers(orders)}, đang được thu hồi. Lý do: "
    do = (
        "Hàng chưa gửi đi, chúng tôi đổi lô khác cho bác, bác không phải làm gì."
        if first.state is Reached.STOPPED
        else "Bác đừng dùng gói ấy, để riêng ra, chúng tôi đổi gói khác hoặc trả lại tiền."
    )
    rest = f" {do} Gọi {_ring(phone)} hỏi thêm. Xem đơn: {page}"
    # What to do matters most: a long reason is cut, and stands in full on the order's page.
    return f"{about}{_short(reason, max(1, ROOM - len(about) - len(rest)))}{rest}"


def lifted(seller: str, phone: str, number: str) -> str:
    """To a buyer who had been told of a recall that was a mistake."""
    return (
        f"{_short(seller, NAME)} báo lại về đơn {number}: đã kiểm tra xong, lần thu hồi vừa rồi là nhầm, gói hàng dùng "
        f"được bình thường. Xin lỗi đã làm bác lo. Gọi {_ring(phone)} nếu bác cần hỏi thêm."
    )


def _lots(orders: "Sequence[Found]") -> str:
    names = {lot: order.goods[batch] for order in orders for batch, (lot, _) in order.parts.items()}
    shown = [_lot(lot, name) for lot, name in islice(names.items(), LOTS)]
    return ", ".join(shown) + (f" và {len(names) - LOTS} lô nữa" if len(names) > LOTS else "")


@lru_cache(maxsize=4096)
def _lot(lot: str, name: str) -> str:
    return f"{_short(name, 40)} lô {lot}"


def _numbers(orders: "Sequence[Found]") -> str:
    if len(orders) == 1:
        return orders[0].number
    numbers = [order.number for order in orders]
    return ", ".join(numbers[:LOTS]) + (f" và {len(numbers) - LOTS} đơn nữa" if len(numbers) > LOTS else "")


@lru_cache(maxsize=64)
def _ring(phone: str) -> str:
    """A number as people read it; as it stands where it is none that the world knows."""
    normal = normal_phone(phone)
    return shown_phone(normal) if normal else phone


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
