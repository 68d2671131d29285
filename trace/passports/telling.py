"""A passport's items in the reader's words: each with what is known of it, or 'chưa có', and where that comes from."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trace.scan import words
from village import i18n
from village.i18n import gettext as _
from village.i18n import in_language


@dataclass(frozen=True)
class Value:
    """One line of an item; `href` where it leads on."""

    text: str
    href: str = ""


@dataclass(frozen=True)
class Item:
    """One item of the law's list. Without `values` nothing is known yet, and it says so. `source`: who says it."""

    key: str
    term: str
    values: tuple[Value, ...]
    source: str = ""


@dataclass(frozen=True)
class Group:
    """Items that belong together. `source`: who says those of them that have no other."""

    title: str
    items: tuple[Item, ...]
    source: str = ""

    @property
    def said(self) -> str:
        """Who says them, in a sentence."""
        return _("Ai nói: %(source)s, trừ chỗ ghi khác.", source=self.source)

    def beside(self, item: Item) -> str:
        """Who says one of them, where that is somebody else."""
        return "" if item.source == self.source else item.source


def groups(told: dict[str, Any]) -> list[Group]:
    """The whole list, in the order in which a reader asks."""
    return [_what(told), _who(told), _label(told), _papers(told), _way()]


def missing(found: Sequence[Group]) -> list[str]:
    """The terms of which nothing is known yet."""
    return [item.term for group in found for item in group.items if not item.values]


def _what(told: dict[str, Any]) -> Group:
    office = _("văn phòng hợp tác xã")
    by_pack = _("in trên tem của từng gói")
    return Group(
        _("Món này là gì"),
        (
            _item("name", _("Tên"), _both(told, "name"), office),
            _item("picture", _("Hình"), _("hình vẽ ở đầu trang; ảnh thật có ở từng lô"), office),
            _item("gtin", _("Mã sản phẩm (GTIN)"), told["gtin"], _("GS1 cấp tiền tố, hợp tác xã đặt số")),
            _item("id", _("Mã nhận dạng duy nhất"), told["id"], _("ghép từ GTIN, theo GS1 Digital Link")),
            _item("brand", _("Nhãn hiệu"), told["brand"], office),
            _item("model", _("Kiểu, mẫu"), _("không có: thực phẩm đóng gói, khác nhau ở khối lượng"), office),
            _item("serial", _("Số riêng"), _("có ở gói nào thì in trên tem gói ấy"), by_pack),
        ),
        office,
    )


def _who(told: dict[str, Any]) -> Group:
    maker = told["producer"]
    office = _("văn phòng hợp tác xã")
    return Group(
        _("Ai làm, ở đâu"),
        (
            _item("producer", _("Chịu trách nhiệm"), maker["name"], office),
            _item("address", _("Địa chỉ"), maker["address"], office),
            _item("identifier", _("Mã số đăng ký"), maker["identifier"], _("theo giấy đăng ký kinh doanh")),
            _item("gln", _("Mã địa điểm (GLN)"), maker["gln"], _("GS1 cấp")),
            _item("phone", _("Điện thoại"), words.phone(maker["phone"]), office),
            _item("origin", _("Xuất xứ"), _("Việt Nam, %(place)s", place=told["origin"]["place"]), office),
            _by_lot("finished", _("Nơi làm bước cuối")),
        ),
        office,
    )


def _label(told: dict[str, Any]) -> Group:
    office = _("văn phòng hợp tác xã, như in trên nhãn")
    days = told["shelfDays"]
    keeps = _("dùng trong %(days)s ngày từ ngày đóng gói", days=i18n.number(days)) if days else ""
    return Group(
        _("Trên nhãn"),
        (
            _item("net", _("Khối lượng tịnh"), words.net(told["netGrams"]), office),
            _item("ingredients", _("Thành phần"), _both(told, "ingredients"), office),
            _item("usage", _("Cách dùng"), _both(told, "usage"), office),
            _item("storage", _("Cách giữ"), _both(told, "storage"), office),
            _item("warning", _("Lưu ý"), _both(told, "warning"), office),
            _by_lot("made", _("Ngày sản xuất")),
            _by_lot("expires", _("Hạn dùng"), keeps),
        ),
        office,
    )


def _papers(told: dict[str, Any]) -> Group:
    return Group(
        _("Giấy tờ"),
        (
            Item(
                "certificates", _("Giấy chứng nhận còn hạn"),
                tuple(Value(_certificate(one)) for one in told["certificates"]),
                _("văn phòng chép từ giấy của nơi cấp"),
            ),
            Item(
                "reports", _("Phiếu kiểm nghiệm của sản phẩm"),
                tuple(Value(_report(one), _paper(one)) for one in told["reports"]),
                _("phòng kiểm nghiệm; phiếu của riêng từng lô xem ở trang của lô"),
            ),
        ),
    )  # fmt: skip


def _way() -> Group:
    stages, proof = _("Giờ và nơi của từng bước"), _("Bằng chứng trong sổ chung")
    return Group(_("Đường đi"), (_by_lot("stages", stages), _by_lot("proof", proof)), _("sổ chung, ghi lúc làm"))


def _item(key: str, term: str, text: str, source: str) -> Item:
    return Item(key, term, (Value(text),) if text else (), source if text else "")


def _by_lot(key: str, term: str, more: str = "") -> Item:
    said = _("ghi ở từng lô")
    return Item(key, term, (Value(f"{said}; {more}" if more else said, "#lots"),), _("sổ chung, ghi lúc làm"))


def _both(told: dict[str, Any], key: str) -> str:
    texts = told["texts"][key]
    return in_language(texts["vi"], texts["en"])


def _certificate(one: dict[str, Any]) -> str:
    name = {
        "ocop": _("OCOP %(stars)s sao", stars=one["stars"]),
        "food-safety": _("An toàn thực phẩm"),
        "quality": _("Công bố chất lượng"),
    }[one["kind"]]
    told = _(
        "Số %(number)s, %(issuer)s cấp, còn hiệu lực đến %(day)s", number=one["number"], issuer=one["issuer"],
        day=_day(one["expires"]),
    )  # fmt: skip
    return f"{name}. {told}"


def _report(one: dict[str, Any]) -> str:
    outcome = _("Đạt.") if one["passed"] else _("Chưa đạt.")
    told = _("Phiếu số %(number)s, ngày %(day)s.", number=one["number"], day=_day(one["issued"]))
    ends = " " + _("Đến %(day)s.", day=_day(one["expires"])) if one["expires"] else ""
    return f"{one['laboratory']}. {outcome} {told}{ends}"


def _paper(one: dict[str, Any]) -> str:
    return f"/certificates/{one['paper']}" if one["paper"] else ""


def _day(text: str) -> str:
    return i18n.date(dt.date.fromisoformat(text))
