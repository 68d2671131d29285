"""`POST /api/events` and what a client needs to fill it in."""

from dataclasses import replace
from typing import Any

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint
from sqlalchemy import select

from batches.devices import signing
from batches.processes.catalogue import all_processes
from batches.processes.models import Process
from batches.stages import services
from batches.stages.corrections import Correction, as_wanted, correct, event_for
from batches.stages.schemas import AnswerSchema, CorrectionSchema, EventSchema, tidy_facts
from batches.stages.wanted import Wanted
from village.db import db
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.people.access import requires, signed_in
from village.people.models import Role
from village.places.models import Site
from village.products.models import Product

events = Blueprint("events", __name__, url_prefix="/api", description="Stages of batches, as they happen.")


@events.route("/events")
class Events(MethodView):
    """The one way to record a stage."""

    @requires(Role.PRODUCER, Role.OFFICE)
    @events.arguments(EventSchema())
    @events.response(201, AnswerSchema)
    @events.doc(security=[{"bearer": []}])
    def post(self, wanted: Wanted) -> dict[str, Any]:
        """Record one stage of a batch.

        The same id and body again give the same answer; the same id with another body gives 409.
        A doubtful value needs a reason in `note` and comes back under `warnings`; an impossible one gives 422.
        With `device` a phone's key signed it, otherwise the cooperative's custodian signs.
        A case that is opened, sent off or lost whole is named by `facts.sscc` alone; one that is packed gets a number
        unless it brings one.
        """
        if wanted.device is None:
            return services.record_stage(signed_in(), wanted, request.get_json())
        wanted, body = signed_body(wanted, request.get_data())
        return services.record_stage(signed_in(), wanted, body)


@events.route("/events/<event_id>/corrections")
class Corrections(MethodView):
    """Nothing is edited: a wrong event is declared wrong, and told again."""

    @requires(Role.PRODUCER, Role.OFFICE)
    @events.arguments(CorrectionSchema())
    @events.response(201, AnswerSchema)
    @events.doc(security=[{"bearer": []}])
    def post(self, data: dict[str, Any], event_id: str) -> dict[str, Any]:
        """Correct an event (EPCIS errorDeclaration).

        With `incorrect_data`, fields left out of `event` stay as they were.
        """
        who = signed_in()
        told = None
        if data["reason"] == "incorrect_data":
            told = _told(as_wanted(event_for(who, event_id)), data["event"])
        return correct(
            who, Correction(data["id"], event_id, data["reason"], data["note"], told), request.get_json()
        )


@events.route("/processes")
class Processes(MethodView):
    """The processes of this village: stages, materials, bounds."""

    @events.response(200)
    def get(self) -> dict[str, Any]:
        """All processes with their stages, in the order of work."""
        return {"processes": [_process(process) for process in all_processes().values()]}


@events.route("/sites")
class Sites(MethodView):
    """Where this member may work."""

    @requires()
    @events.response(200)
    @events.doc(security=[{"bearer": []}])
    def get(self) -> dict[str, Any]:
        """Sites open to the signed-in member, and the materials that her cooperative gave a GTIN."""
        who = signed_in()
        mine = select(Site).where(Site.cooperative_id == who.cooperative_id, Site.active)
        if not who.has(Role.OFFICE):
            mine = mine.where((Site.household_id == who.household_id) | Site.household_id.is_(None))
        products = select(Product).where(Product.cooperative_id == who.cooperative_id, Product.active)
        return {
            "sites": [
                {"id": s.id, "name": s.name, "kind": s.kind, "gln": s.gln}
                for s in db.session.scalars(mine.order_by(Site.name))
            ],
            "products": [
                {
                    "id": p.id, "gtin": p.gtin, "name": p.name_vi, "process": p.process, "material": p.material,
                    "net_grams": p.net_grams,
                }
                for p in db.session.scalars(products.order_by(Product.gtin))
            ],
        }


def signed_body(wanted: Wanted, raw: bytes) -> tuple[Wanted, dict[str, Any]]:
    """A signed request with its claim, and the body by which it is known again: a signature made anew is no other."""
    assert wanted.device is not None
    body = signing.read_body(raw)
    if "household" in body:
        raise BadInput(
            "no-household-here", _l("Có chữ ký của máy thì không ghi hộ; sổ biết từ mẻ và nơi làm."), field="household"
        )
    claim = signing.claim_of_body(body, wanted.device.salt)
    known = {**body, "device": {name: value for name, value in body["device"].items() if name != "signature"}}
    return replace(wanted, device=replace(wanted.device, claim=claim)), known


def _told(before: Wanted, changes: dict[str, Any] | None) -> Wanted:
    """The event with what is to be told otherwise."""
    told: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in (changes or {}).items()}
    if "facts" in told:
        told["facts"] = tidy_facts(told["facts"])
    return replace(before, **told)


def _process(process: Process) -> dict[str, Any]:
    return {
        "key": process.key,
        "version": process.version,
        "name": {"vi": process.name.vi, "en": process.name.en},
        "materials": [
            {"key": m.key, "name": {"vi": m.name.vi, "en": m.name.en}, "unit": m.unit} for m in process.materials
        ],
        "stages": [
            {
                "key": s.key,
                "kind": s.kind.value,
                "name": {"vi": s.name.vi, "en": s.name.en},
                "inputs": list(s.inputs),
                "output": s.output,
                "byproducts": [one.material for one in s.byproducts],
                "reasons": [{"key": r.key, "name": {"vi": r.name.vi, "en": r.name.en}} for r in s.reasons],
                "optional": s.optional,
                "readings": [{"type": r.type, "unit": r.unit, "required": r.required} for r in s.readings],
            }
            for s in process.stages
        ],
    }
