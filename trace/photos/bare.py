"""A picture's file without anything but the picture: no Exif, XMP, IPTC, comments, thumbnails, videos or tails.

The file is taken apart piece by piece and put together from the pieces that a decoder needs, so that no pixel changes.
A file is clean when that leaves it as it is. Sources: ITU-T T.81 and JFIF 1.02, PNG (W3C, third edition), RFC 9649.
"""

import re
import struct
from dataclasses import dataclass

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_SCANS = 64
"""Passes over a progressive JPEG; each costs as much as decoding it whole, and cameras make about ten."""
MOST_EXIF = 1 << 16
LARGEST_PROFILE = 4096
"""Bytes; sRGB's own profiles have up to 3,144."""

_SCAN_ENDS = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_FRAMES = frozenset((0xC0, 0xC1, 0xC2))
_TABLES = frozenset((0xC4, 0xDB, 0xDD))
_PNG_KEPT = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sRGB", b"gAMA", b"cHRM", b"sBIT", b"pHYs"))
_APPLE = frozenset((b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"))
_ALPHA = 0x10


class Refused(Exception):
    """No picture that we take. `slug` is one of not-a-picture, photo-is-heic, photo-cut-short, photo-moves,
    photo-too-many-pixels."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


@dataclass(frozen=True)
class Bare:
    """A picture's file with nothing besides, and what was told in it: the bytes of its Exif, if any."""

    mime: str
    body: bytes
    exif: bytes | None = None


def bare(data: bytes) -> Bare:
    """The same picture without anything else. Raises Refused for what is no JPEG, PNG or still WebP, whatever its
    name says."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(SIGNATURE):
            return _png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (IndexError, struct.error) as error:
        raise Refused("photo-cut-short") from error
    if data[4:8] == b"ftyp" and data[8:12] in _APPLE:
        raise Refused("photo-is-heic")
    raise Refused("not-a-picture")


def _jpeg(data: bytes) -> Bare:
    kept = bytearray(b"\xff\xd8")
    at, scans, frames, headed, exif = 2, 0, 0, False, None
    while True:
        if data[at] != 0xFF:
            raise Refused("not-a-picture")
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker == 0xD9:
            if not scans:
                raise Refused("not-a-picture")
            return Bare(JPEG, bytes(kept + b"\xff\xd9"), exif)
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2 or at + length > len(data):
            raise Refused("photo-cut-short")
        told, at = data[at + 2 : at + length], at + length
        if marker in _FRAMES:
            frames += 1
        elif marker == 0xDA:
            scans += 1
        elif marker == 0xE0 and told.startswith(b"JFIF\0") and len(told) >= 14 and not headed:
            headed, told = True, told[:12] + b"\0\0"
        elif marker == 0xEE and told.startswith(b"Adobe") and len(told) >= 12:
            # Without it a decoder takes the colours for others.
            told = told[:12]
        elif marker == 0xE2 and told.startswith(b"ICC_PROFILE\0\x01\x01") and _is_srgb(told[14:]):
            pass
        elif 0xE0 <= marker <= 0xEF or marker == 0xFE:
            if marker == 0xE1 and told.startswith(b"Exif\0\0"):
                exif = exif or told[6:]
            continue
        elif marker not in _TABLES:
            raise Refused("not-a-picture")
        if frames > 1 or scans > MOST_SCANS:
            raise Refused("not-a-picture")
        kept += struct.pack(">BBH", 0xFF, marker, len(told) + 2) + told
        if marker == 0xDA:
            end = _SCAN_ENDS.search(data, at)
            if end is None:
                raise Refused("photo-cut-short")
            kept += data[at : end.start()]
            at = end.start()


def _png(data: bytes) -> Bare:
    kept, at, exif = bytearray(SIGNATURE), len(SIGNATURE), None
    while True:
        (length,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            raise Refused("photo-cut-short")
        if kind in _PNG_KEPT:
            kept += data[at:end]
        elif kind == b"eXIf" and length <= MOST_EXIF:
            exif = data[at + 8 : at + 8 + length]
        elif not kind.isalpha() or kind[:1].isupper():
            raise Refused("not-a-picture")
        if kind == b"IEND":
            return Bare(PNG, bytes(kept), exif)
        at = end


def _webp(data: bytes) -> Bare:
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise Refused("photo-cut-short")
    pieces, at, exif = bytearray(), 12, None
    while at < size + 8:
        kind = data[at : at + 4]
        (length,) = struct.unpack_from("<I", data, at + 4)
        told, at = data[at + 8 : at + 8 + length], at + 8 + length + length % 2
        if len(told) != length or at > size + 8:
            raise Refused("photo-cut-short")
        if kind in (b"ANIM", b"ANMF"):
            raise Refused("photo-moves")
        if kind == b"EXIF" and length <= MOST_EXIF:
            exif = told.removeprefix(b"Exif\0\0")
        if kind == b"VP8X":
            if len(told) != 10:
                raise Refused("not-a-picture")
            told = bytes((told[0] & _ALPHA, 0, 0, 0)) + told[4:]
        elif kind not in (b"VP8 ", b"VP8L", b"ALPH"):
            continue
        pieces += kind + struct.pack("<I", length) + told + b"\0" * (length % 2)
    return Bare(WEBP, b"RIFF" + struct.pack("<I", len(pieces) + 4) + b"WEBP" + bytes(pieces), exif)


def _is_srgb(profile: bytes) -> bool:
    """True for a small RGB profile that calls itself sRGB in its `desc` tag: it changes nothing, and tells nothing."""
    if not 132 <= len(profile) <= LARGEST_PROFILE or profile[36:40] != b"acsp" or profile[16:20] != b"RGB ":
        return False
    (tags,) = struct.unpack_from(">I", profile, 128)
    for number in range(min(tags, 40)):
        name, at, length = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        if name == b"desc":
            told = profile[at : at + length].replace(b"\0", b"")
            return b"sRGB" in told[:64]
    return False
