"""Believable readings for a village that has no sensors: a drying day as a dryer and the air in it would tell it.

Numbers come from a formula and a fixed seed: the same hours give the same readings.
"""

import math
import random
from collections.abc import Iterator

MINUTE = 60
GAP = (0.55, 0.6)
"""The part of a day in which the mobile network was away."""


def drying(kind: str, start: int, end: int, seed: int = 1) -> Iterator[tuple[int, float]]:
    """(Unix seconds, value) once a minute from `start` to `end`, for a dryer that is fired in that time.

    The dryer warms within an hour to about 52 °C and cools as the fire dies down; its air dries as it warms. Other
    kinds follow the noodles from 30 % of water to 13 %.
    """
    chance = random.Random(f"{kind}-{seed}")
    wind = 0.0
    for at in range(start // MINUTE * MINUTE, end, MINUTE):
        part = (at - start) / max(end - start, 1)
        if GAP[0] < part < GAP[1]:
            continue
        wind = 0.95 * wind + chance.gauss(0, 0.35)
        fire = (1 - math.exp(-part * 9)) * (1 - 0.35 * max(part - 0.8, 0) / 0.2) + 0.05 * math.sin(part * 40)
        warm = 19 + 33 * max(fire, 0) + wind
        if kind == "Temperature":
            yield at, round(warm, 1)
        elif kind == "RelativeHumidity":
            yield at, round(min(max(88 - 1.25 * (warm - 19) - 14 * part + chance.gauss(0, 0.6), 8), 99), 1)
        else:
            yield at, round(13 + 17 * math.exp(-3.2 * part) + chance.gauss(0, 0.15), 1)
