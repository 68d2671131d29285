"""What a claim says, in a few plain words."""

from trace.epcis.vocabulary import FAMILIES
from village.i18n import gettext as _


def step(biz_step: str) -> str:
    """A business step, as a neighbour would say it; an address of somebody's own is not spelled out."""
    known = {
        "accepting": _("nhận hàng"),
        "arriving": _("hàng tới nơi"),
        "departing": _("hàng rời đi"),
        "destroying": _("huỷ hàng"),
        "holding": _("giữ hàng lại"),
        "inspecting": _("kiểm tra"),
        "loading": _("xếp lên xe"),
        "packing": _("đóng gói"),
        "picking": _("soạn hàng"),
        "receiving": _("nhận hàng"),
        "retail_selling": _("bán lẻ"),
        "sensor_reporting": _("đo dọc đường"),
        "shipping": _("gửi hàng đi"),
        "stocking": _("xếp lên kệ"),
        "storing": _("cất vào kho"),
        "transporting": _("chở hàng"),
        "unloading": _("dỡ xuống"),
        "unpacking": _("mở thùng"),
    }
    return known.get(biz_step.removeprefix(FAMILIES["bizStep"][1]), _("làm một việc khác"))
