"""`/api/photos`: one request for who has a network, piece by piece for who has one now and then."""

import base64
import binascii
import datetime as dt
import re
from typing import Any

from flask import Response, current_app, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from batches.evidence import services, uploads
from batches.evidence.errors import too_big
from batches.evidence.uploads import Piece, WrongOffset
from trace.photos.exif import NOTHING, Told, place, sensible
from village import clock
from village.errors import BadInput, SoiError
from village.i18n import lazy_gettext as _l
from village.people.access import requires, signed_in
from village.people.models import Role
from village.web.bodies import up_to
from village.web.problems import problem

photos = Blueprint(
    "photo_uploads", __name__, url_prefix="/api/photos", description="Photos of the work, known by their SHA-256."
)
PIECES = "application/offset+octet-stream"
_NUMBER = re.compile(r"[0-9]{1,12}", re.ASCII)


class PhotoSchema(Schema):
    """A photo as it is kept."""

    sha256 = fields.String(metadata={"description": "of the file that is kept, by which events name it"})
    size = fields.Integer()
    width = fields.Integer()
    height = fields.Integer()
    mime = fields.String()
    taken_at = fields.AwareDateTime(format="iso", allow_none=True)
    lat = fields.Float(allow_none=True)
    lon = fields.Float(allow_none=True)
    url = fields.String()


@photos.route("")
class Photos(MethodView):
    """Photos as they come from a camera."""

    @up_to(services.largest_photo)
    @requires(Role.PRODUCER, Role.OFFICE)
    @photos.response(201, PhotoSchema)
    @photos.doc(security=[{"bearer": []}])
    def post(self) -> dict[str, Any]:
        """Keep one photo: the body is the file itself, or a form with the file `photo`.

        Everything but the picture is taken out (Exif, comments, thumbnails, videos); `sha256` names what is left.
        When and where it was taken is kept beside it only with `consent=1`.
        """
        consent = (request.args.get("consent") or request.form.get("consent")) == "1"
        kept = services.take_photo(signed_in(), _sent(), consent=consent)
        shown = {name: getattr(kept, name) for name in PhotoSchema().fields if name != "url"}
        return {**shown, "url": f"{current_app.extensions['soi'].public_url}/photos/{kept.sha256}"}


@photos.route("/<sha256>")
class OneUpload(MethodView):
    """A photo on its way, by the SHA-256 of its bytes (the header names are those of tus.io 1.0)."""

    @requires(Role.PRODUCER, Role.OFFICE)
    @photos.doc(security=[{"bearer": []}])
    def head(self, sha256: str) -> Response:
        """How much of it has arrived: `Upload-Offset`, and `Upload-Length` once it is whole."""
        arrived, length = uploads.progress(signed_in(), sha256)
        response = _at(arrived, 200)
        if length is not None:
            response.headers["Upload-Length"] = str(length)
        return response

    @up_to(services.largest_photo)
    @requires(Role.PRODUCER, Role.OFFICE)
    @photos.doc(security=[{"bearer": []}])
    def patch(self, sha256: str) -> Response:
        """Add a piece that begins at `Upload-Offset`. 409 tells the true offset.

        The whole must be a clean JPEG, PNG or WebP: 422 otherwise, and its bytes are dropped.
        """
        if request.mimetype != PIECES:
            raise BadInput("bad-upload", _l("Ảnh gửi từng phần cần kiểu %(kind)s."), field="Content-Type", kind=PIECES)
        piece = Piece(
            sha256, _header("Upload-Offset"), _header("Upload-Length"), request.content_length,
            _said(request.headers.get("Upload-Metadata", "")),
        )  # fmt: skip
        try:
            return _at(uploads.receive(signed_in(), piece, request.stream.read), 204)
        except WrongOffset as error:
            response = problem(error.slug, str(error.title), error.status, str(error), {"offset": error.offset})
            response.headers["Upload-Offset"] = str(error.offset)
            return response


def _at(offset: int, status: int) -> Response:
    return Response(status=status, headers={"Upload-Offset": str(offset), "Cache-Control": "no-store"})


def _header(name: str) -> int:
    text = request.headers.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise BadInput("bad-upload", _l("Thiếu %(name)s, hoặc không phải số."), field=name, name=name)
    return int(text)


def _sent() -> bytes:
    most = current_app.extensions["soi"].max_photo
    if request.mimetype == "multipart/form-data":
        file = request.files.get("photo")
        data = file.stream.read(most + 1) if file else b""
    else:
        data = request.get_data(cache=False)
    if not data:
        raise BadInput("no-file", _l("Chưa có ảnh nào trong yêu cầu."), field="photo")
    if len(data) > most:
        raise too_big(most, "photo")
    return data


def _said(header: str) -> Told:
    """`taken_at <base64>,lat <base64>,lon <base64>`: what the phone's owner agreed to tell."""
    if not header:
        return NOTHING
    told: dict[str, str] = {}
    try:
        for pair in header.split(","):
            name, _, value = pair.strip().partition(" ")
            told[name] = base64.b64decode(value, validate=True).decode("ascii")
        taken = dt.datetime.fromisoformat(told["taken_at"]) if "taken_at" in told else None
        lat, lon = (float(told[name]) if name in told else None for name in ("lat", "lon"))
    except (ValueError, binascii.Error) as error:
        raise _unclear() from error
    if taken is not None and taken.tzinfo is None:
        raise _unclear()
    return Told(sensible(taken, clock.now()), *place(lat, lon))


def _unclear() -> SoiError:
    return BadInput("bad-metadata", _l("Upload-Metadata không đọc được."), field="Upload-Metadata")
