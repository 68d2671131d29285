"""What can be wrong with stock."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from village.errors import Conflict
from village.i18n import lazy_gettext as _l


@dataclass(frozen=True)
class Left:
    """What is left of a product that was asked for."""

    gtin: str
    available: int


class OutOfStock(Conflict):
    """Less is left than was asked for; nothing was reserved. `available` says what is."""

    def __init__(self, available: Sequence[Left]) -> None:
        super().__init__(
            "out-of-stock",
            _l("Hàng không còn đủ như bác đặt. Chưa giữ gói nào, bác bớt số lượng rồi đặt lại nhé."),
            available=[asdict(left) for left in available],
        )
