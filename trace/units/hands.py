"""How many different hands a label went through on a day, told without knowing whose they were.

A hand is what a request shows by itself: its network (the first 24 bits of an IPv4 address, 48 of IPv6), and the kind
of phone. A keyed hash makes of it one of 63 marks on that pack's day, and nothing else is kept. The key is of that
day and that village; it is thrown away with the day (`trace.units.secret`). Six bits cannot name anybody, and the same
hand leaves another mark on another pack, or tomorrow. How many hands there were follows from how many marks are set:
linear counting, Whang, Vander-Zanden and Taylor (ACM TODS 15, 1990).
"""

import hmac
import ipaddress
import math

SLOTS = 63
"""Marks of a day: what a signed 64-bit column holds."""
FULL = round(SLOTS * math.log(2 * SLOTS))
"""What is told when every mark is set: 305, and it may be any number more."""
_TOLD = [round(-SLOTS * math.log(1 - marked / SLOTS)) for marked in range(SLOTS)] + [FULL]


def network(address: str) -> str:
    """The network that an address belongs to; empty for what is no address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False).network_address)


def mark(key: bytes, subject: str, told: str) -> int:
    """The bit that a hand, or a network, sets for `subject` (a pack's id) under the day's key."""
    digest = hmac.digest(key, f"{subject}\n{told}".encode(), "sha256")
    return 1 << int.from_bytes(digest[:8]) % SLOTS


def count(marks: int) -> int:
    """How many hands set these marks: within one of the truth up to ten, within a tenth or so up to a hundred."""
    return _TOLD[marks.bit_count()]
