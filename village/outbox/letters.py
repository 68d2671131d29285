"""What a caller gives, and how long it may be."""

from dataclasses import dataclass

from village.outbox.models import Channel

BODY_MAX = {Channel.MAIL: 20_000, Channel.SMS: 670, Channel.CALL: 4_000}
"""Characters. A short message with Vietnamese marks carries 67 in each of its parts, and phones join ten."""
KEY_MAX = 160


@dataclass(frozen=True)
class Letter:
    """One message of many that are put at once; see `village.outbox.services.put`."""

    channel: str
    to: str
    subject: str
    body: str
    key: str
    """At most `KEY_MAX` characters, the caller's own."""
