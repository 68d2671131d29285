"""Pictures as pixels: decoded once to see that they are what they say, turned upright, made small.

One at a time in each process: a picture of fifty million pixels takes a few hundred megabytes while it is open.
"""

import threading
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from trace.photos.bare import JPEG, PNG, WEBP, Bare, Refused, bare
from trace.photos.exif import ORIENTATION, orientation

MOST_PIXELS = 50_000_000
LONGEST_SIDE = 12_000
QUALITY, SMALL_QUALITY = 92, 80
_FORMATS = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}
_turn = threading.Lock()


@dataclass(frozen=True)
class Picture:
    """A clean file that decodes to the end."""

    body: bytes
    mime: str
    width: int
    height: int


def read(data: bytes) -> Picture:
    """A clean picture as it is. Raises Refused for what is none, and `photo-not-clean` for one that holds more."""
    found = bare(data)
    if found.body != data:
        raise Refused("photo-not-clean")
    return _decoded(found)


def cleaned(data: bytes) -> tuple[Picture, bytes | None]:
    """The picture without anything else, and its Exif. No pixel changes, unless it has to be turned upright: what
    says so goes with the Exif. Raises Refused."""
    found = bare(data)
    picture = _decoded(found)
    turned = orientation(found.exif)
    return (_upright(picture, turned) if turned != 1 else picture), found.exif


def small(data: bytes, mime: str, width: int, wanted: str) -> bytes:
    """The picture at most `width` wide, as WebP or JPEG. Raises Refused where the file cannot be read any more."""
    with _turn, _opened(data, mime) as image:
        image.draft("RGB", (width, width * image.height // image.width or 1))
        image.thumbnail((width, LONGEST_SIDE))
        flat = image.convert("RGBA" if image.has_transparency_data else "RGB")
        if wanted == JPEG and flat.mode == "RGBA":
            ground = Image.new("RGB", flat.size, "white")
            ground.paste(flat, mask=flat.getchannel("A"))
            flat = ground
        out = BytesIO()
        flat.save(out, _FORMATS[wanted], quality=SMALL_QUALITY)
        return out.getvalue()


def _decoded(found: Bare) -> Picture:
    with _turn, _opened(found.body, found.mime) as image:
        width, height = image.size
        # All of the file is read, yet a JPEG's pixels only as an eighth of them: that is enough to see it whole.
        image.draft("RGB", (width // 8 or 1, height // 8 or 1))
        try:
            image.load()
        except Exception as error:  # decoders have errors of every kind
            raise Refused("photo-cut-short") from error
    return Picture(found.body, found.mime, width, height)


def _opened(data: bytes, mime: str) -> Image.Image:
    try:
        image = Image.open(BytesIO(data), formats=(_FORMATS[mime],))
    except Image.DecompressionBombError as error:
        raise Refused("photo-too-many-pixels") from error
    except Exception as error:  # as above
        raise Refused("not-a-picture") from error
    if image.width * image.height > MOST_PIXELS or max(image.size) > LONGEST_SIDE:
        raise Refused("photo-too-many-pixels")
    return image


def _upright(picture: Picture, turned: int) -> Picture:
    with _turn, _opened(picture.body, picture.mime) as image:
        image.getexif()[ORIENTATION] = turned
        upright = ImageOps.exif_transpose(image)
        out = BytesIO()
        upright.save(out, _FORMATS[picture.mime], quality=QUALITY, exif=b"", icc_profile=None)
    found = bare(out.getvalue())
    return Picture(found.body, found.mime, upright.width, upright.height)
