"""`POST /api/sensors/readings`: what dryers and tanks say of themselves."""

from typing import Any

from flask import g, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields
from werkzeug.exceptions import UnsupportedMediaType

from batches.sensors import rows
from batches.sensors.intake import take_in, unreadable, with_sensor_key

sensors = Blueprint("sensor_readings", __name__, url_prefix="/api/sensors", description="Readings of sensors.")

ROW = {
    "type": "object",
    "required": ["at", "value"],
    "properties": {
        "sensor": {"type": "string", "description": "the sensor's id; may be left out with a sensor's own key"},
        "at": {"description": "ISO 8601 with an offset, or Unix seconds"},
        "value": {"type": "number"},
    },
}
BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"readings": {"type": "array", "maxItems": rows.MOST_ROWS, "items": ROW}},
            }
        },
        "application/x-ndjson": {"schema": {"type": "string"}},
        "text/csv": {"schema": {"type": "string"}},
    },
}


class ProblemSchema(Schema):
    """A row that was not kept."""

    index = fields.Integer(metadata={"description": "its place, from 0"})
    reason = fields.String(
        metadata={
            "description": "unknown-sensor, closed-sensor, bad-time, future-time, too-old, not-a-number, too-large, "
            "no-reading, cut-off (a last line without its end), another-value (the first value stays)"
        }
    )


class TakenSchema(Schema):
    """What became of the rows."""

    new = fields.Integer()
    known = fields.Integer()
    refused = fields.Integer()
    problems = fields.List(fields.Nested(ProblemSchema))


@sensors.route("/readings")
class Readings(MethodView):
    """The one way for readings to come in."""

    @with_sensor_key
    @sensors.response(200, TakenSchema)
    @sensors.doc(security=[{"bearer": []}], requestBody=BODY)
    def post(self) -> dict[str, Any]:
        """Send up to 10,000 readings with a sensor's or gateway's key.

        As JSON, NDJSON (a row a line) or CSV (`sensor,at,value`). Good rows are kept although others are refused; sent
        again they are known. A moment has one value: another one later is counted and told, never taken.
        """
        taken = take_in(g.sender, _rows())
        return {
            "new": taken.new,
            "known": taken.known,
            "refused": len(taken.problems),
            "problems": [{"index": place, "reason": reason} for place, reason in taken.problems],
        }


def _rows() -> Any:
    try:
        match request.mimetype:
            case "text/csv":
                return rows.of_csv(request.get_data())
            case "application/x-ndjson" | "application/jsonl":
                return rows.of_lines(request.get_data())
            case "application/json":
                return rows.of_json(request.get_json())
    except rows.Unreadable as error:
        raise unreadable(error) from error
    raise UnsupportedMediaType
