"""Pictures for tests: honest ones, and files that only look like it."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

from trace.photos.bare import SIGNATURE


def picture(width: int = 64, height: int = 48, kind: str = "JPEG", colour: int = 90, **more: Any) -> bytes:
    """A small clean picture; `colour` makes it another one."""
    out = BytesIO()
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB").point(lambda v: (v + colour) % 256)
    image.save(out, kind, **more)
    return out.getvalue()


def told(kind: str = "JPEG", orientation: int = 1, **more: Any) -> bytes:
    """A picture whose Exif says when and where it was taken, and who made the camera."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Hang May Anh"
    exif.get_ifd(0x8769)[0x9003] = "2026:11:20 06:30:00"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (22.0, 21.0, 30.0), "E", (103.0, 35.0, 0.0)
    return picture(kind=kind, exif=exif, **more)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that unfolds to so many pixels."""
    packing = zlib.compressobj(9)
    row = b"\0" * (width // 8 + 1)
    data = b"".join(packing.compress(row) for _ in range(height)) + packing.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def segment(marker: int, data: bytes) -> bytes:
    """A segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_segment(jpeg: bytes, marker: int, data: bytes) -> bytes:
    """The JPEG with one more segment at its front."""
    return jpeg[:2] + segment(marker, data) + jpeg[2:]
