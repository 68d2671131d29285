"""`/api/batches`: a batch and its family, for members and their programs."""

from typing import Any

from flask import current_app
from flask.views import MethodView
from flask_smorest import Blueprint

from trace.gs1.digital_link import DigitalLink
from trace.lots import origins, services
from trace.lots.schemas import BatchDetailSchema, GraphArguments, GraphSchema
from village.db import db
from village.i18n import in_language
from village.people.access import requires, signed_in

batches = Blueprint(
    "lots", __name__, url_prefix="/api/batches", description="Batches and how they came out of each other."
)


@batches.route("/<batch_id>")
class OneBatch(MethodView):
    """One batch."""

    @requires()
    @batches.response(200, BatchDetailSchema)
    @batches.doc(security=[{"bearer": []}])
    def get(self, batch_id: str) -> dict[str, Any]:
        """Read a batch. How much is left of it is told to its own household and cooperative only."""
        found = services.batch(batch_id)
        mine = signed_in().works_for(found.household_id, found.cooperative_id)
        left = {"left_grams": found.left_grams, "left_units": found.left_units} if mine else {}
        return {
            "id": found.id,
            "gtin": found.gtin,
            "lot": found.lot,
            "product": in_language(found.product.name_vi, found.product.name_en),
            "grams": found.made_grams,
            "units": found.made_units,
            "hold": found.hold,
            **left,
            "epc": found.epc,
            "process": found.process,
            "material": found.material,
            "made_at": found.made_at,
            "best_before": found.best_before,
            "void": found.void,
            "outside": found.outside,
            "origins": origins.read_origins(db.session(), found),
            "scan_url": DigitalLink(found.gtin, lot=found.lot).under(current_app.extensions["soi"].public_url),
        }


@batches.route("/<batch_id>/graph")
class Graph(MethodView):
    """A batch's ancestors and descendants."""

    @requires()
    @batches.arguments(GraphArguments, location="query")
    @batches.response(200, GraphSchema)
    @batches.doc(security=[{"bearer": []}])
    def get(self, asked: dict[str, str], batch_id: str) -> dict[str, Any]:
        """Read the graph up to the field, down to the packs, or both."""
        nodes, steps = services.graph(db.session(), batch_id, asked["direction"])
        return {
            "nodes": [
                {
                    "id": one.id,
                    "gtin": one.gtin,
                    "lot": one.lot,
                    "product": in_language(one.name_vi, one.name_en),
                    "grams": one.grams,
                    "units": one.units,
                    "hold": one.hold,
                }
                for one in nodes
            ],
            "edges": [{"source": s.parent, "target": s.child, "grams": s.grams, "event": s.event} for s in steps],
        }
