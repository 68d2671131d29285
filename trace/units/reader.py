"""What a request says of its reader: enough to tell whether a person scanned a label, and no more is kept of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from trace.units.hands import network
from trace.units.provinces import of_header

Header = Callable[[str], str]
"""Gives a header by its name; empty for none."""
MAX_TOLD = 300
"""Characters of a header that are looked at."""
_PROGRAM = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|facebookexternalhit|facebookcatalog|whatsapp/|telegram|zalo-?share|"
    r"embedly|skypeuri|headless|lighthouse|curl/|wget/|python|okhttp|java/|go-http|libwww|httpclient|monitor|uptime",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reader:
    """Of one request: its network, its kind of phone, the province that a proxy named (each may be empty)."""

    network: str
    phone: str
    place: str

    @property
    def hand(self) -> str:
        """What two readers of one household still differ in, mostly."""
        return f"{self.network}\n{self.phone}"


def reader(header: Header, address: str, place_header: str) -> Reader:
    """What a request's headers and the address that it came from say."""
    phone = "\n".join(header(name)[:MAX_TOLD] for name in ("User-Agent", "Accept-Language"))
    place = of_header(header(place_header)[:MAX_TOLD]) if place_header else ""
    return Reader(network(address), phone, place)


def is_scan(method: str, header: Header, signed_in: bool) -> bool:
    """True for a person who opened the page from a label.

    Not for HEAD, programs, pages fetched beforehand, members at their work, and not for a link on another page: a
    label has no page before it, and a link that was passed on says nothing of how many packs there are.
    """
    agent = header("User-Agent")[:MAX_TOLD]
    early = [header(name) for name in ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")]
    return (
        method == "GET"
        and bool(agent)
        and not _PROGRAM.search(agent)
        and not any("prefetch" in one or "prerender" in one or "preview" in one for one in early)
        and not header("Referer")
        and header("Sec-Fetch-Site") in ("", "none", "cross-site")
        and header("Sec-Fetch-Dest") in ("", "document")
        and not signed_in
    )
