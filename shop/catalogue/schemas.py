"""The list of products for programs, as design.md has it."""

from marshmallow import Schema, fields


class ProductSchema(Schema):
    """One product on the shelf. `price` in đồng, `available` in packs."""

    gtin = fields.String()
    name = fields.String()
    price = fields.Integer()
    available = fields.Integer()


class ProductsSchema(Schema):
    """All that is sold."""

    products = fields.List(fields.Nested(ProductSchema))
