"""The cooperative's books in the demo season: what it tells of itself, its rule, and a period that was closed."""

import datetime as dt
from contextlib import suppress

from shop.demo.season import Happens, actor
from shop.rights import imprints
from shop.settlement import rules, services
from village import clock
from village.errors import Conflict
from village.forms import Form
from village.places.services import households_of

RULE = {"share": "10", "card_fee": "3,5", "costs_by": "households", "refunds_by": "cooperative"}
INFO = imprints.Fields(
    dt.date(2019, 5, 20), "Phòng đăng ký kinh doanh (mẫu)", "htx@example.vn", "", "7 giờ 30 đến 17 giờ, trừ chủ nhật",
    representative="Lò Thị Mẫu",
)


def timeline(today: dt.datetime) -> list[Happens]:
    """A rule agreed on before anything was sold; a fortnight ago the books were closed and a household was paid."""
    office = actor("office")

    def agree() -> None:
        imprints.edit(office, INFO)
        if not rules.rules_of(office):
            rules.set_rule(office, Form(RULE))

    def close() -> None:
        last = clock.today() - services.DAY
        found = services.opened(office, last)
        # Told on after it was cut off: the period is closed already.
        if found.weighed is None or not found.closable:
            return
        with suppress(Conflict):
            period = services.close(office, last, found.weighed.households)
            first = next(one for one in households_of(office.cooperative_id) if one.id in found.weighed.balances)
            services.pay(office, period.id, first.id, "Chuyển khoản (mẫu)")

    return [(today - dt.timedelta(days=30), agree), (today - dt.timedelta(days=14), close)]
