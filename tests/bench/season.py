"""A shop with its past, straight into the tables: products, lots, and orders with all that hangs on them.

Orders lie over three hundred days, each with its lines, lots, timeline, payment, parcel, mail and kept answer. However
many there are, the same number of them still waits for the seller's hands, and the same lots are still open: what has
grown is the past. The batches are copies of one that went through the ledger.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Table, func, select, text
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from shop.delivery.models import DeliveryState, Shipment, ShipmentPart, ShipmentStep
from shop.orders.models import Allocation, Order, OrderLine, OrderStep, PaymentState, Status
from shop.payments import memos
from shop.payments.models import Payment, Standing
from shop.stock.models import StockLot
from tests.support.village import Village, gtin
from trace.gs1.digital_link import class_uri
from trace.gs1.lots import READABLE
from trace.lots.models import Batch
from village import clock
from village.db import db, insert_later, write
from village.idempotency import IdempotencyKey
from village.outbox.models import Channel, Message, MessageState
from village.products.models import Product

PRODUCTS = 8
PACKS = 400
"""In a lot."""
OPEN_LOTS = 10
"""Of each product, that nobody has bought of yet."""
DAYS = 300
PLACED, CONFIRMED, PICKED, DISPATCHED = 200, 60, 40, 100
"""Of the newest orders, how many stand at each step; the others are done."""
AT_ONCE = 2_000
PRICE = 85_000
STORY = "Miến làm từ củ dong riềng, phơi nắng. " * 20
"""As long as the peer's."""


@dataclass(frozen=True)
class Shelf:
    """What buyers can ask for."""

    products: list[Product]

    @property
    def paths(self) -> list[str]:
        """The products' pages."""
        return [f"/products/{product.slug}" for product in self.products]


@dataclass
class _Lot:
    id: str
    product: Product
    code: str
    packs: int
    made_at: dt.datetime
    reserved: int = 0
    sold: int = 0

    @property
    def free(self) -> int:
        return self.packs - self.reserved - self.sold


