"""The livestream for programs that read a platform's comments."""

from typing import Any

from flask import request
from flask_smorest import Blueprint

from shop.live import intake, services
from shop.live.intake import Result, Said
from shop.live.schemas import LiveCommentsSchema, LiveResultsSchema, LiveSessionIdSchema, LiveSessionSchema
from shop.live.services import HOSTS, Code
from village.people.access import requires, signed_in

api = Blueprint("api_live", __name__, url_prefix="/api/live", description="Orders from the comments of a livestream.")


@api.post("/sessions")
@requires(*HOSTS)
@api.arguments(LiveSessionSchema)
@api.response(201, LiveSessionIdSchema)
def start(wanted: dict[str, Any]) -> dict[str, str]:
    """Begin a livestream. With an `Idempotency-Key` header, once for each key."""
    codes = [Code(**code) for code in wanted["codes"]]
    begun = services.start(
        signed_in(), wanted["title"], wanted["platform"], codes, viewer_max=wanted["viewer_max"],
        order_max=wanted["order_max"], idempotency_key=request.headers.get("Idempotency-Key"),
    )  # fmt: skip
    return {"id": begun}


@api.post("/sessions/<session_id>/comments")
@requires(*HOSTS)
@api.arguments(LiveCommentsSchema)
@api.response(200, LiveResultsSchema)
def comments(sent: dict[str, Any], session_id: str) -> dict[str, list[Result]]:
    """Take up to 500 comments. A comment that was here before is a `duplicate` and has no second effect."""
    said = [
        Said(each["id"], each["author"]["id"], each["author"]["name"] or "", each["text"], each["at"])
        for each in sent["comments"]
    ]
    return {"results": intake.receive(signed_in(), session_id, said)}
