"""What a camera wrote into a picture about when and where: read once, where somebody agreed to it."""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

from PIL import Image

ORIENTATION = 0x0112
_DETAILS, _GPS = 0x8769, 0x8825
_TAKEN, _OFFSET = 0x9003, 0x9011
_FIRST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Told:
    """When and where a picture was taken, as far as it says so. Degrees, north and east positive."""

    taken_at: dt.datetime | None = None
    lat: float | None = None
    lon: float | None = None


NOTHING = Told()


def orientation(exif: bytes | None) -> int:
    """1 to 8, as Exif numbers them; 1 (upright) where nothing sensible is told."""
    found = _read(exif)[0].get(ORIENTATION)
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def told(exif: bytes | None, zone: dt.tzinfo, now: dt.datetime) -> Told:
    """When and where. A time without an offset is one of `zone`; what cannot be, is left out."""
    _, details, gps = _read(exif)
    lat, lon = place(_degrees(gps, 1, "S"), _degrees(gps, 3, "W"))
    return Told(sensible(_time(details, zone), now), lat, lon)


def sensible(moment: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """A moment between 2000 and a day from now; None for any other: cameras forget the time with their battery."""
    return moment if moment is not None and _FIRST <= moment <= now + dt.timedelta(days=1) else None


def place(lat: float | None, lon: float | None) -> tuple[float | None, float | None]:
    """Both or neither, on this earth, to about a metre. 0, 0 is what a receiver says that knows nothing."""
    if lat is None or lon is None or not (math.isfinite(lat) and math.isfinite(lon)):
        return None, None
    if abs(lat) > 90 or abs(lon) > 180 or (lat == 0 and lon == 0):
        return None, None
    return round(lat, 5), round(lon, 5)


def _read(exif: bytes | None) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any]]:
    """The main directory, the camera's details, and the place; empty where they cannot be read."""
    if not exif:
        return {}, {}, {}
    found = Image.Exif()
    try:
        found.load(exif)
        return dict(found), dict(found.get_ifd(_DETAILS)), dict(found.get_ifd(_GPS))
    except Exception:  # whoever made the file chose what the library stumbles over
        return {}, {}, {}


def _time(details: dict[int, Any], zone: dt.tzinfo) -> dt.datetime | None:
    try:
        taken = dt.datetime.strptime(str(details[_TAKEN]).strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except (KeyError, ValueError):
        return None
    try:
        return taken.replace(tzinfo=dt.datetime.strptime(str(details[_OFFSET]).strip("\0 "), "%z").tzinfo)
    except (KeyError, ValueError):
        return taken.replace(tzinfo=zone)


def _degrees(gps: dict[int, Any], tag: int, negative: str) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in gps[tag + 1])
        side = str(gps[tag]).strip("\0 ").upper()
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    return -value if side == negative else value
