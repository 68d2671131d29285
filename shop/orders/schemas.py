"""Orders for programs, as design.md has them."""

from typing import Any

from marshmallow import Schema, fields

from shop.orders.errors import too_many_lines
from shop.orders.models import LINES_MAX
from village.web.lists import ShortList


class WholeNumber(fields.Integer):
    """A JSON number without a fraction: no text, no true or false."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return value


class LineSchema(Schema):
    """So many packs of a product."""

    gtin = fields.String(required=True, metadata={"description": "8, 12, 13 or 14 digits"})
    quantity = WholeNumber(required=True, metadata={"description": "packs, 1 to 99"})


class BuyerSchema(Schema):
    """Who gets it."""

    name = fields.String(required=True)
    phone = fields.String(required=True, metadata={"description": "as people write it, or E.164"})
    address = fields.String(required=True)


class OrderSchema(Schema):
    """An order to place."""

    lines = ShortList(fields.Nested(LineSchema), most=LINES_MAX, refuse=too_many_lines, required=True)
    buyer = fields.Nested(BuyerSchema, required=True)
    payment = fields.String(load_default="cod", metadata={"description": "cod, vietqr or stripe"})
    note = fields.String(load_default="")


class LotSchema(Schema):
    """Packs of one lot."""

    lot = fields.String()
    quantity = fields.Integer()


class PlacedLineSchema(Schema):
    """A line with the lots that fill it."""

    gtin = fields.String()
    quantity = fields.Integer()
    lots = fields.List(fields.Nested(LotSchema))


class PaySchema(Schema):
    """How it is paid."""

    method = fields.String()
    amount = fields.Integer(metadata={"description": "đồng"})


class PlacedSchema(Schema):
    """An order as it stands. `total` in đồng; `token` opens /orders/<token>."""

    number = fields.String()
    token = fields.String()
    status = fields.String()
    total = fields.Integer()
    lines = fields.List(fields.Nested(PlacedLineSchema))
    pay = fields.Nested(PaySchema)
