"""Why a comment was not simply taken as an order, in words for the seller."""

from babel.support import LazyProxy

from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l

_WORDS: dict[str, LazyProxy] = {
    "too-long": _l("lời nhắn dài quá, máy không đọc hết"),
    "turned-text": _l("có ký tự đảo chiều chữ, đọc được hai cách"),
    "mention": _l("đang gọi một người xem khác"),
    "quoted": _l("giống nhắc lại lời người khác"),
    "spam": _l("giống tin quảng cáo"),
    "negation": _l("nói là chưa lấy, hoặc đừng"),
    "cancel": _l("có ý bỏ bớt nhưng chưa rõ"),
    "cancel-without-code": _l("muốn đổi hoặc bỏ mà không nói mã nào"),
    "change": _l("muốn đổi sang mã khác"),
    "complaint": _l("giống lời phàn nàn"),
    "past": _l("kể chuyện đơn trước"),
    "bargain": _l("đang trả giá"),
    "question": _l("đang hỏi"),
    "show": _l("muốn xem hàng"),
    "later": _l("hẹn lúc khác"),
    "urging": _l("đang giục người khác mua"),
    "praise": _l("khen ngon, chưa rõ có đặt không"),
    "unclear": _l("nhiều chữ lạ, chưa rõ có đặt không"),
    "unknown-code": _l("mã này không bán trong phiên"),
    "code-one-edit-away": _l("mã gõ sai một chữ"),
    "ambiguous-code": _l("chưa rõ mã nào"),
    "ambiguous-quantity": _l("chưa rõ mấy gói"),
    "invalid-quantity": _l("số gói không hợp lệ"),
    "above-limit": _l("nhiều hơn 99 gói một món"),
    "fraction": _l("số gói không tròn"),
    "weight": _l("nói cân chứ không nói gói"),
    "price": _l("con số này giống giá tiền"),
    "unit": _l("nói thùng, két chứ không nói gói"),
    "odd-number": _l("có con số lạ"),
    "other-number": _l("có con số chưa rõ là gì"),
    "no-code": _l("muốn mua mà không nói mã"),
    "noise": _l("chuyện vui"),
    "phone": _l("đã ghi số điện thoại vào đơn"),
    "phone-kept": _l("đã giữ số điện thoại, chờ đặt hàng"),
    "phone-differs": _l("số điện thoại khác với số đã ghi trong đơn"),
    "repeat": _l("đã có mã này rồi, chưa rõ là thêm hay nhắc lại"),
    "already-waiting": _l("đang chờ sẵn rồi"),
    "nothing-to-cancel": _l("không có gì để bỏ"),
    "order-moved-on": _l("đơn đang soạn hoặc đã gửi, không tự bỏ được"),
    "not-so-many": _l("muốn bỏ nhiều hơn số đang có"),
    "sold-out": _l("hết hàng, đang chờ"),
    "limit-reached": _l("hết phần của phiên này, đang chờ"),
    "promoted": _l("có gói quay lại nên tới lượt"),
    "left-the-queue": _l("thôi không chờ nữa"),
    "not-sold": _l("món này vừa ngừng bán"),
    "unclaimed": _l("quá giờ mà chưa ghi nơi nhận, hàng sang người đang chờ"),
    "by-hand": _l("người bán xem rồi ghi"),
    "viewer-limit": _l("quá phần mỗi người được lấy"),
    "order-limit": _l("quá số gói của một đơn"),
    "pin-changed": _l("gõ số ngay lúc đổi món đang ghim, chưa rõ món nào"),
    "offer-taken": _l("nhận phần giữ cho mình"),
    "offer-declined": _l("không lấy phần được giữ, nhường người sau"),
    "offer-lapsed": _l("hết giờ giữ phần, nhường người sau"),
    "edited": _l("sửa lời nhắn sau khi đã ghi"),
    "deleted": _l("xoá lời nhắn"),
    "paused": _l("phiên đang nghỉ, giữ lại để lát đọc"),
    "session-ended": _l("tới sau khi phiên đã kết"),
}


def words(slug: str, allowed: int | None = None) -> str:
    """The reason in the reader's language; the slug itself for one that has no words yet.

    `allowed`: with a limit, how many more packs she may have.
    """
    said = str(_WORDS.get(slug, slug))
    if allowed is None:
        return said
    return said + (", " + _("còn lấy được %(n)s gói", n=allowed) if allowed else ", " + _("lấy đủ phần rồi"))
