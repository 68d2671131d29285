"""`/coop`: the office's home and its day, what lies too long, and the corrections to look at."""

import datetime as dt

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from batches.office import corrected, days, matters, waiting
from village import clock
from village.forms import page_number
from village.people.access import requires, signed_in
from village.people.models import Role
from village.places import services as places

office = Blueprint("office", __name__, url_prefix="/coop", template_folder="templates")

FIRST = dt.date(2000, 1, 1)
SHOWN = 5
"""Batches that lie too long, as many as the home shows."""


@office.get("")
@requires(Role.OFFICE, Role.AUDITOR)
def home() -> ResponseReturnValue:
    """What asks for the office's eye, what the village did on a day, and the ways on."""
    who = signed_in()
    day = _day(request.args.get("day", ""))
    late = waiting.stuck(who.cooperative_id)
    return render_template(
        "office/home.html",
        cooperative=places.cooperative_of(who),
        works=who.has(Role.OFFICE),
        matters=matters.matters(who.cooperative_id),
        day=day,
        is_today=day == clock.today(),
        before=day - days.DAY,
        after=day + days.DAY if day < clock.today() else None,
        done=days.stages_of(who.cooperative_id, day),
        late=late[:SHOWN],
        late_in_all=len(late),
        counts=places.counts_of(who),
    )


@office.get("/waiting")
@requires(Role.OFFICE, Role.AUDITOR)
def lying() -> ResponseReturnValue:
    """All batches that lie too long."""
    return render_template("office/waiting.html", late=waiting.stuck(signed_in().cooperative_id))


@office.get("/corrections")
@requires(Role.OFFICE, Role.AUDITOR)
def corrections() -> ResponseReturnValue:
    """Corrections, those that nobody looked at first."""
    who = signed_in()
    number = page_number(request.args.get("page", ""))
    found, more = corrected.page(who.cooperative_id, number)
    return render_template(
        "office/corrections.html",
        found=found,
        when=corrected.when(found),
        looks=who.has(Role.OFFICE),
        page=number,
        more=more,
    )


@office.post("/corrections/<uuid:event_id>/seen")
@requires(Role.OFFICE)
def seen(event_id: object) -> ResponseReturnValue:
    """Looked at."""
    corrected.look(signed_in(), str(event_id))
    return redirect(url_for("office.corrections"), 303)


def _day(text: str) -> dt.date:
    """The day that an address names; today for anything else, for a day to come, and for one before the village."""
    try:
        asked = dt.date.fromisoformat(text)
    except ValueError:
        return clock.today()
    return asked if FIRST <= asked <= clock.today() else clock.today()
