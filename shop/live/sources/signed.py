"""The generic webhook's signature. Only computing.

A comment reader posts JSON with two headers: `X-Soi-Timestamp`, seconds since 1970, and `X-Soi-Signature`: `sha256=`,
and the HMAC-SHA256 (lower-case hex) of `<timestamp>.<raw body>` under its source's secret. What is older or newer than
`WINDOW` is refused; what is sent twice within it does nothing twice, since every comment has its platform's number.
"""

import base64
import hmac

WINDOW = 300
"""Seconds that a signature's time may be away from ours."""
_WHAT_FOR = b"soi live source v1\x00"


def secret_of(source_id: str, village_key: str) -> str:
    """The secret of one source, derived from the village's own key, so that none is stored."""
    key = hmac.digest(village_key.encode(), _WHAT_FOR + source_id.encode(), "sha256")
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def sign(secret: str, stamp: str, body: bytes) -> str:
    """The signature's header."""
    return "sha256=" + hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()


def trusted(secret: str, stamp: str, signature: str, body: bytes, now: float) -> bool:
    """True for what was signed with this secret within the window."""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12) or abs(now - int(stamp)) > WINDOW:
        return False
    return same(signature, sign(secret, stamp, body))


def same(given: str, ours: str) -> bool:
    """True for the same text; how long it takes does not tell how much of it was right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), ours.encode())
