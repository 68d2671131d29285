"""`/photos/<sha256>`: the picture as it was sent, or smaller with `?w=480` or `?w=1200`."""

from flask import Blueprint, Response, request, send_file
from flask.typing import ResponseReturnValue

from trace.photos import pixels
from trace.photos.bare import JPEG, WEBP, Refused
from trace.photos.services import no_photo, photo_for, store
from trace.photos.store import HASH
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.people.access import actor
from village.web.assets import YEAR

pages = Blueprint("photos", __name__, template_folder="templates")
WIDTHS = (480, 1200)
POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""Should a picture be something else to some browser after all, it may do nothing."""


@pages.get("/photos/<sha256>")
def photo(sha256: str) -> ResponseReturnValue:
    """The picture. Its bytes never change, so whoever may see it may keep it."""
    if not HASH.fullmatch(sha256):
        raise no_photo()
    width = _width(request.args.get("w"))
    found, public = photo_for(actor(), sha256)
    if width is None:
        response = send_file(store().path(sha256), found.mime, conditional=True, etag=sha256)
    else:
        response = _small(sha256, found.mime, width)
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if public else "private, no-cache"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Content-Disposition"] = "inline"
    return response


def _small(sha256: str, mime: str, width: int) -> Response:
    wanted = WEBP if request.accept_mimetypes.provided and "image/webp" in request.headers["Accept"] else JPEG
    suffix = wanted.removeprefix("image/")
    try:
        path = store().made(sha256, width, suffix, lambda data: pixels.small(data, mime, width, wanted))
    except Refused as error:
        raise no_photo() from error
    response = send_file(path, wanted, conditional=True, etag=f"{sha256}-{width}-{suffix}")
    response.vary.add("Accept")
    return response


def _width(text: str | None) -> int | None:
    if text is None:
        return None
    if text not in map(str, WIDTHS):
        raise BadInput("no-such-width", _l("Ảnh chỉ có cỡ rộng 480 hoặc 1200 điểm."), field="w")
    return int(text)
