"""The JSON of a recall, as design.md has it."""

from marshmallow import Schema, fields


class RecallSchema(Schema):
    """A recall to begin."""

    batches = fields.List(
        fields.Raw(), required=True,
        metadata={"description": "ids of your own batches; all that came of them is taken in", "items": {
            "type": "string", "format": "uuid"}},
    )  # fmt: skip
    reason = fields.String(required=True, metadata={"description": "what buyers are told, at most 200 characters"})
    drill = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class RecalledLotSchema(Schema):
    """A lot that it took in. `packed` and `in_stock` are packs, null for what is weighed."""

    id = fields.String()
    gtin = fields.String()
    lot = fields.String()
    product = fields.String()
    packed = fields.Integer(allow_none=True)
    in_stock = fields.Integer(allow_none=True)


class UnitsSchema(Schema):
    """Packs. `packed` = `in_stock` + `sold`; `shipping` are those of the sold that are on their way."""

    packed = fields.Integer()
    in_stock = fields.Integer()
    sold = fields.Integer()
    shipping = fields.Integer()


class OrderPartSchema(Schema):
    """Packs of one lot."""

    lot = fields.String()
    quantity = fields.Integer()


class RecalledOrderSchema(Schema):
    """An order with such packs: `stopped` before it was sent, `shipping`, or `delivered`."""

    number = fields.String()
    status = fields.String()
    units = fields.Integer()
    lots = fields.List(fields.Nested(OrderPartSchema))


class RecallAnswerSchema(Schema):
    """What it took in and whom it reached. A drill notifies nobody: `buyers` says how many it would be."""

    id = fields.String()
    drill = fields.Boolean()
    lots = fields.List(fields.Nested(RecalledLotSchema))
    units = fields.Nested(UnitsSchema)
    orders = fields.List(fields.Nested(RecalledOrderSchema))
    buyers = fields.Integer()
    buyers_notified = fields.Integer()
    elapsed_ms = fields.Integer()
