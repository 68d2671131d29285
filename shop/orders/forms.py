"""Who gets it and where it goes, as a form has it: at checkout, and for a livestream order that lacks it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Self, TypeVar

from flask import request

from shop.addresses.provinces import Province, understand
from shop.addresses.reading import WARD_MAX, Address, Differs, settle
from shop.orders.errors import bad_quantity
from shop.orders.models import Order
from shop.orders.services import Buyer
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.ids import secret_token
from village.outbox.addresses import clean_mail
from village.people.phones import clean_phone
from village.text import clean_line, clean_name, missing

T = TypeVar("T")
LINE_MAX = 300
_FEE = re.compile(r"(hand|ghn):(\d{1,8})", re.ASCII)


@dataclass
class Form:
    """What was typed, and what was wrong with it."""

    name: str = ""
    phone: str = ""
    email: str = ""
    province: str = ""
    ward: str = ""
    address: str = ""
    note: str = ""
    delivery: str = ""
    payment: str = ""
    key: str = field(default_factory=secret_token)
    errors: dict[str, str] = field(default_factory=dict)
    problem: str = ""

    @classmethod
    def typed(cls) -> Self:
        """As it was sent with this request."""
        sent = request.form
        return cls(
            sent.get("name", ""), sent.get("phone", ""), sent.get("email", ""), sent.get("province", ""),
            sent.get("ward", ""), sent.get("address", ""), sent.get("note", ""), sent.get("delivery", ""),
            sent.get("payment", ""), sent.get("key", ""),
        )  # fmt: skip

    @classmethod
    def of(cls, order: Order) -> Self:
        """With what the order has already."""
        return cls(
            order.buyer_name or "", order.buyer_phone or "", order.buyer_email or "", order.buyer_province or "",
            order.buyer_ward or "", order.buyer_address or "",
        )  # fmt: skip

    def tell(self, error: BadInput) -> None:
        """Put what was wrong beside its field, or above the form where that is none of its own."""
        if error.field in {one.name for one in fields(self)}:
            self.errors[str(error.field)] = str(error)
        else:
            self.problem = str(error)

    def buyer(self) -> Buyer | None:
        """Who gets it, clean; None when something was wrong: each field then has its own message."""
        name = self._try(lambda: clean_name(self.name, "name"))
        phone = self._try(lambda: clean_phone(self.phone, "phone"))
        # In small letters: another spelling would be another address, to the bound on mails and to who looks for it.
        email = self._try(lambda: clean_mail(self.email, "email").lower()) if self.email.strip() else None
        where = self._try(self._where)
        if self.errors or where is None or where.province is None:
            return None
        return Buyer(name, phone, where.line, email=email, ward=where.ward or None, province=where.province.name)

    def _where(self) -> Address:
        chosen = self._chosen()
        ward = clean_line(self.ward, "ward", WARD_MAX, required=False)
        # Several lines are pieces, as if commas stood between them.
        line = clean_line(", ".join(self.address.splitlines()), "address", LINE_MAX)
        try:
            where = settle(line, ward, chosen)
        except Differs as error:
            raise BadInput(
                "another-province",
                _l("Địa chỉ ghi là %(named)s, còn ô tỉnh bác chọn %(chosen)s. Bác xem lại giúp mình."),
                field="province", named=str(error), chosen=chosen.name if chosen else "",
            ) from error  # fmt: skip
        if where.province is None:
            raise missing("province", _l("Bác chọn tỉnh, thành nhé."))
        if not where.line:
            raise missing("address", _l("Bác ghi thêm số nhà, đường hoặc thôn bản nhé."))
        clean_line(where.line, "address", LINE_MAX)  # an old name may have come behind it
        return where

    def _chosen(self) -> Province | None:
        """Today's province that was chosen; an old name counts as what it became."""
        text = self.province.strip()
        known = understand(text) if text else None
        if text and known is None:
            raise BadInput("no-such-province", _l("Mình không biết tỉnh, thành này. Bác chọn trong danh sách nhé."),
                           field="province")  # fmt: skip
        return known.province if known else None

    def _try(self, act: Callable[[], T]) -> T | None:
        try:
            return act()
        except BadInput as error:
            self.tell(error)
            return None


def lines_sent() -> list[tuple[str, int]]:
    """(GTIN, quantity) of each line that the page had; BadInput for anything else."""
    found = []
    for text in request.form.getlist("line")[:100]:
        gtin, _colon, quantity = text.partition(":")
        if not (quantity.isascii() and quantity.isdigit() and len(quantity) <= 4):
            raise bad_quantity("lines")
        found.append((gtin, int(quantity)))
    return found


def fees_seen() -> dict[str, int]:
    """What the page said that each way of delivery costs, in đồng."""
    found = (_FEE.fullmatch(text) for text in request.form.getlist("fee")[:10])
    return {match[1]: int(match[2]) for match in found if match}


def total_seen() -> int | None:
    """What the page said that the goods cost, in đồng."""
    text = request.form.get("goods", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None
