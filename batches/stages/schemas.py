"""The JSON of `POST /api/events` and its neighbours."""

from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from batches.devices.signing import salt_of
from batches.stages.wanted import FACT_LENGTH, FACTS, NOTE_LENGTH, Make, Measure, Signed, Take, Wanted
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.text import clean_line, clean_text
from village.web.lists import ShortList

MOST_PARTS = 100
MOST_GRAMS = 10**12
MOST_DONG = 10**12

_grams = validate.Range(min=1, max=MOST_GRAMS)
_units = validate.Range(min=1, max=10**7)
_dong = validate.Range(min=0, max=MOST_DONG)
_hash = validate.Regexp(r"\A[0-9a-f]{64}\Z", error="A photo is named by its SHA-256 in lower-case hex.")


class WholeNumber(fields.Integer):
    """An integer that arrived as one: no text, no true or false, no fraction."""

    def __init__(self, **more: Any) -> None:
        super().__init__(strict=True, **more)

    def _validated(self, value: Any) -> Any:
        if isinstance(value, (bool, str)):
            raise ValidationError("Not a whole number.")
        return super()._validated(value)


class TakeSchema(Schema):
    """So much of a batch that goes in."""

    batch = fields.String(
        required=True,
        validate=validate.Length(max=200),
        metadata={"description": "batch id, or its canonical Digital Link; with `device` the latter"},
    )
    grams = WholeNumber(allow_none=True, load_default=None, validate=_grams)
    units = WholeNumber(allow_none=True, load_default=None, validate=_units)

    @post_load
    def _made(self, data: dict[str, Any], **_more: Any) -> Take:
        return Take(**data)


class MakeSchema(Schema):
    """So much of a product that came out."""

    product = fields.String(
        required=True, metadata={"description": "product id, or its GTIN of 14 digits; with `device` the latter"}
    )
    lot = fields.String(allow_none=True, load_default=None, validate=validate.Length(max=40))
    grams = WholeNumber(allow_none=True, load_default=None, validate=_grams)
    units = WholeNumber(allow_none=True, load_default=None, validate=_units)

    @post_load
    def _made(self, data: dict[str, Any], **_more: Any) -> Make:
        return Make(**data)


class MeasureSchema(Schema):
    """One reading."""

    type = fields.String(required=True, validate=validate.Length(min=1, max=40))
    value = fields.Decimal(required=True, as_string=False, validate=validate.Range(min=-(10**6), max=10**6))
    unit = fields.String(required=True, validate=validate.Regexp(r"\A[A-Z0-9]{2,3}\Z"))

    @post_load
    def _made(self, data: dict[str, Any], **_more: Any) -> Measure:
        value: Decimal = data["value"]
        return Measure(data["type"], value.quantize(Decimal("0.001")).normalize(), data["unit"])


class DeviceSchema(Schema):
    """A phone's signature over the body without `device` and `note` (docs/formats.md, "What a phone signs")."""

    key = fields.String(
        required=True, validate=validate.Length(max=100), metadata={"description": "JWK thumbprint (RFC 7638)"}
    )
    seq = WholeNumber(required=True, metadata={"description": "this phone's number, from 1"})
    signature = fields.String(
        required=True, validate=validate.Length(max=200), metadata={"description": "base64 of 64 bytes"}
    )
    salt = fields.String(
        allow_none=True,
        load_default=None,
        validate=validate.Length(max=100),
        metadata={"description": "with a note: base64 of the 32 bytes that salt its commitment"},
    )

    @post_load
    def _made(self, data: dict[str, Any], **_more: Any) -> Signed:
        return Signed(data["key"], data["seq"], data["signature"], {}, salt_of(data["salt"]))


def _facts_field(**more: Any) -> fields.Dict:
    """What this kind of stage says besides: `origin` of a purchase, `reason` of a loss, `sscc` of a case."""
    return fields.Dict(
        keys=fields.String(validate=validate.OneOf(FACTS)),
        values=fields.String(validate=validate.Length(min=1, max=200)),
        metadata={
            "description": "`origin`: where a purchase comes from (no person); `reason`: a loss's, as its stage lists"
            " them; `sscc`: a case's number. With the number of a case, `inputs` may be left out"
        },
        **more,
    )


