"""A passport as JSON-LD: GS1 Web Vocabulary, with schema.org beside it. Pure.

The context stands in the document itself, so a reader needs nothing but the document.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

CONTEXT: dict[str, Any] = {
    "gs1": "https://ref.gs1.org/voc/",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
STANDARDS = {
    "ocop": "OCOP, Quyết định 148/QĐ-TTg (2023)",
    "food-safety": "Giấy chứng nhận cơ sở đủ điều kiện an toàn thực phẩm",
    "quality": "Bản tự công bố sản phẩm",
}


@dataclass(frozen=True)
class Lot:
    """A lot as the document points to it: its canonical id, its page, its code."""

    id: str
    page: str
    code: str


@dataclass(frozen=True)
class Edition:
    """Which version it is: its number, since when (ISO moment), its content hash, the address of its bytes."""

    number: int
    since: str
    sha256: str
    address: str


def document(
    told: dict[str, Any], edition: Edition, lots: Sequence[Lot], public_url: str
) -> dict[str, Any]:
    """The whole document. What the passport does not hold is left out: JSON-LD has no word for 'not yet'."""
    page = f"{public_url}/passports/{told['gtin']}"
    maker = told["producer"]
    organization = {
        "@type": ["gs1:Organization", "schema:Organization"],
        "gs1:organizationName": maker["name"],
        "schema:name": maker["name"],
        "gs1:globalLocationNumber": maker["gln"],
        "schema:identifier": maker["identifier"],
        "schema:telephone": maker["phone"],
        "gs1:address": {"@type": "gs1:PostalAddress", "gs1:streetAddress": maker["address"], "gs1:countryCode": "VN"},
    }
    found = {
        "@context": CONTEXT,
        "@id": told["id"],
        "@type": ["gs1:FoodBeverageTobaccoProduct", "schema:Product"],
        "gs1:gtin": told["gtin"],
        "schema:gtin14": told["gtin"],
        "gs1:productName": _both(told, "name"),
        "schema:name": _both(told, "name"),
        "gs1:brand": {"@type": "gs1:Brand", "gs1:brandName": told["brand"]} if told["brand"] else None,
        "gs1:netContent": {
            "@type": "gs1:QuantitativeValue",
            "gs1:value": {"@value": str(told["netGrams"]), "@type": "xsd:decimal"},
            "gs1:unitCode": "GRM",
        },
        "gs1:ingredientStatement": _both(told, "ingredients"),
        "gs1:consumerUsageInstructions": _both(told, "usage"),
        "gs1:consumerStorageInstructions": _both(told, "storage"),
        "gs1:consumerSafetyInformation": _both(told, "warning"),
        "gs1:productDescription": _both(told, "story"),
        "gs1:countryOfOrigin": {"@type": "gs1:Country", "gs1:countryCode": told["origin"]["country"]},
        "gs1:manufacturer": organization,
        "gs1:certification": [_certificate(one) for one in told["certificates"]],
        "schema:image": {"@id": f"{public_url}/static/pictures/{told['picture']}.svg"},
        "schema:url": {"@id": page},
        "schema:hasPart": [
            {"@id": one.id, "schema:identifier": one.code, "schema:url": {"@id": one.page}} for one in lots
        ],
        "schema:subjectOf": [
            {
                "@id": page,
                "@type": "schema:MediaObject",
                "schema:name": "Hộ chiếu số của sản phẩm",
                "schema:version": str(edition.number),
                "schema:dateModified": {"@value": edition.since, "@type": "xsd:dateTime"},
                "schema:sha256": edition.sha256,
                "schema:contentUrl": {"@id": edition.address},
            },
            *(_report(one, public_url) for one in told["reports"]),
        ],
    }
    return {key: value for key, value in found.items() if value not in (None, [], "")}


def _both(told: dict[str, Any], key: str) -> list[dict[str, str]]:
    texts = told["texts"][key]
    return [{"@value": texts[language], "@language": language} for language in ("vi", "en") if texts[language]]


def _certificate(one: dict[str, Any]) -> dict[str, Any]:
    standard = STANDARDS.get(one["kind"], one["kind"])
    stars = {"gs1:certificationValue": f"{one['stars']} sao"} if one["stars"] else {}
    return {
        "@type": "gs1:CertificationDetails",
        "gs1:certificationStandard": standard,
        "gs1:certificationIdentification": one["number"],
        "gs1:certificationAgency": one["issuer"],
        "gs1:certificationStartDate": {"@value": one["issued"], "@type": "xsd:date"},
        "gs1:certificationEndDate": {"@value": one["expires"], "@type": "xsd:date"},
        **stars,
    }


def _report(one: dict[str, Any], public_url: str) -> dict[str, Any]:
    paper = {"schema:url": {"@id": f"{public_url}/certificates/{one['paper']}"}} if one["paper"] else {}
    return {
        "@type": "schema:Report",
        "schema:reportNumber": one["number"],
        "schema:publisher": one["laboratory"],
        "schema:datePublished": {"@value": one["issued"], "@type": "xsd:date"},
        "schema:description": "Đạt" if one["passed"] else "Chưa đạt",
        **paper,
    }
