"""Orders for programs. A guest may order; a token says who placed it."""

from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from shop.orders import services, steps
from shop.orders.schemas import OrderSchema, PlacedSchema
from village.i18n import current_language
from village.people.access import actor
from village.web.bodies import up_to

api = Blueprint("api_orders", __name__, url_prefix="/api/orders", description="Ordering, and how an order stands.")

ORDER_MAX = 64 * 1024
"""Bytes. Anybody may send an order: what is wrong with each member of a large one would take seconds to say."""
KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 100},
    "description": "Your own id of this order: sent twice with the same body, it is one order.",
}


@api.post("")
@up_to(lambda _settings: ORDER_MAX)
@api.doc(parameters=[KEY])
@api.arguments(OrderSchema)
@api.response(201, PlacedSchema)
@api.alt_response(
    409,
    description="out-of-stock with what is left; the key was used with another body; orders-waiting, too-much-on-word"
    " or too-much-unpaid: a guest has had as many packs kept unpaid as one may; pay-ahead: parcels to this number came"
    " back, so this order is not for cash at the door",
)
@api.alt_response(
    422,
    description="an unknown GTIN, a quantity out of bounds, a buyer that we cannot send to, or several-sellers: one"
    " order holds the goods of one cooperative, so place one for each",
)
def place(body: dict[str, Any]) -> dict[str, Any]:
    """Place an order. Its packs are reserved, first expiry first; those of an order that is paid ahead (vietqr, stripe)
    go back to the shelf when it is not paid in time."""
    buyer = services.clean_buyer(**body["buyer"], prefix="buyer.")
    placed = services.place(
        actor(),
        [(line["gtin"], line["quantity"]) for line in body["lines"]],
        buyer,
        channel="api",
        payment=body["payment"],
        note=body["note"],
        language=current_language(),
        idempotency_key=request.headers.get("Idempotency-Key"),
        network=request.remote_addr,
    )
    return placed.answer


@api.get("/<token>")
@api.response(200, PlacedSchema)
@api.alt_response(404, description="no order has this token")
def order(token: str) -> dict[str, Any]:
    """How the order stands that this token opens."""
    return services.describe(steps.by_token(token))


@api.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
