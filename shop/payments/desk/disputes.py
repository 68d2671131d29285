"""Card disputes in words. What Stripe says of one lies in its puzzle's memo: status, reason and last day to answer."""

import datetime as dt
from dataclasses import dataclass

from shop.orders.models import OPEN
from shop.payments.models import PaymentPuzzle
from village.i18n import date
from village.i18n import gettext as _

ON_OUR_SIDE = ("needs_response", "warning_needs_response")
"""The bank waits for our answer."""
WITH_THE_BANK = ("under_review", "warning_under_review")
KEPT = ("won", "warning_closed", "prevented")
"""It is over, and the money stays."""
LOST = ("lost",)
NONE = "-"


@dataclass(frozen=True)
class Disputed:
    """What Stripe said last."""

    status: str
    reason: str
    until: dt.date | None
    """The last day to answer; None where there is nothing to answer."""


def written(status: str, reason: str, until: dt.date | None) -> str:
    """As a memo has it."""
    return " ".join((status or NONE, reason or NONE, until.isoformat() if until else NONE))[:300]


def read(memo: str) -> Disputed:
    """The same back; of a memo that was erased, nothing."""
    status, reason, day = (*memo.split(), NONE, NONE, NONE)[:3]
    return Disputed(status, reason, None if day == NONE else dt.date.fromisoformat(day))


def facts(puzzle: PaymentPuzzle) -> list[tuple[str, str]]:
    """What is to be read of it: names and values."""
    told = read(puzzle.memo)
    found = [(_("Khách nói"), _because(told.reason)), (_("Tình hình"), _standing(told.status))]
    if told.until is not None and told.status in ON_OUR_SIDE:
        found.append((_("Trả lời chậm nhất"), date(told.until)))
    return [(name, value) for name, value in found if value]


def advice(puzzle: PaymentPuzzle) -> str:
    """What can be done about it."""
    status = read(puzzle.memo).status
    if status in LOST:
        return _("Sổ đã ghi khoản này trả lại khách. Bác đọc xong thì để qua một bên.")
    if puzzle.order is not None and puzzle.order.status in OPEN:
        return _("Hàng chưa gửi hết thì bác khoan gửi. Gọi khách hỏi rõ, rồi trả lời ngân hàng trên trang Stripe.")
    if status in WITH_THE_BANK:
        return _("Bác chờ ngân hàng. Đừng trả lại tiền thêm lần nữa.")
    return _(
        "Bác gửi biên nhận và mã vận đơn trên trang Stripe trước hạn, không trả lời là mất tiền. "
        "Đừng trả lại tiền thêm lần nữa."
    )


def _standing(status: str) -> str:
    if status in ON_OUR_SIDE:
        return _("Ngân hàng của khách chờ mình trả lời")
    if status in WITH_THE_BANK:
        return _("Ngân hàng đang xem")
    if status in KEPT:
        return _("Xong, mình giữ được tiền")
    return _("Xong, ngân hàng đã lấy tiền về cho khách") if status in LOST else ""


def _because(reason: str) -> str:
    """Stripe's word for the buyer's reason, in words; empty for one that says nothing."""
    return {
        "credit_not_processed": _("chưa được trả lại tiền như đã hẹn"),
        "duplicate": _("bị trừ tiền hai lần"),
        "fraudulent": _("không phải mình mua"),
        "product_not_received": _("không nhận được hàng"),
        "product_unacceptable": _("hàng không như đã tả"),
        "subscription_canceled": _("đã thôi không mua nữa"),
        "unrecognized": _("không nhớ đã mua"),
    }.get(reason, "")
