"""What a passport says, as one document in both languages: the bytes whose hash makes a version. Pure.

The list of items is that of Nghị định 37/2026/NĐ-CP (article 32) and Thông tư 02/2024/TT-BKHCN (article 6.5) together,
with what a food label holds. What belongs to a lot (dates, stages, serials) is not here: each lot's page proves that.
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from trace.gs1.digital_link import CANONICAL
from trace.ledger.canonical import canonical, parse

FORMAT = "soi-passport/1"
MOST_BYTES = 2 << 20
MOST_PAPERS = 30
"""Certificates, and likewise reports, in one passport: the newest."""
TEXTS = ("name", "ingredients", "usage", "storage", "warning", "story")


@dataclass(frozen=True)
class Producer:
    """Who answers for the product. `identifier`: business registration or tax number."""

    name: str
    address: str
    identifier: str
    gln: str
    phone: str


@dataclass(frozen=True)
class Paper:
    """A certificate. Days are ISO dates; `about` is product or cooperative."""

    kind: str
    number: str
    issuer: str
    stars: int | None
    issued: str
    expires: str
    about: str


@dataclass(frozen=True)
class Report:
    """What a laboratory found of the product; `paper` is the hash of its paper where everybody may read it."""

    laboratory: str
    number: str
    issued: str
    expires: str | None
    passed: bool
    parameters: list[dict[str, Any]]
    paper: str | None


@dataclass(frozen=True)
class Said:
    """Everything that goes into a version. `texts` has for each of `TEXTS` the two languages, perhaps empty."""

    gtin: str
    brand: str
    picture: str
    net_grams: int
    shelf_days: int | None
    producer: Producer
    texts: dict[str, dict[str, str]]
    certificates: list[Paper]
    reports: list[Report]


def written(said: Said) -> bytes:
    """The canonical bytes."""
    document = {
        "format": FORMAT,
        "id": f"{CANONICAL}/01/{said.gtin}",
        "gtin": said.gtin,
        "brand": said.brand,
        "picture": said.picture,
        "netGrams": said.net_grams,
        "shelfDays": said.shelf_days,
        "origin": {"country": "VN", "place": said.producer.address},
        "producer": asdict(said.producer),
        "texts": said.texts,
        "certificates": [asdict(one) for one in said.certificates[:MOST_PAPERS]],
        "reports": [asdict(one) for one in said.reports[:MOST_PAPERS]],
    }
    return canonical(document, limit=MOST_BYTES)


def read(body: bytes) -> dict[str, Any]:
    """A version's document."""
    return parse(body, limit=MOST_BYTES)


def digest(body: bytes) -> str:
    """The content hash: SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(body).hexdigest()
