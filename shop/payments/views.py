"""What the order's page asks while its buyer pays."""

from flask import Blueprint, Response, jsonify

from shop.orders import steps
from shop.payments import shown

pages = Blueprint("payments", __name__, template_folder="templates")


@pages.get("/orders/<token>/state")
def state(token: str) -> Response:
    """In a word, what the order's page would show; for whoever holds its token."""
    answer = jsonify(state=shown.now(steps.by_token(token)))
    answer.headers["Cache-Control"] = "no-store"
    return answer
