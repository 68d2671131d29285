"""`/api/devices`: a phone asks that its key be known, and learns what became of it."""

from typing import Any

from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from batches.devices import services, shown
from trace.ledger import store
from village.people.access import requires, signed_in
from village.people.models import Role

devices = Blueprint("devices", __name__, url_prefix="/api", description="Keys of members' phones.")


class AskSchema(Schema):
    """A key that asks to be known."""

    jwk = fields.Dict(
        keys=fields.String(validate=validate.Length(max=10)),
        values=fields.String(validate=validate.Length(max=60)),
        required=True,
        validate=validate.Length(max=4),
        metadata={"description": "the public key, required members only: Ed25519 or P-256"},
    )
    proof = fields.String(
        required=True,
        validate=validate.Length(max=100),
        metadata={"description": "base64 of the key's own signature over its enrolment (docs/formats.md)"},
    )
    label = fields.String(
        required=True, validate=validate.Length(max=200), metadata={"description": "what its owner calls the phone"}
    )


class DeviceAnswerSchema(Schema):
    """A phone's key."""

    key = fields.String(metadata={"description": "JWK thumbprint (RFC 7638)"})
    fingerprint = fields.String(metadata={"description": "twelve digits that the phone and the office compare"})
    label = fields.String()
    status = fields.String(metadata={"description": "pending, expired, enrolled, refused, revoked, lost"})
    last = fields.Integer(metadata={"description": "the highest number used; 0 before the first"})
    missing = fields.Integer(metadata={"description": "how many numbers below it never came"})
    repeats = fields.Integer(metadata={"description": "how often a number came again for something else"})


class DevicesSchema(Schema):
    """A member's own phones."""

    log = fields.String(metadata={"description": "the log's origin, which every signature names"})
    devices = fields.List(fields.Nested(DeviceAnswerSchema))


@devices.route("/devices")
class Devices(MethodView):
    """The phones of the signed-in member."""

    @requires(Role.PRODUCER, Role.OFFICE)
    @devices.response(200, DevicesSchema)
    @devices.doc(security=[{"bearer": []}])
    def get(self) -> dict[str, Any]:
        """My phones' keys and their numbers, newest first."""
        mine = shown.shown(services.devices_of(signed_in()))
        return {"log": store.ensure_born().origin, "devices": [_answer(one) for one in mine]}

    @requires(Role.PRODUCER, Role.OFFICE)
    @devices.arguments(AskSchema())
    @devices.response(201, DeviceAnswerSchema)
    @devices.doc(security=[{"bearer": []}])
    def post(self, data: dict[str, Any]) -> dict[str, Any]:
        """Ask that a key may sign for me. The cooperative's office decides; asked again, it is the same request."""
        device = services.ask(signed_in(), data["jwk"], data["proof"], data["label"])
        (one,) = shown.shown([device])
        return _answer(one)


def _answer(one: shown.Shown) -> dict[str, Any]:
    return {
        "key": one.device.key,
        "fingerprint": one.fingerprint,
        "label": one.device.label,
        "status": one.state,
        "last": one.numbers.last,
        "missing": one.numbers.missing,
        "repeats": one.device.repeats,
    }
