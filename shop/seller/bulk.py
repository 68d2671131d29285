"""One step for many orders: each by itself, in its own transaction; what could not be done is told order by order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select

from shop.orders import steps
from shop.orders.models import Order
from shop.orders.steps import sold_by
from village.db import db
from village.errors import BadInput, Conflict, SoiError
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.people.access import Actor
from village.text import clean_line

MOST = 200
"""Orders in one go."""


@dataclass(frozen=True)
class Failed:
    """An order that stayed as it was, and why."""

    order_id: str
    number: str
    why: str


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    done: Sequence[str]
    """Numbers."""
    failed: Sequence[Failed]


def send_by_hand(actor: Actor, order_id: str) -> Order:
    """Dispatch what the village hands over itself; Conflict for an order that a carrier is to fetch."""
    if steps.by_id(actor, order_id).delivery != "hand":
        raise Conflict("carrier-first", _l("Đơn này đi qua bên giao hàng. Bác mở đơn ra rồi bấm gửi ở đó."))
    return steps.dispatch(actor, order_id)


STEPS: dict[str, Callable[[Actor, str], Order]] = {
    "confirm": steps.confirm,
    "pick": steps.pick,
    "dispatch": send_by_hand,
}
CANCEL = "cancel"
"""For orders that nobody stands behind: whoever has called in vain, many times, shall not open each one."""


def run(actor: Actor, step: str, order_ids: Sequence[str], reason: object = "") -> Outcome:
    """Take a step with each of these orders, in the order given. BadInput for none, too many or an unknown step, and
    for cancelling without a `reason`, which their buyers read.

    An order of somebody else's is told as one that does not exist.
    """
    act = STEPS.get(step)
    if step == CANCEL:
        told = clean_line(reason, "reason", 300)
        act = partial(steps.cancel, reason=told)
    if act is None:
        raise BadInput("no-such-step", _l("Không có bước này."), field="do")
    ids = [one for one in dict.fromkeys(order_ids) if is_uuid(one)]
    if not ids:
        raise BadInput("no-orders", _l("Bác đánh dấu ít nhất một đơn rồi bấm lại nhé."), field="order")
    if len(ids) > MOST:
        raise BadInput("too-many-orders", _l("Mỗi lần nhiều nhất %(most)s đơn."), field="order", most=MOST)
    numbers = _numbers(actor, ids)
    done: list[str] = []
    failed: list[Failed] = []
    for one in ids:
        try:
            done.append(act(actor, one).number)
        except SoiError as error:
            failed.append(Failed(one if one in numbers else "", numbers.get(one, ""), str(error)))
    return Outcome(done, failed)


def _numbers(actor: Actor, ids: Sequence[str]) -> dict[str, str]:
    rows = db.session.execute(select(Order.id, Order.number).where(Order.id.in_(ids), sold_by(actor)))
    return {order_id: number for order_id, number in rows}
