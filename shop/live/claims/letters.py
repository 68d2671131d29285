"""The mail that reminds. As in `shop.mails.letters`, nothing in it was typed by a guest, not even a name."""

from shop.live.claims.keys import link
from shop.live.models import LiveClaim
from shop.orders.models import Order
from shop.rights.seller import imprint_of
from village.db import db
from village.i18n import dong, moment, number
from village.i18n import gettext as _


def reminder(claim: LiveClaim, order: Order) -> tuple[str, str]:
    """Subject and body about an order that still waits for its address, in the reader's language."""
    assert claim.until is not None and order.cooperative_id is not None
    seller = imprint_of(db.session(), order.cooperative_id)
    goods = [f"{number(line.quantity)} × {line.name}: {dong(line.amount)}" for line in order.lines]
    parts = [
        _("Chào bác,"),
        _("Hàng bác chốt lúc live mình còn giữ tới %(until)s. Quá giờ ấy là sang người đang chờ.",
          until=moment(claim.until)),
        "\n".join(goods),
        _("Bác mở đường dẫn này để ghi nơi nhận và chọn cách trả: %(link)s", link=link(claim)),
        _("Không lấy nữa thì bác cứ để yên, không phải làm gì."),
        _("%(name)s, điện thoại %(phone)s", name=seller.name, phone=seller.phone),
    ]  # fmt: skip
    return _("Đơn %(number)s: sắp hết giờ giữ hàng", number=order.number), "\n\n".join(parts)
