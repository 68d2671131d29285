"""What can go wrong between a parcel and its buyer."""

from village.errors import BadInput, Conflict, NotFound, SoiError
from village.i18n import lazy_gettext as _l


class CarrierSilent(SoiError):
    """The carrier's computer gave no answer that can be used: nobody knows whether it did what it was asked."""

    status = 502
    title = _l("Bên giao hàng chưa trả lời")

    def __init__(self, why: str) -> None:
        super().__init__(
            "carrier-silent",
            _l("Máy của bên giao hàng chưa trả lời (%(why)s). Bác đợi một lát rồi bấm lại, không bị gửi hai lần đâu."),
            why=why,
        )


class CarrierRefused(BadInput):
    """The carrier understood and said no."""

    def __init__(self, said: str) -> None:
        super().__init__("carrier-refused", _l("Bên giao hàng không nhận: %(said)s"), said=said)


def no_parcel() -> NotFound:
    """For an id that is nobody's, or another cooperative's."""
    return NotFound("no-such-parcel", _l("Không có kiện hàng này."))


def moved_on(words: str) -> Conflict:
    """For a step that the parcel can no longer take; `words` say where it is."""
    return Conflict("parcel-moved-on", _l("Kiện này giờ đang ở bước khác rồi: %(words)s."), words=words)


def nothing_to_send() -> BadInput:
    """For a parcel without packs."""
    return BadInput(
        "nothing-to-send", _l("Kiện hàng chưa có gói nào bên trong. Bác ghi số gói nhé."), field="parts"
    )
