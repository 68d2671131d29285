"""Packs that a buyer brought back after they had arrived: back on the shelf, or spoilt.

What comes back with its parcel, without having arrived, is the parcel's matter (`shop.delivery.steps.take_back`).
"""

from collections.abc import Mapping

from shop.orders import steps
from shop.orders.models import Order, Status
from shop.orders.returning import Fate, Returned, return_in
from village.db import write
from village.errors import BadInput, Conflict
from village.forms import optional_number
from village.i18n import lazy_gettext as _l
from village.people.access import Actor

FATES: tuple[Fate, ...] = ("resell", "lost")


def read(order: Order, typed: Mapping[str, str]) -> list[Returned]:
    """The packs that a form names: a field `<fate>-<line>-<batch>` for each lot of each line. BadInput for none."""
    parts: list[Returned] = []
    for line in order.lines:
        for part in line.allocations:
            for fate in FATES:
                name = f"{fate}-{line.id}-{part.batch_id}"
                units = optional_number(typed.get(name), name, 0, part.gone)
                if units:
                    parts.append((line.id, part.batch_id, units, fate))
    if not parts:
        raise BadInput("nothing-back", _l("Bác ghi số gói khách trả lại giúp mình."), field="back")
    return parts


def take(actor: Actor, order_id: str, typed: Mapping[str, str]) -> Order:
    """Take back what a form names. Conflict before the order has arrived."""
    order = steps.by_id(actor, order_id)
    if order.status is not Status.DELIVERED:
        raise Conflict("not-arrived", _l("Đơn chưa tới tay khách. Hàng quay về giữa đường thì ghi ở trang kiện hàng."))
    parts = read(order, typed)
    with write(ledger=True) as session:
        return return_in(session, actor, order_id, parts)
