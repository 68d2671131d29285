"""`/api/field`: what a phone takes along, and what it tells of itself."""

import gzip
import json
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from batches.field import refused, stuck
from batches.field.pack import pack_for
from batches.stages.schemas import WholeNumber
from village.db import db
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.people.access import requires, signed_in
from village.people.models import Role

field_api = Blueprint("field_api", __name__, url_prefix="/api/field", description="The field app's own data.")
SIZE = "Soi-Log-Size"
"""The log's size when the pack was read: told with every answer, since a pack may stay the same while the log grows."""
SMALL = 1400


class HeardSchema(Schema):
    """How much a phone still keeps."""

    key = fields.String(required=True, validate=validate.Length(max=43), metadata={"description": "its key"})
    waiting = WholeNumber(required=True, validate=validate.Range(min=0, max=10**6))
    oldest = fields.AwareDateTime(
        allow_none=True, load_default=None, metadata={"description": "when the oldest of them was made"}
    )


class DropSchema(Schema):
    """A refused record that its producer gives up."""

    id = fields.String(required=True, validate=validate.Length(max=36))
    why = fields.String(load_default="", validate=validate.Length(max=refused.WHY))


@field_api.route("")
class Field(MethodView):
    """A member's pack."""

    @requires(Role.PRODUCER, Role.OFFICE)
    @field_api.response(200)
    @field_api.doc(security=[{"bearer": []}])
    def get(self) -> ResponseReturnValue:
        """Everything that my phone needs with no network: processes, products, sites, open batches, my phones' keys."""
        pack = pack_for(db.session(), signed_in())
        response = Response(status=304)
        if not request.if_none_match.contains_weak(pack.etag):
            text = json.dumps({**pack.body, "now": pack.now.isoformat()}, ensure_ascii=False, separators=(",", ":"))
            response = _zipped(text.encode())
        response.set_etag(pack.etag, weak=True)
        response.headers[SIZE] = str(pack.size)
        response.headers["Cache-Control"] = "private, no-cache"
        return response


@field_api.route("/heard")
class Heard(MethodView):
    """A phone's word."""

    @requires(Role.PRODUCER, Role.OFFICE)
    @field_api.arguments(HeardSchema())
    @field_api.response(204)
    @field_api.doc(security=[{"bearer": []}])
    def post(self, data: dict[str, Any]) -> None:
        """Tell how many records this phone still keeps, so that the office hears of one that falls silent."""
        stuck.hear(signed_in(), data["key"], data["waiting"], data["oldest"])


@field_api.route("/drops")
class Drops(MethodView):
    """Refused records that were given up."""

    @requires(Role.PRODUCER, Role.OFFICE)
    @field_api.arguments(DropSchema())
    @field_api.response(204)
    @field_api.doc(security=[{"bearer": []}])
    def post(self, data: dict[str, Any]) -> None:
        """Give up a record of mine that was refused. One that stands on the ledger gives 409: correct it there."""
        if not is_uuid(data["id"]):
            raise BadInput("bad-id", _l("Mã của lần ghi phải là một UUID viết thường."), field="id")
        refused.drop(signed_in(), data["id"], data["why"])


def _zipped(body: bytes) -> Response:
    response = Response(body, mimetype="application/json")
    if len(body) > SMALL and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.set_data(gzip.compress(body, 6))
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response
