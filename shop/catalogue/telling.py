"""What machines read of the shop: a product as schema.org's Product with its Offer, the sitemap, robots' rules.

Sources: schema.org (Product, Offer, Certification, TypeAndQuantityNode), sitemaps.org 0.9 with the image extension,
RFC 9309.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import escape

from shop.catalogue.page import ProductPage
from shop.catalogue.services import Offer
from village.certificates.models import Certificate
from village.i18n import in_language

ADDRESSES_MAX = 50_000
"""Of one sitemap."""
OPEN_PAGES = ("/", "/ledger", "/verify")
CLOSED = ("/cart", "/checkout", "/orders/", "/seller/", "/coop", "/field", "/batches", "/me", "/api/", "/hooks/")
"""What no search engine is to walk through: people's own pages, forms, programs' doors."""
_IMAGES = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'


def description(page: ProductPage) -> str:
    """The product in a sentence or two: the beginning of its story, else what it is made of."""
    product = page.product
    story = in_language(product.story_vi, product.story_en) or in_language(
        product.ingredients_vi, product.ingredients_en
    )
    line = " ".join(story.split())
    return line if len(line) <= 200 else line[:199].rsplit(" ", 1)[0] + "…"


def product_ld(page: ProductPage, base: str) -> dict[str, Any]:
    """The product and its offer. `base` is the address of the shop without its slash."""
    product, offer, cooperative = page.product, page.offer, page.product.cooperative
    address = f"{base}/products/{offer.slug}"
    seller = {
        "@type": "Organization",
        "name": cooperative.name,
        "address": cooperative.address,
        "telephone": cooperative.phone,
    }
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "@id": f"{address}#product",
        "name": offer.name,
        "url": address,
        "image": images(page, base),
        "sku": offer.gtin,
        "gtin": offer.gtin,
        "weight": {"@type": "QuantitativeValue", "value": offer.net_grams, "unitCode": "GRM"},
        "countryOfOrigin": {"@type": "Country", "name": "VN"},
        "manufacturer": {"@type": "Organization", "name": cooperative.name},
        "offers": {
            "@type": "Offer",
            "url": address,
            "price": offer.price,
            "priceCurrency": "VND",
            "availability": f"https://schema.org/{'InStock' if offer.available else 'OutOfStock'}",
            "itemCondition": "https://schema.org/NewCondition",
            "seller": seller,
        },
    }
    if text := description(page):
        told["description"] = text
    if product.brand:
        told["brand"] = {"@type": "Brand", "name": product.brand}
    if page.parts:
        told["offers"]["includesObject"] = [
            {
                "@type": "TypeAndQuantityNode",
                "amountOfThisGood": part.units,
                "typeOfGood": {
                    "@type": "Product",
                    "@id": f"{base}/products/{part.product.slug}#product",
                    "name": part.product.name,
                    "gtin": part.product.gtin,
                },
            }
            for part in page.parts
        ]
    if page.certificates:
        told["hasCertification"] = [_certification(one) for one in page.certificates]
    return told


def images(page: ProductPage, base: str) -> list[str]:
    """Absolute addresses of its photos as JPEG or WebP, or of its card where it has none."""
    return [f"{base}{shot.url(1200)}" for shot in page.shots] or [card_address(page.offer, base)]


def card_address(offer: Offer, base: str) -> str:
    """Of the picture that messengers show for a product without photos."""
    return f"{base}/products/{offer.slug}/card.png"


def sitemap(base: str, products: Iterable[tuple[str, Sequence[str]]]) -> str:
    """All pages that are to be found. `products`: slugs with the paths of their photos."""
    pages = [f"<url><loc>{escape(base + path)}</loc></url>" for path in OPEN_PAGES]
    for slug, photos in products:
        shown = "".join(f"<image:image><image:loc>{escape(base + path)}</image:loc></image:image>" for path in photos)
        pages.append(f"<url><loc>{escape(f'{base}/products/{slug}')}</loc>{shown}</url>")
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" {_IMAGES}>',
            *pages,
            "</urlset>\n",
        )
    )


def robots(base: str, *, invented: bool) -> str:
    """Who may walk where. An `invented` village is to be found by nobody: its lots and prices are not real."""
    if invented:
        return "User-agent: *\nDisallow: /\n"
    closed = "".join(f"Disallow: {path}\n" for path in CLOSED)
    return f"User-agent: *\n{closed}\nSitemap: {base}/sitemap.xml\n"


def _certification(one: Certificate) -> dict[str, Any]:
    told: dict[str, Any] = {
        "@type": "Certification",
        "name": {"ocop": "OCOP", "food-safety": "An toàn thực phẩm", "quality": "Công bố chất lượng"}[one.kind],
        "certificationIdentification": one.number,
        "issuedBy": {"@type": "Organization", "name": one.issuer},
        "validFrom": one.issued_on.isoformat(),
    }
    if one.ends:
        told["expires"] = one.ends.isoformat()
    if one.stars:
        told["certificationRating"] = {"@type": "Rating", "ratingValue": one.stars, "bestRating": 5}
    return told
