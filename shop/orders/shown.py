"""How an order is told to people."""

from shop.orders.models import Order, Status
from trace.gs1.digital_link import DigitalLink
from village.i18n import gettext as _
from village.i18n import moment

PATH = (Status.PLACED, Status.CONFIRMED, Status.PICKED, Status.DISPATCHED, Status.DELIVERED)


def said(status: Status) -> str:
    """A step of the timeline in words."""
    return {
        Status.PLACED: _("Đã đặt"),
        Status.CONFIRMED: _("Người bán đã xác nhận"),
        Status.PICKED: _("Đã soạn hàng theo lô"),
        Status.DISPATCHED: _("Đã gửi đi, đã ghi vào sổ chung"),
        Status.DELIVERED: _("Đã tới tay người mua"),
        Status.CANCELLED: _("Đơn đã huỷ"),
    }[status]


def awaited(status: Status) -> str:
    """The same step before it happened."""
    return {
        Status.CONFIRMED: _("Chờ người bán xác nhận"),
        Status.PICKED: _("Soạn hàng"),
        Status.DISPATCHED: _("Gửi đi"),
        Status.DELIVERED: _("Tới tay người mua"),
    }[status]


def timeline(order: Order) -> list[tuple[str, str, str]]:
    """(`done` | `now` | `later`, words, when) for each step, first to last."""
    when = {step.what: moment(step.at) for step in order.steps}
    if order.status is Status.CANCELLED:
        done = [("done", said(status), when[status]) for status in PATH if status in when]
        return [*done, ("now", said(Status.CANCELLED), when[Status.CANCELLED])]
    reached = PATH.index(order.status)
    told = [("done", said(status), when.get(status, "")) for status in PATH[: reached + 1]]
    coming = [("later", awaited(status), "") for status in PATH[reached + 1 :]]
    if coming:
        coming[0] = ("now", *coming[0][1:])
    return told + coming


def cancelled_because(order: Order) -> str:
    """The seller's reason; empty when there is none."""
    return next((step.note for step in order.steps if step.what == Status.CANCELLED), "")


def scan_path(gtin: str, lot: str) -> str:
    """The address of a lot's scan page, on our own host."""
    return DigitalLink(gtin, lot).path


def hidden_phone(phone: str) -> str:
    """A telephone number of which a passer-by reads the end only."""
    return "••• ••• " + phone[-3:]


BADGES = {
    Status.PLACED: "waiting",
    Status.CONFIRMED: "waiting",
    Status.PICKED: "info",
    Status.DISPATCHED: "info",
    Status.DELIVERED: "done",
    Status.CANCELLED: "cut",
}
