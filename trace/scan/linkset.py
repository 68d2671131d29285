"""What else there is about a product, lot, pack, parcel or place, as an RFC 9264 linkset in GS1's vocabulary. Pure.

Source: GS1-Conformant Resolver Standard 1.2, sections 2.5 to 2.10 and 3.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GS1 = "https://ref.gs1.org/voc/"
CONTEXT = "https://ref.gs1.org/standards/resolver/linkset-context"
CONTEXT_LINK = f'<{CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
HTML = "text/html"
JSON_LD = "application/ld+json"
LINKSET = "application/linkset+json"
PDF = "application/pdf"
LANGUAGES = ("vi", "en")
DEFAULTS = (f"{GS1}defaultLink", f"{GS1}defaultLinkMulti")

Document = dict[str, Any]


@dataclass(frozen=True)
class Link:
    """One thing that there is: what it is to the item (a word of GS1's vocabulary), where, and as what."""

    rel: str
    href: str
    title: str
    type: str = HTML
    language: str = ""
    """`vi` or `en` for what is written in one language; empty for data."""

    def told(self) -> Document:
        """As a linkset says it."""
        told: Document = {"href": self.href, "title": self.title, "type": self.type}
        return told | {"hreflang": [self.language]} if self.language else told


@dataclass(frozen=True)
class Level:
    """An item as narrow or wide as `anchor` names it, with what is known of it at that width.

    `pages` are the default's forms, one a language: what they are to the item stands in `rels`.
    """

    anchor: str
    description: str
    default: str
    pages: Sequence[Link]
    rels: Sequence[str] = ("pip",)
    more: Sequence[Link] = ()

    def links(self) -> Iterator[Link]:
        """Everything but the default link."""
        yield from (Link("defaultLinkMulti", p.href, p.title, p.type, p.language) for p in self.pages)
        for rel in self.rels:
            yield from (Link(rel, p.href, p.title, p.type, p.language) for p in self.pages)
        yield from self.more


def pages(address: str, titles: Mapping[str, str], fragment: str = "") -> tuple[Link, ...]:
    """The page at `address` in each language."""
    end = f"#{fragment}" if fragment else ""
    return tuple(Link("", f"{address}?lang={one}{end}", titles[one], HTML, one) for one in LANGUAGES)


def of_kind(rel: str, found: Iterable[Link]) -> tuple[Link, ...]:
    """The same links, as what they are to the item."""
    return tuple(Link(rel, one.href, one.title, one.type, one.language) for one in found)


def document(levels: Sequence[Level]) -> Document:
    """The linkset: the item as it was asked for comes first, then the wider ones, up to its primary key."""
    return {"linkset": [_context(level) for level in levels]}


def _context(level: Level) -> Document:
    # The default link bears nothing but its title: what it has besides stands under its other kinds.
    default = {"href": level.default, "title": next((p.title for p in level.pages), level.description)}
    told: Document = {"anchor": level.anchor, "description": level.description, DEFAULTS[0]: [default]}
    for link in level.links():
        told.setdefault(GS1 + link.rel, []).append(link.told())
    return told


def kinds(found: Document) -> list[str]:
    """The kinds of link in a linkset, each once: `gs1:pip`, …"""
    keys = {key: None for context in found["linkset"] for key in context if key.startswith(GS1)}
    return [f"gs1:{key.removeprefix(GS1)}" for key in keys if key not in DEFAULTS]


def of_type(found: Document, link_type: str) -> list[Document]:
    """The links of a kind (a whole address), of the narrowest level that has any."""
    return next((list(context[link_type]) for context in found["linkset"] if context.get(link_type)), [])


def as_json_ld(found: Document) -> Document:
    """The linkset as JSON-LD, by GS1's context."""
    return {"@context": CONTEXT} | found


def resolver(public_url: str) -> Document:
    """`/.well-known/gs1resolver`: what this resolver can do, after GS1's schema of it."""
    return {
        "name": "Soi Bình Lư",
        "resolverRoot": public_url,
        "supportedPrimaryKeys": ["01", "00", "414"],
        "linkTypeDefaultCanBeLinkset": False,
        "supportedLinkType": [{"namespace": GS1, "prefix": "gs1:"}],
        "jsonLdContextLocation": CONTEXT,
    }