@dataclass
class _Sold:
    """An order as it is planned: packs by line and lot."""

    number: int
    at: dt.datetime
    status: Status
    lines: list[tuple[Product, list[tuple[_Lot, int]]]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(PRICE * units for _product, parts in self.lines for _lot, units in parts)


def stock_up(packs: int) -> Shelf:
    """Products with one large lot each."""
    products, pattern = _products(), _pattern()
    with write():
        _put_lots([_lot(n, product, packs, clock.now()) for n, product in enumerate(products)], pattern)
    return Shelf(products)


def grow(orders: int) -> Shelf:
    """Products, lots, and so many orders."""
    products, pattern = _products(), _pattern()
    lots: list[_Lot] = []
    sold = list(_plan(orders, products, lots))
    now = clock.now()
    for product in products:
        lots += [_lot(len(lots) + n, product, PACKS, now) for n in range(OPEN_LOTS)]
    with write():
        _put_lots(lots, pattern)
    member = Village().member("seller").id
    for start in range(0, len(sold), AT_ONCE):
        with write():
            for one in sold[start : start + AT_ONCE]:
                _put_order(one, pattern["cooperative_id"], member)
    if db.engine.dialect.name == "postgresql":
        # Its own tidying would have counted what was put in, a minute later.
        with db.engine.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()
    db.session.remove()
    return Shelf(products)


def orders_in() -> int:
    """How many orders there are."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Order)) or 0


def _products() -> list[Product]:
    like = Village().product("packs", 500)
    with write() as session:
        session.add_all(
            Product(
                gtin=gtin(number), slug=f"hang-{number}", name_vi=f"Miến dong số {number}", name_en=f"Noodles {number}",
                cooperative_id=like.cooperative_id, process=like.process, material=like.material,
                net_grams=500 + number, price=PRICE, shelf_days=365, ingredients_vi="100 % tinh bột dong riềng",
                ingredients_en="100 % canna starch", story_vi=STORY, picture="pack",
            )
            for number in range(800, 800 + PRODUCTS)
        )  # fmt: skip
    found = db.session.scalars(select(Product).where(Product.slug.startswith("hang-")).order_by(Product.slug))
    return list(found)


def _pattern() -> dict[str, Any]:
    """The row of a batch with a whole story, whose like the others are."""
    made = Village().packs(20)
    table = _table(Batch)
    with db.engine.connect() as connection:
        return dict(connection.execute(select(table).where(table.c.id == made)).one()._mapping)


def _plan(orders: int, products: Sequence[Product], lots: list[_Lot]) -> Iterator[_Sold]:
    """The orders, oldest first; what they take of lots is written into those, and new lots are begun as they need."""
    now = clock.now()
    current: dict[str, _Lot] = {}
    for number in range(orders):
        left = orders - number
        at = now - dt.timedelta(days=DAYS) * left / orders
        one = _Sold(number, at, _status(number, left))
        for place in range(1 + number % 2):
            product, units = products[(number + 3 * place) % len(products)], 1 + number % 3
            lot = current.get(product.id)
            if lot is None or lot.free < units:
                lot = current[product.id] = _lot(len(lots), product, PACKS, at - dt.timedelta(days=1))
                lots.append(lot)
            if one.status in (Status.DISPATCHED, Status.DELIVERED):
                lot.sold += units
            elif one.status is not Status.CANCELLED:
                lot.reserved += units
            one.lines.append((product, [(lot, units)]))
        yield one


def _status(number: int, left: int) -> Status:
    for status, count in (
        (Status.PLACED, PLACED), (Status.CONFIRMED, CONFIRMED), (Status.PICKED, PICKED), (Status.DISPATCHED, DISPATCHED)
    ):  # fmt: skip
        if left <= count:
            return status
        left -= count
    return Status.CANCELLED if number % 20 == 0 else Status.DELIVERED


def _lot(number: int, product: Product, packs: int, made_at: dt.datetime) -> _Lot:
    return _Lot(_id(0, number, made_at), product, f"M{number:06d}", packs, made_at)


def _put_lots(lots: Sequence[_Lot], pattern: dict[str, Any]) -> None:
    for lot in lots:
        product, best_before = lot.product, lot.made_at.date() + dt.timedelta(days=365)
        grams = lot.packs * (product.net_grams or 0)
        mine = {
            "id": lot.id, "epc": class_uri(product.gtin, lot.code), "gtin": product.gtin, "lot": lot.code,
            "product_id": product.id, "made_units": lot.packs, "left_units": lot.packs - lot.sold,
            "made_grams": grams, "left_grams": grams - lot.sold * (product.net_grams or 0),
            "made_at": lot.made_at, "best_before": best_before,
        }  # fmt: skip
        insert_later(db.session(), Batch.__table__, [{**pattern, **mine}])
        _put(
            StockLot, batch_id=lot.id, product_id=product.id, gtin=product.gtin, lot=lot.code,
            best_before=best_before, packed=lot.packs, reserved=lot.reserved, sold=lot.sold,
        )  # fmt: skip


def _put_order(sold: _Sold, cooperative_id: str, member: str) -> None:
    order_id, at, status = _id(1, sold.number, sold.at), sold.at, sold.status
    done, sent = status is Status.DELIVERED, status in (Status.DISPATCHED, Status.DELIVERED)
    ahead = sold.number % 2 == 0 and status is not Status.CANCELLED
    paid = ahead or done
    mail = f"thu{sold.number}@example.com" if sold.number % 3 == 0 else None
    number = f"BL-{_letters(sold.number)}"
    _put(
        Order, id=order_id, number=number, token=f"{sold.number:032d}", status=status, channel="web",
        payment="vietqr" if ahead else "cod", payment_state=PaymentState.PAID if paid else PaymentState.DUE,
        total=sold.total, paid=sold.total if paid else 0, buyer_name="Nguyễn Thị Thử",
        buyer_phone=f"+849{sold.number:08d}", buyer_email=mail, buyer_address="Số 1", buyer_ward="Ba Đình",
        buyer_province="Hà Nội", created_at=at, updated_at=at, cooperative_id=cooperative_id,
    )  # fmt: skip
    for position, (product, parts) in enumerate(sold.lines):
        line_id = _id(2 + position, sold.number, at)
        _put(
            OrderLine, id=line_id, order_id=order_id, position=position, product_id=product.id, gtin=product.gtin,
            name_vi=product.name_vi, name_en=product.name_en, picture="pack", unit_price=PRICE,
            quantity=sum(units for _lot, units in parts),
        )  # fmt: skip
        for lot, units in parts if status is not Status.CANCELLED else ():
            _put(
                Allocation, order_line_id=line_id, batch_id=lot.id, lot=lot.code, units=units,
                sent=units if sent else 0,
            )  # fmt: skip
    for position, (what, who) in enumerate(_timeline(status, ahead)):
        step_at = at + dt.timedelta(seconds=position)
        _put(
            OrderStep, order_id=order_id, position=position, what=what, at=step_at, recorded_at=step_at,
            member_id=member if who else None,
        )  # fmt: skip
    if paid:
        _put(
            Payment, id=_id(5, sold.number, at), order_id=order_id, attempt=1, method="vietqr" if ahead else "cod",
            amount=sold.total, received=sold.total, state=Standing.SUCCEEDED, settled_at=at,
            memo=memos.memo_of(sold.number) if ahead else None, created_at=at,
        )  # fmt: skip
    if sent:
        _put_parcel(sold, order_id, member)
    if mail:
        _put(
            Message, id=_id(6, sold.number, at), cooperative_id=cooperative_id, channel=Channel.MAIL, recipient=mail,
            subject=f"Đơn {number}", body="Đã nhận đơn.", about_kind="order", about_id=order_id,
            key=f"order:{order_id}:0", state=MessageState.SENT, next_at=at, made_at=at, ended_at=at,
        )  # fmt: skip
    _put(
        IdempotencyKey, scope="orders", key=f"k{sold.number:040d}", digest=f"{sold.number:064d}", status=201,
        answer={"number": number, "lines": [{"quantity": 1, "lots": [{"lot": "M", "quantity": 1}]}]}, created_at=at,
    )  # fmt: skip


def _put_parcel(sold: _Sold, order_id: str, member: str) -> None:
    at, done = sold.at, sold.status is Status.DELIVERED
    parcel = _id(7, sold.number, at)
    state = DeliveryState.DELIVERED if done else DeliveryState.CREATED
    _put(
        Shipment, id=parcel, order_id=order_id, number=1, carrier="hand", state=state, created_at=at, updated_at=at,
        dispatched_at=at, delivered_at=at if done else None,
    )  # fmt: skip
    for position, (_product, parts) in enumerate(sold.lines):
        for lot, units in parts:
            line_id = _id(2 + position, sold.number, at)
            _put(
                ShipmentPart, shipment_id=parcel, order_line_id=line_id, batch_id=lot.id, lot=lot.code, units=units
            )
    for position, step in enumerate((DeliveryState.CREATED, state)[: 1 + done]):
        _put(
            ShipmentStep, shipment_id=parcel, position=position, state=step, at=at, source="seller", member_id=member
        )


def _timeline(status: Status, ahead: bool) -> list[tuple[str, bool]]:
    """Steps, and whether the seller took them."""
    if status is Status.CANCELLED:
        return [("placed", False), ("cancelled", False)]
    path = (Status.PLACED, Status.CONFIRMED, Status.PICKED, Status.DISPATCHED, Status.DELIVERED)
    steps = [(one.value, one is not Status.PLACED) for one in path[: path.index(status) + 1]]
    return [steps[0], ("paid", False), *steps[1:]] if ahead else steps


def _put(model: Any, **values: Any) -> None:
    """One whole row, which goes in together with its like; what is not told is as a new row has it."""
    table = _table(model)
    if unknown := values.keys() - table.c.keys():
        raise TypeError(f"{table.name} has no {unknown}")
    insert_later(db.session(), table, [{**_blank(table), **values}])


def _table(model: Any) -> Table:
    return cast(Table, model.__table__)


_blanks: dict[Table, dict[str, Any]] = {}


def _blank(table: Table) -> dict[str, Any]:
    if table not in _blanks:
        _blanks[table] = {
            column.key: column.default.arg if isinstance(column.default, ScalarElementColumnDefault) else None
            for column in table.c
        }
    return _blanks[table]


def _letters(number: int) -> str:
    """Six letters and digits, as an order's number has them."""
    told = ""
    for _ in range(6):
        number, rest = divmod(number, len(READABLE))
        told = READABLE[rest] + told
    return told


def _id(kind: int, number: int, at: dt.datetime) -> str:
    """As a UUID of version 7 looks that was made then."""
    told = f"{int(at.timestamp() * 1000):012x}"
    return f"{told[:8]}-{told[8:]}-7{kind:03x}-8000-{number:012x}"
