"""A passport on paper."""

from trace.gs1.digital_link import DigitalLink
from trace.passports.document import Sheet
from trace.passports.services import Passport
from trace.passports.telling import groups, missing
from trace.scan import words
from village import i18n
from village.i18n import gettext as _
from village.i18n import in_language


def passport_pdf(passport: Passport, public_url: str, *, training: bool = False) -> bytes:
    """The passport as an A4 PDF in the reader's language. One from a training village says so in its title."""
    told, version = passport.told, passport.version
    address = f"{public_url}/passports/{passport.gtin}"
    name = in_language(told["texts"]["name"]["vi"], told["texts"]["name"]["en"])
    mark = "TẬP GHI · " if training else ""
    sheet = Sheet(f"{mark}{name}", _("Hộ chiếu số · GTIN %(gtin)s · bản %(number)s", gtin=passport.gtin,
                                     number=version.number))  # fmt: skip
    sheet.text(_("Hộ chiếu số của sản phẩm. Bản %(number)s, có từ %(since)s.", number=version.number,
                 since=i18n.moment(version.since)))  # fmt: skip
    here = _("Bản mới nhất nằm ở địa chỉ này, quét là mở:")
    sheet.code(address, f"{here}\n{address}")
    found = groups(told)
    if lacking := missing(found):
        sheet.text(_("Chưa có: %(items)s.", items=", ".join(lacking)))
    for group in found:
        sheet.heading(group.title)
        if group.source:
            sheet.text(group.said, small=True)
        sheet.facts(
            [
                (item.term, [one.text for one in item.values] or [_("chưa có")], group.beside(item))
                for item in group.items
            ]
        )
    sheet.heading(_("Các lô mới nhất"))
    if passport.lots:
        head = (_("Mã lô"), _("Ngày làm"), _("Hạn dùng"), _("Nơi làm bước cuối"), _("Trang của lô"))
        sheet.table(
            head,
            [
                (
                    lot.lot + held(lot.hold), i18n.date(lot.made_at),
                    i18n.date(lot.best_before) if lot.best_before else "",
                    words.place(lot.site), DigitalLink(lot.gtin, lot=lot.lot).under(public_url),
                )
                for lot in passport.lots
            ],
            (26, 24, 24, 32, 56),
        )  # fmt: skip
    else:
        sheet.text(_("Chưa có lô nào của sản phẩm này."))
    sheet.heading(_("Tự kiểm tra bản này"))
    sheet.text(
        _("Nội dung của bản này nằm ở %(address)s; SHA-256 của tệp ấy phải là dãy dưới đây.",
          address=f"{address}/versions/{version.number}.json"), small=True,
    )  # fmt: skip
    sheet.text(version.sha256, small=True)
    return sheet.pdf()


def held(hold: str) -> str:
    """What stands behind a lot's code where it may not be sold."""
    said = {"held": _("Đang tạm giữ"), "recalled": _("Đã thu hồi")}.get(hold)
    return f" ({said})" if said else ""