class EventSchema(Schema):
    """One stage of a batch, as it happened."""

    id = fields.String(required=True, metadata={"description": "UUID (version 7) made by the client"})
    process = fields.String(required=True, validate=validate.Length(max=40))
    stage = fields.String(required=True, validate=validate.Length(max=40))
    occurred_at = fields.AwareDateTime(required=True, format="iso")
    site = fields.String(
        required=True, metadata={"description": "site id, or its GLN; with `device` the latter"}
    )
    inputs = ShortList(fields.Nested(TakeSchema), most=MOST_PARTS, load_default=list)
    outputs = ShortList(fields.Nested(MakeSchema), most=MOST_PARTS, load_default=list)
    readings = ShortList(fields.Nested(MeasureSchema), most=50, load_default=list)
    photos = ShortList(fields.String(validate=_hash), most=20, load_default=list)
    note = fields.String(load_default="", validate=validate.Length(max=NOTE_LENGTH))
    passed = fields.Boolean(
        allow_none=True, load_default=None, metadata={"description": "an inspection's outcome; true unless said"}
    )
    facts = _facts_field(load_default=dict)
    value_dong = WholeNumber(
        allow_none=True,
        load_default=None,
        validate=_dong,
        metadata={"description": "what it cost or brought in, in đồng; not signed and never on the ledger"},
    )
    household = fields.String(
        allow_none=True, load_default=None, metadata={"description": "for the office: whose work it was"}
    )
    device = fields.Nested(DeviceSchema, allow_none=True, load_default=None)

    @post_load
    def _made(self, data: dict[str, Any], **_more: Any) -> Wanted:
        return wanted_of(data)


def wanted_of(data: dict[str, Any]) -> Wanted:
    """The frozen value of loaded data."""
    if not is_uuid(data["id"]):
        raise BadInput("bad-id", _l("Mã của lần ghi phải là một UUID viết thường."), field="id")
    for name in ("inputs", "outputs", "readings", "photos"):
        data[name] = tuple(data[name])
    data["note"] = clean_text(data["note"], "note", NOTE_LENGTH)
    data["facts"] = tidy_facts(data.get("facts", {}))
    return Wanted(**data)


def tidy_facts(facts: dict[str, str]) -> dict[str, str]:
    """Facts in the spelling in which they are kept, or BadInput."""
    return {name: clean_line(text, f"facts.{name}", FACT_LENGTH) for name, text in facts.items()}


class EntrySchema(Schema):
    """Where the event stands on the ledger."""

    index = fields.Integer()
    leaf_hash = fields.String()
    receipt = fields.String()


class BatchSchema(Schema):
    """A batch that came out."""

    id = fields.String()
    gtin = fields.String()
    lot = fields.String()
    grams = fields.Integer()
    units = fields.Integer(allow_none=True)
    scan_url = fields.String()


class AnswerSchema(Schema):
    """What became of a recorded stage."""

    id = fields.String()
    entry = fields.Nested(EntrySchema)
    batches = fields.List(fields.Nested(BatchSchema))
    warnings = fields.List(fields.Dict())
    sscc = fields.String(allow_none=True, metadata={"description": "the case's number, where there is one"})


class CorrectionSchema(Schema):
    """Puts an event right. With `incorrect_data`, `event` tells it again with other figures for the same batches."""

    id = fields.String(required=True, metadata={"description": "UUID (version 7) made by the client"})
    reason = fields.String(required=True, validate=validate.OneOf(("incorrect_data", "did_not_occur")))
    note = fields.String(required=True, validate=validate.Length(min=1, max=NOTE_LENGTH))
    event = fields.Nested(lambda: ChangesSchema(partial=True), load_default=None)


class ChangesSchema(Schema):
    """What is to be told otherwise; what is left out stays as it was."""

    occurred_at = fields.AwareDateTime(format="iso")
    site = fields.String()
    inputs = ShortList(fields.Nested(TakeSchema), most=MOST_PARTS)
    outputs = ShortList(fields.Nested(MakeSchema), most=MOST_PARTS)
    readings = ShortList(fields.Nested(MeasureSchema), most=50)
    passed = fields.Boolean(allow_none=True)
    facts = _facts_field()
    value_dong = WholeNumber(allow_none=True, validate=_dong)
