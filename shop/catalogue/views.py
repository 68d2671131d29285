"""The storefront, a page for each product, and the same for programs."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_smorest import Blueprint as ApiBlueprint

from shop.catalogue import services
from shop.catalogue.schemas import ProductsSchema
from shop.catalogue.services import Offer

pages = Blueprint("catalogue", __name__, template_folder="templates")
api = ApiBlueprint(
    "api_products", __name__, url_prefix="/api/products", description="What is sold, and how much is left."
)


@pages.get("/")
def storefront() -> ResponseReturnValue:
    """What is in stock by the ledger."""
    return render_template("catalogue/storefront.html", offers=services.offers())


@pages.get("/products/<slug>")
def product(slug: str) -> ResponseReturnValue:
    """One product: its story, what the law asks, the lots that it is sold from."""
    return render_template("catalogue/product.html", page=services.product_page(slug))


@api.get("")
@api.response(200, ProductsSchema)
def products() -> dict[str, list[Offer]]:
    """Everything on the shelf with its price in đồng and the packs that are left."""
    return {"products": services.offers()}
