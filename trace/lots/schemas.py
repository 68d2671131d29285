"""The JSON of a batch and of the graph that it stands in."""

from marshmallow import Schema, fields, validate

from trace.lots.services import DIRECTIONS


class OriginSchema(Schema):
    """One source of a batch: whose harvest, as far as they agreed to be named, or a region outside of the village."""

    name = fields.String()
    percent = fields.Integer(metadata={"description": "whole per cent; all of a batch's sum to 100"})
    outside = fields.Boolean(metadata={"description": "true for what was bought from outside of the village"})


class BatchDetailSchema(Schema):
    """One batch. Weights in grams; `units` are packs, null for what is weighed. What is left, for its own people."""

    id = fields.String()
    gtin = fields.String()
    lot = fields.String()
    epc = fields.String(metadata={"description": "canonical GS1 Digital Link"})
    product = fields.String()
    process = fields.String()
    material = fields.String()
    grams = fields.Integer()
    units = fields.Integer(allow_none=True)
    left_grams = fields.Integer()
    left_units = fields.Integer(allow_none=True)
    made_at = fields.AwareDateTime()
    best_before = fields.Date(allow_none=True)
    hold = fields.String()
    void = fields.Boolean()
    outside = fields.String(allow_none=True, metadata={"description": "where it was bought; null for our own"})
    origins = fields.List(fields.Nested(OriginSchema), metadata={"description": "where it began, the largest first"})
    scan_url = fields.String()


class GraphArguments(Schema):
    """Which way to walk: `up` to what it was made of, `down` to what was made of it."""

    direction = fields.String(load_default="both", validate=validate.OneOf(DIRECTIONS))


class GraphNodeSchema(Schema):
    """A batch in the graph."""

    id = fields.String()
    gtin = fields.String()
    lot = fields.String()
    product = fields.String()
    grams = fields.Integer()
    units = fields.Integer(allow_none=True)
    hold = fields.String()


class GraphEdgeSchema(Schema):
    """So many grams of batch `from` went into batch `to`, in `event`."""

    source = fields.String(data_key="from")
    target = fields.String(data_key="to")
    grams = fields.Integer()
    event = fields.String()


class GraphSchema(Schema):
    """A batch's family."""

    nodes = fields.List(fields.Nested(GraphNodeSchema))
    edges = fields.List(fields.Nested(GraphEdgeSchema))
