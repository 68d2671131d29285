"""The two spellings that every ledger format shares: strict base64 and plain decimals.

Both refuse a second spelling of the same value, so that bytes cannot be changed without changing meaning.
"""

import binascii
import re

MAX_SIZE = 2**63 - 1
"""Largest tree size or index that a format may carry, as in C2SP's reference code."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


def to_base64(data: bytes) -> str:
    """Standard padded base64 (RFC 4648 §4)."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def from_base64(text: str) -> bytes | None:
    """Decode standard padded base64, or None if it is not its one canonical spelling."""
    try:
        data = binascii.a2b_base64(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        return None
    # What passes so far (stray low bits in the last character, characters in between) is another spelling.
    return data if to_base64(data) == text else None


def from_decimal(text: str) -> int | None:
    """Read an ASCII decimal without sign or leading zeroes, at most MAX_SIZE; None if it is anything else."""
    if not _DECIMAL.fullmatch(text):
        return None
    number = int(text)
    return number if number <= MAX_SIZE else None


def shown(text: str, limit: int = 80) -> str:
    """A quoted, shortened form of hostile text for an error message."""
    return repr(text if len(text) <= limit else text[:limit] + "…")
