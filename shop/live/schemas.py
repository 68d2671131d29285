"""The livestream's JSON, as design.md has it."""

import re

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from shop.live.intake import COMMENTS_MAX
from shop.live.models import AUTHOR_MAX
from shop.live.planning import CODES_MAX
from village.i18n import gettext as _
from village.web.lists import ShortList

_KEEPABLE = re.compile("[^\x00-\x1f\x7f\ud800-\udfff]+")


def _identifier(text: str) -> None:
    if not _KEEPABLE.fullmatch(text):
        raise ValidationError(_("Có ký tự không dùng được."))


class LenientSchema(Schema):
    """What a platform adds of its own is left aside."""

    class Meta:
        unknown = EXCLUDE


class LiveCodeSchema(LenientSchema):
    """A code and what it sells. Without a price it is the product's own; without a limit there is none. `viewer_max`:
    packs of it for one viewer; `set_aside`: packs kept from the shelf while the livestream runs."""

    code = fields.String(required=True, validate=validate.Length(1, 80))
    gtin = fields.String(required=True, validate=validate.Regexp(r"^\d{8,14}$"))
    price = fields.Integer(strict=True, load_default=None, allow_none=True)
    limit = fields.Integer(strict=True, load_default=None, allow_none=True)
    viewer_max = fields.Integer(strict=True, load_default=None, allow_none=True)
    set_aside = fields.Integer(strict=True, load_default=0)


class LiveSessionSchema(LenientSchema):
    """A livestream to begin. `viewer_max`: packs for one viewer in the whole of it; `order_max`: packs in one order."""

    title = fields.String(required=True)
    platform = fields.String(load_default="other")
    codes = ShortList(fields.Nested(LiveCodeSchema), most=CODES_MAX, required=True)
    viewer_max = fields.Integer(strict=True, load_default=None, allow_none=True)
    order_max = fields.Integer(strict=True, load_default=None, allow_none=True)


class LiveSessionIdSchema(Schema):
    """The livestream that began."""

    id = fields.String()


class LiveAuthorSchema(LenientSchema):
    """Who wrote, as the platform knows her."""

    id = fields.String(required=True, validate=[validate.Length(1, AUTHOR_MAX), _identifier])
    name = fields.String(load_default="", allow_none=True)


class LiveCommentSchema(LenientSchema):
    """One comment. `at` is the platform's time with its zone."""

    id = fields.String(required=True, validate=[validate.Length(1, 200), _identifier])
    author = fields.Nested(LiveAuthorSchema, required=True)
    text = fields.String(required=True)
    at = fields.AwareDateTime(load_default=None, allow_none=True)


class LiveCommentsSchema(LenientSchema):
    """Comments in the order in which they came."""

    comments = ShortList(fields.Nested(LiveCommentSchema), most=COMMENTS_MAX, required=True)


class LiveLineSchema(Schema):
    """So many packs of a code, and the words that said so. `kept`: she had them before, kept for her until this."""

    code = fields.String()
    quantity = fields.Integer()
    because = fields.String()
    kept = fields.Boolean()


class LiveResultSchema(Schema):
    """What became of a comment. `waiting` are lines on the waitlist; `order` is a number, `token` opens its page."""

    id = fields.String()
    decision = fields.String()
    lines = fields.List(fields.Nested(LiveLineSchema))
    waiting = fields.List(fields.Nested(LiveLineSchema))
    phone = fields.String(allow_none=True)
    reason = fields.String()
    order = fields.String(allow_none=True)
    token = fields.String(allow_none=True)


class LiveResultsSchema(Schema):
    """In the order sent."""

    results = fields.List(fields.Nested(LiveResultSchema))
