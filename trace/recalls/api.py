"""`/api/recalls`: beginning a recall or a drill from a program, and reading what it was."""

from typing import Any
from uuid import UUID

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint

from trace.recalls import reading, services
from trace.recalls.answers import answer
from trace.recalls.schemas import RecallAnswerSchema, RecallSchema
from village.db import db
from village.people.access import requires, signed_in
from village.people.models import Role

recalls = Blueprint("recalls_api", __name__, url_prefix="/api/recalls", description="Stopping a bad lot everywhere.")

KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 100},
    "description": "Your own id of this recall: sent twice with the same body, it is one recall.",
}


@recalls.route("")
class Recalls(MethodView):
    """Recalls of the office."""

    @requires(Role.OFFICE)
    @recalls.arguments(RecallSchema)
    @recalls.response(201, RecallAnswerSchema)
    @recalls.alt_response(403, description="no office, or another cooperative's batch")
    @recalls.alt_response(404, description="no batch has this id")
    @recalls.alt_response(409, description="all of it is recalled already, or the key was used with another body")
    @recalls.alt_response(422, description="no batches, no reason, or a batch that never was")
    @recalls.doc(security=[{"bearer": []}], parameters=[KEY])
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Hold these batches and all that came of them, stop open orders, and have every buyer told.

        A drill finds the same and changes nothing; it is kept as a drill.
        """
        key = request.headers.get("Idempotency-Key")
        return services.start(
            signed_in(), body["batches"], body["reason"], drill=body["drill"], idempotency_key=key
        )


@recalls.route("/<uuid:recall_id>")
class OneRecall(MethodView):
    """One recall."""

    @requires(Role.OFFICE, Role.AUDITOR)
    @recalls.response(200, RecallAnswerSchema)
    @recalls.alt_response(404, description="no recall of yours has this id")
    @recalls.doc(security=[{"bearer": []}])
    def get(self, recall_id: UUID) -> dict[str, Any]:
        """What it was, as it was answered when it began."""
        found = reading.one(signed_in(), str(recall_id))
        return answer(db.session(), found.id)
