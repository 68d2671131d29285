"""How signs are told: calmly to the buyer, with what to do; plainly to the office."""

from trace.units.provinces import ABROAD, PROVINCES
from village.i18n import gettext as _


def to_buyer(word: str, phone: str) -> str:
    """What stands on the page of a pack that asks for a second look."""
    many = _(
        "Tem mang số này đã được soi ở nhiều nơi hơn một gói thường có. Có thể tem bị ai chép lại, cũng có thể chỉ vì "
        "cả nhà cùng xem. Bác xem bao gói còn kín không, hỏi lại chỗ bán, rồi gọi %(phone)s giúp chúng tôi.",
        phone=phone,
    )
    late = _(
        "Gói mang số này đã được soi từ lâu, nay lại có người soi ở chỗ khác. Nếu bác vừa mua thì có thể vỏ gói cũ bị "
        "dùng lại. Bác khoan dùng, gọi %(phone)s hỏi chúng tôi.",
        phone=phone,
    )
    return {
        "never-issued": _(
            "Số này chúng tôi chưa từng in lên gói nào. Có thể tem không phải của làng. Bác khoan dùng, giữ gói lại và "
            "gọi %(phone)s giúp chúng tôi.",
            phone=phone,
        ),
        "other-lot": _(
            "Số này có thật, nhưng là của một lô khác. Có thể tem bị dán nhầm hoặc bị sửa. Bác giữ gói lại và gọi "
            "%(phone)s giúp chúng tôi.",
            phone=phone,
        ),
        "voided": _(
            "Tem mang số này chúng tôi đã huỷ, lẽ ra không còn ở gói nào. Bác khoan dùng, giữ gói lại và gọi %(phone)s "
            "giúp chúng tôi.",
            phone=phone,
        ),
        "long-after": late,
        "long-after-far": late,
    }.get(word, many)


def rule(slug: str) -> str:
    """A rule's name, as the office reads it."""
    return {
        "voided": _("Tem đã huỷ mà còn có người soi"),
        "many-hands": _("Một ngày qua quá nhiều tay"),
        "many-networks": _("Một ngày soi từ quá nhiều nơi khác nhau"),
        "many-days": _("Cả tháng soi đi soi lại từ nhiều nơi"),
        "many-places": _("Soi ở quá nhiều tỉnh"),
        "long-after": _("Im lâu rồi lại có nhiều người soi"),
        "long-after-far": _("Im lâu rồi lại soi ở tỉnh khác"),
        "never-issued": _("Có người soi số không phải của mình"),
        "doubled": _("Quá nhiều gói của lô được soi lại sau khi im"),
        "recalled": _("Lô đã thu hồi mà còn có người soi"),
        "past-date": _("Hàng quá hạn mà còn nhiều người soi"),
    }.get(slug, slug)


def counted(slug: str, count: str) -> str:
    """What a rule counted, at its most."""
    return {
        "voided": _("%(count)s lần soi sau khi huỷ", count=count),
        "many-hands": _("%(count)s tay trong một ngày", count=count),
        "many-networks": _("%(count)s mạng khác nhau trong một ngày", count=count),
        "many-days": _("%(count)s mạng, cộng từng ngày trong tháng", count=count),
        "many-places": _("%(count)s tỉnh", count=count),
        "long-after": _("%(count)s mạng sau hai tháng im", count=count),
        "long-after-far": _("%(count)s mạng ở tỉnh mới", count=count),
        "never-issued": _("%(count)s lần trong một tuần", count=count),
        "doubled": _("%(count)s gói soi lại sau ba tuần im", count=count),
        "recalled": _("%(count)s lần soi", count=count),
        "past-date": _("%(count)s lần soi", count=count),
    }.get(slug, slug)


def to_do(slug: str) -> str:
    """What the office may do about it."""
    if slug in ("recalled", "past-date"):
        return _("Còn gói nằm ở chỗ bán hoặc trong bếp người mua. Hỏi người bán lô này, báo lại cho người mua.")
    if slug == "never-issued":
        return _("Tem giả thường mang số bịa. Hỏi người gọi điện mua ở đâu, xin ảnh tem, báo cho quản lý thị trường.")
    if slug == "doubled":
        return _("Có thể cả cuộn tem bị in lại. Xem máy in và tem thừa của lô, hỏi các chỗ bán ở tỉnh lạ.")
    return _("Hỏi chỗ bán ở nơi có nhiều người soi. Đúng là bị chép thì huỷ số này: ai soi cũng được nhắc khoan dùng.")


def place(number: str) -> str:
    """A province by its number."""
    if not number:
        return _("không rõ")
    return _("ngoài nước") if number == ABROAD else PROVINCES.get(number, number)


def in_groups(serial: str) -> str:
    """A serial number as people read it aloud: fours with thin blanks."""
    return "\u2009".join(serial[start : start + 4] for start in range(0, len(serial), 4))
