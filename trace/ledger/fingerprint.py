"""A key's short fingerprint, which two people can read aloud to each other and compare."""

import base64
import binascii

GROUPS = 4


def fingerprint(key: str) -> str:
    """Four groups of three digits out of a JWK thumbprint (base64url): `482 913 027 556`; empty for anything else.

    The thumbprint's first 8 bytes, big-endian, modulo 10^12: static/js/device.js shows the same on the phone.
    """
    try:
        raw = base64.b64decode(key + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return ""
    if len(raw) != 32:
        return ""
    digits = f"{int.from_bytes(raw[:8], 'big') % 1000**GROUPS:0{3 * GROUPS}d}"
    return " ".join(digits[start : start + 3] for start in range(0, len(digits), 3))
