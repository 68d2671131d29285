"""`/training`: the way into the training village, and in at its door."""

from flask import Blueprint, current_app, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from batches.training import settling, ticket
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.people import sign_in
from village.people.access import requires, signed_in
from village.settings import TRAINING, Settings

pages = Blueprint("training", __name__, url_prefix="/training", template_folder="templates")


@pages.get("")
@requires()
def home() -> ResponseReturnValue:
    """What the training village is, and one button."""
    _beside()
    return render_template("training/home.html")


@pages.post("")
@requires()
def go() -> ResponseReturnValue:
    """Into the training village, with a ticket."""
    settings, who = _beside(), signed_in()
    issued = ticket.issue(settings.instance / TRAINING, who.id, who.roles)
    return redirect(f"{settings.training_url}/training/enter?ticket={issued}", 303)


@pages.get("/enter")
def enter() -> ResponseReturnValue:
    """The training village's door."""
    settings = _soi()
    if not settings.training:
        raise _no_training()
    if (found := ticket.read(settings.instance, request.args.get("ticket", ""))) is None:
        return redirect(f"{settings.training_of}/training", 303)
    token = settling.enter(found, sign_in.device_name(request.user_agent.string))
    response = sign_in.set_cookie(make_response(redirect("/batches" if found.produces else "/coop", 303)), token)
    # The ticket must not travel on in a Referer.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _soi() -> Settings:
    found: Settings = current_app.extensions["soi"]
    return found


def _beside() -> Settings:
    """The settings of a village that has a training village beside it."""
    if not (settings := _soi()).training_url:
        raise _no_training()
    return settings


def _no_training() -> NotFound:
    return NotFound("no-training", _l("Ở đây chưa mở chỗ tập ghi."))
