"""What else there is about a lot, as an RFC 9264 linkset in GS1's vocabulary. Pure."""

from dataclasses import dataclass
from typing import Any

from trace.gs1.digital_link import DigitalLink

GS1 = "https://gs1.org/voc/"
HTML = "text/html"
JSON_LD = "application/ld+json"
LINKSET = "application/linkset+json"
LANGUAGES = ("vi", "en")


@dataclass(frozen=True)
class Facts:
    """What a linkset says of one product or lot."""

    link: DigitalLink
    title: str
    lot_known: bool
    certified: bool = False
    recalled: bool = False


def linkset(facts: Facts, public_url: str) -> dict[str, Any]:
    """The document: one anchor, one default link, the page in each language, history, certificates, recall."""
    page = facts.link.under(public_url)
    in_words = [
        {"href": f"{page}?lang={language}", "title": facts.title, "type": HTML, "hreflang": [language]}
        for language in LANGUAGES
    ]
    default = {"href": page, "title": facts.title, "type": HTML, "hreflang": ["vi"]}
    anchor: dict[str, Any] = {
        "anchor": page,
        "itemDescription": facts.title,
        f"{GS1}defaultLink": [default],
        f"{GS1}pip": in_words,
    }
    if facts.lot_known:
        anchor[f"{GS1}traceability"] = [
            {"href": f"{page}?linkType=gs1:traceability", "title": f"EPCIS 2.0: {facts.title}", "type": JSON_LD}
        ]
    if facts.certified:
        anchor[f"{GS1}certificationInfo"] = [{**one, "href": f"{one['href']}#certificates"} for one in in_words]
    if facts.recalled:
        anchor[f"{GS1}recallStatus"] = in_words
    return {"linkset": [anchor]}


def resolver(public_url: str) -> dict[str, Any]:
    """`/.well-known/gs1resolver`: what this resolver can do."""
    return {
        "name": "Soi Bình Lư",
        "resolverRoot": public_url,
        "supportedPrimaryKeys": ["01"],
        "linkTypeDefaultCanBeLinkset": False,
        "supportedLinkType": [{"namespace": GS1, "prefix": "gs1:"}],
        "validationRules": {"linkTypes": ["defaultLink", "pip", "traceability", "certificationInfo", "recallStatus"]},
    }
