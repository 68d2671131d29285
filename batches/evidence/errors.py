"""What is said to whoever sends something that cannot be taken in."""

from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.storage import FULL, TEXTS, StorageTrouble

_REFUSED = {
    "not-a-picture": _l("Tệp này không phải ảnh JPEG, PNG hay WebP, hoặc đã hỏng. Bác chọn ảnh khác nhé."),
    "photo-is-heic": _l(
        "Ảnh này kiểu HEIC, nhiều máy không mở được. Bác vào Cài đặt, Camera, Định dạng, chọn Tương thích nhất "
        "rồi chụp lại nhé."
    ),
    "photo-cut-short": _l("Ảnh này bị đứt, thiếu phần cuối. Bác chọn lại ảnh giúp nhé."),
    "photo-moves": _l("Ảnh này là ảnh động. Bác chọn ảnh chụp thường nhé."),
    "photo-too-many-pixels": _l("Ảnh này to quá, nhiều điểm hơn máy mình mở được. Bác chụp cỡ nhỏ hơn nhé."),
    "photo-not-clean": _l("Trong tệp ảnh còn thứ khác ngoài ảnh, như nơi chụp hay tên máy. Máy gửi phải bỏ đi trước."),
    "photo-not-its-name": _l("Ảnh gửi đến không đúng với dấu đã báo, nên chưa giữ. Máy gửi lại từ đầu nhé."),
}


class NoRoom(StorageTrouble):
    """The disk has little left, and what is left belongs to the ledger."""

    status = 507


def refused(slug: str, field: str = "photos") -> BadInput:
    """For a picture that we do not take; `slug` as trace.photos.bare.Refused has it."""
    return BadInput(slug, _REFUSED[slug], field=field)


def too_big(most: int, field: str = "photos") -> BadInput:
    """For a file of more than `most` bytes."""
    return BadInput("file-too-big", _l("Tệp này nặng quá, mỗi tệp nhiều nhất %(mib)s MB."), field=field, mib=most >> 20)


def no_room() -> NoRoom:
    """When nothing more can be kept."""
    return NoRoom("storage", TEXTS[FULL], why=FULL)
