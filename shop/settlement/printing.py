"""A period and a household's statement on paper."""

from collections.abc import Mapping

from shop.settlement.models import Settlement, SettlementPayout
from shop.settlement.services import Sums
from shop.settlement.sharing import LotPart
from shop.settlement.statements import Statement
from trace.passports.document import Sheet
from village import i18n
from village.i18n import dong, in_language, number
from village.i18n import gettext as _
from village.places.models import Cooperative


def statement_pdf(cooperative: Cooperative, told: Statement, *, training: bool = False) -> bytes:
    """A household's statement of a closed period, in the reader's language."""
    period = told.period
    assert period is not None
    title = _("Bản chia tiền của %(household)s", household=told.household.name)
    sheet = Sheet(_mark(training) + title, _foot(cooperative, period))
    sheet.text(_period_said(period))
    head = (_("Món"), _("Lô"), _("Gói"), _("Tiền hàng"), _("Trừ và cộng"), _("Về hộ"))
    rows = [
        (
            in_language(line.name_vi, line.name_en), line.lot, number(line.part.units), dong(line.part.goods),
            dong(line.part.net - line.part.goods), dong(line.part.net),
        )
        for line in told.lines
    ]  # fmt: skip
    sheet.table(head, rows, (38, 36, 10, 24, 24, 24))
    sheet.heading(_("Cộng lại"))
    sheet.facts([(term, [amount], "") for term, amount in _figures(told.part)])
    facts = [(_("Kỳ này"), [dong(told.balance.net)], "")]
    if told.balance.brought:
        facts.append((_("Kỳ trước còn thiếu"), [dong(told.balance.brought)], ""))
    facts.append((_("Được nhận"), [dong(told.balance.due)], ""))
    if told.balance.carried:
        facts.append((_("Chuyển sang kỳ sau"), [dong(told.balance.carried)], ""))
    sheet.facts(facts)
    if told.payout:
        sheet.text(_paid(told.payout))
    sheet.text(_how(), small=True)
    sheet.heading(_("Ký nhận"))
    sheet.text("\n\n")
    return sheet.pdf()


def period_pdf(
    cooperative: Cooperative, period: Settlement, sums: Sums, paid: Mapping[str, SettlementPayout], *,
    training: bool = False,
) -> bytes:  # fmt: skip
    """A closed period with all its households, for signing."""
    sheet = Sheet(_mark(training) + _("Chia tiền kỳ %(number)s", number=period.number), _foot(cooperative, period))
    sheet.text(_period_said(period))
    sheet.heading(_("Tiền đi đâu"))
    sheet.facts(
        [
            (_("Tiền về, đã bỏ phần trả lại khách"), [dong(sums.received)], ""),
            (_("Các hộ"), [dong(sums.households)], ""),
            (_("Hợp tác xã"), [dong(sums.cooperative)], ""),
            (_("Bên giao hàng"), [dong(sums.carrier)], ""),
            (_("Phí thẻ"), [dong(sums.provider)], ""),
            (_("Giữ hộ người mua"), [dong(sums.held)], ""),
        ]
    )
    sheet.heading(_("Trả cho từng hộ"))
    head = (_("Hộ"), _("Kỳ này"), _("Kỳ trước còn thiếu"), _("Được nhận"), _("Ngày trả, ký nhận"))
    rows = [
        (
            one.household.name, dong(one.net), dong(one.brought) if one.brought else "", dong(one.due),
            i18n.date(paid[one.household_id].paid_at) if one.household_id in paid else "",
        )
        for one in sorted(period.households, key=lambda one: one.household.name)
    ]  # fmt: skip
    sheet.table(head, rows, (40, 26, 26, 26, 38))
    sheet.text(_how(), small=True)
    return sheet.pdf()


def _figures(part: LotPart) -> list[tuple[str, str]]:
    """The parts of what a household has, those that are nothing left out."""
    found = [
        (_("Tiền hàng"), part.goods), (_("Phần hợp tác xã"), -part.share), (_("Phí thẻ"), -part.fee),
        (_("Chênh lệch giao hàng"), part.delivery), (_("Trả lại khách"), -part.refund),
    ]  # fmt: skip
    return [(term, dong(amount)) for term, amount in found if amount]


def _period_said(period: Settlement) -> str:
    return _(
        "Kỳ %(number)s: từ %(first)s đến %(last)s, chốt lúc %(closed)s.",
        number=period.number, first=i18n.date(period.first), last=i18n.date(period.last),
        closed=i18n.moment(period.closed_at),
    )  # fmt: skip


def _paid(payout: SettlementPayout) -> str:
    said = _("Đã trả %(amount)s ngày %(day)s.", amount=dong(payout.amount), day=i18n.date(payout.paid_at))
    return f"{said} {payout.reference}".strip()


def _how() -> str:
    return _(
        "Gói của lô nào thì tiền về hộ làm lô ấy. Tính các đơn đặt đến hết ngày cuối kỳ, như lúc chốt; "
        "về sau đơn có trả lại tiền thì tính vào kỳ sau. Bảng này không phải hoá đơn; thuế ai nấy tự khai."
    )


def _foot(cooperative: Cooperative, period: Settlement) -> str:
    return f"{cooperative.name} · {i18n.date(period.first)} – {i18n.date(period.last)}"


def _mark(training: bool) -> str:
    return "TẬP GHI · " if training else ""
