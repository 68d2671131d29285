"""Identifiers: ordered ones for rows, unguessable ones for capabilities."""

import hashlib
import os
import re
import secrets
import time

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def uuid7() -> str:
    """A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits; lower case with dashes."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    told = f"{value:032x}"
    return f"{told[:8]}-{told[8:12]}-{told[12:16]}-{told[16:20]}-{told[20:]}"


def is_uuid(text: str) -> bool:
    """True for a UUID in its one canonical spelling (lower case, dashes)."""
    return bool(_UUID.fullmatch(text))


def secret_token() -> str:
    """192 random bits, URL-safe: for links, sessions and API tokens."""
    return secrets.token_urlsafe(24)


def token_digest(token: str) -> str:
    """What is stored of a secret token: SHA-256 in hex. A random token needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
