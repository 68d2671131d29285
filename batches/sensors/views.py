"""Pages about sensors: the office's list and forms, a sensor's curves, and what goes with a batch."""

import datetime as dt
from collections.abc import Callable, Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from batches.sensors import binding, services
from batches.sensors.alarms import Alarm, alarms, moment_of
from batches.sensors.binding import Window
from batches.sensors.kinds import MEASURES
from batches.sensors.models import Sensor
from batches.sensors.reduce import series
from batches.sensors.rows import MOST_ROWS
from batches.sensors.schemas import sensor_fields, typed
from batches.stages.corrections import Correction, correct
from batches.stages.forms import moment
from trace.lots.models import Batch
from trace.series.reduced import Series
from trace.series.shown import Panel, measure, panel, panels_of
from village import clock, i18n
from village.db import db
from village.errors import BadInput, Conflict
from village.forms import Form
from village.i18n import gettext as _
from village.ids import uuid7
from village.people.access import Actor, requires, signed_in
from village.people.models import Role
from village.places.services import sites_of

pages = Blueprint("sensors", __name__, template_folder="templates")

SPANS = {"day": (1, 300), "week": (7, 1800), "month": (30, 3600)}
"""How many days a sensor's page looks back, and the least step of its curve in seconds."""


@pages.get("/coop/sensors")
@requires(Role.OFFICE, Role.AUDITOR)
def office() -> ResponseReturnValue:
    """The cooperative's sensors: what they say, and what is the matter with them."""
    who = signed_in()
    found = alarms(db.session(), who.cooperative_id)
    return render_template(
        "sensors/office.html",
        sensors=services.sensors_of(who.cooperative_id),
        alarms=found,
        troubles={alarm.sensor.number: [a for a in found if a.sensor is alarm.sensor] for alarm in found},
        gateways=services.gateway_keys_of(who.cooperative_id),
        office=who.has(Role.OFFICE),
        last=_last,
        quiet=_quiet,
        moment_of=moment_of,
        why=_why,
    )


@pages.get("/coop/sensors/new")
@requires(Role.OFFICE)
def new() -> ResponseReturnValue:
    """The form for a new sensor."""
    return _form(Form({"type": "Temperature", "silent_minutes": "15"}))


@pages.post("/coop/sensors/new")
@requires(Role.OFFICE)
def add() -> ResponseReturnValue:
    """Register it, and show its key this once."""
    form = Form.typed()
    try:
        sensor_id, key = services.add_sensor(signed_in(), sensor_fields(form))
    except (BadInput, Conflict) as error:
        return _form(form.refused(error)), error.status
    return _key(key, sensor_id)


@pages.get("/coop/sensors/<uuid:sensor_id>")
@requires(Role.OFFICE, Role.AUDITOR)
def sensor(sensor_id: object) -> ResponseReturnValue:
    """One sensor: its curve over a day, a week or a month, and its key."""
    who = signed_in()
    it = services.sensor_of(who, str(sensor_id))
    span = request.args.get("span", "day")
    back, least = SPANS.get(span, SPANS["day"])
    # To the next whole step, so that the newest reading is seen.
    end = (int(clock.now().timestamp()) // least + 1) * least
    found = series(db.session(), it, end - back * 86400, end, least=least)
    return render_template(
        "sensors/sensor.html",
        it=it,
        curve_of=panel(found, _usual(it)),
        span=span if span in SPANS else "day",
        alarms=[alarm for alarm in alarms(db.session(), who.cooperative_id) if alarm.sensor.number == it.number],
        key=services.key_of(it),
        office=who.has(Role.OFFICE),
        last=_last,
        moment_of=moment_of,
        why=_why,
    )


@pages.get("/coop/sensors/<uuid:sensor_id>/edit")
@requires(Role.OFFICE)
def edit(sensor_id: object) -> ResponseReturnValue:
    """The form to change a sensor."""
    it = services.sensor_of(signed_in(), str(sensor_id))
    values = {
        "name": it.name, "site": it.site_id, "type": it.type, "low": typed(it.low), "high": typed(it.high),
        "usual_low": typed(it.usual_low), "usual_high": typed(it.usual_high), "silent_minutes": it.silent_minutes,
    }  # fmt: skip
    return _form(Form(values), it)


@pages.post("/coop/sensors/<uuid:sensor_id>/edit")
@requires(Role.OFFICE)
def change(sensor_id: object) -> ResponseReturnValue:
    """Change it."""
    form, who = Form.typed(), signed_in()
    try:
        services.edit_sensor(who, str(sensor_id), sensor_fields(form))
    except (BadInput, Conflict) as error:
        return _form(form.refused(error), services.sensor_of(who, str(sensor_id))), error.status
    flash(_("Đã sửa."), "done")
    return redirect(url_for("sensors.sensor", sensor_id=sensor_id))


@pages.post("/coop/sensors/<uuid:sensor_id>/<any(open, close):what>")
@requires(Role.OFFICE)
def use(sensor_id: object, what: str) -> ResponseReturnValue:
    """Take a sensor out of use, or back."""
    services.use_sensor(signed_in(), str(sensor_id), what == "open")
    flash(_("Máy đo lại nhận số như trước.") if what == "open" else _("Máy đo đã nghỉ. Số cũ vẫn giữ."), "done")
    return redirect(url_for("sensors.sensor", sensor_id=sensor_id))


@pages.post("/coop/sensors/<uuid:sensor_id>/key")
@requires(Role.OFFICE)
def new_key(sensor_id: object) -> ResponseReturnValue:
    """Replace a sensor's key, and show the new one this once."""
    return _key(services.replace_key(signed_in(), str(sensor_id)), str(sensor_id))


@pages.post("/coop/sensors/<uuid:sensor_id>/key/revoke")
@requires(Role.OFFICE)
def end_key(sensor_id: object) -> ResponseReturnValue:
    """Take a sensor's key away."""
    services.revoke_key(signed_in(), str(sensor_id))
    flash(_("Khoá ấy không gửi được gì nữa."), "done")
    return redirect(url_for("sensors.sensor", sensor_id=sensor_id))


@pages.get("/coop/sensors/gateways/new")
@requires(Role.OFFICE)
def new_gateway() -> ResponseReturnValue:
    """The form for a gateway's key."""
    return _gateway(Form())


@pages.post("/coop/sensors/gateways/new")
@requires(Role.OFFICE)
def add_gateway() -> ResponseReturnValue:
    """Make one, and show it this once."""
    form = Form.typed()
    try:
        key = services.add_gateway(signed_in(), form.text("site"), form.text("label"))
    except (BadInput, Conflict) as error:
        return _gateway(form.refused(error)), error.status
    return _key(key, "")


@pages.post("/coop/sensors/gateways/<digest>/revoke")
@requires(Role.OFFICE)
def end_gateway(digest: str) -> ResponseReturnValue:
    """Take a gateway's key away."""
    services.revoke_gateway(signed_in(), digest)
    flash(_("Khoá ấy không gửi được gì nữa."), "done")
    return redirect(url_for("sensors.office"))


@pages.get("/batches/<uuid:batch_id>/sensors")
@requires(Role.PRODUCER, Role.OFFICE)
def batch(batch_id: object) -> ResponseReturnValue:
    """Choose from when to when, and see the curve before it goes on the ledger."""
    who = signed_in()
    form = Form({key: request.args.get(key, "") for key in ("start", "end")})
    return _batch(who, binding.batch_for(who, str(batch_id)), form)


@pages.post("/batches/<uuid:batch_id>/sensors")
@requires(Role.PRODUCER, Role.OFFICE)
def bind(batch_id: object) -> ResponseReturnValue:
    """Put it on the ledger. Sent twice, it is written once: the form carries the event's id."""
    who = signed_in()
    form = Form.typed()
    try:
        window = _window(form) if form.text("start") or form.text("end") else None
        answer = binding.bind(who, str(batch_id), form.text("event_id"), window)
    except (BadInput, Conflict) as error:
        return _batch(who, binding.batch_for(who, str(batch_id)), form.refused(error)), error.status
    flash(_("Đã gắn số đo vào mẻ, dòng số %(index)s trong sổ.", index=answer["entry"]["index"]), "done")
    return redirect(url_for("stages.batch", batch_id=batch_id))


@pages.post("/batches/<uuid:batch_id>/sensors/<uuid:event_id>/undo")
@requires(Role.PRODUCER, Role.OFFICE)
def undo(batch_id: object, event_id: object) -> ResponseReturnValue:
    """Say on the ledger that these readings do not belong to the batch."""
    reason = _("Số đo này không phải của mẻ này.")
    wanted = Correction(request.form.get("correction_id", ""), str(event_id), "did_not_occur", reason)
    correct(signed_in(), wanted, {"undo": str(event_id)})
    flash(_("Đã bỏ số đo khỏi mẻ. Lần ghi cũ vẫn nằm trong sổ, có ghi rõ là sai."), "done")
    return redirect(url_for("stages.batch", batch_id=batch_id))


def part_of_batch(it: Batch, can_work: bool) -> Markup:
    """The sensors' part of a batch's page: curves that are bound, or the offer to bind some. Empty without either."""
    session = db.session()
    told = binding.told_of(session, it.id)
    making = None if told or not can_work else binding.making_of(session, it)
    found = binding.read(session, making, making.window) if making else []
    if not told and not found:
        return Markup()
    return Markup(
        render_template(
            "sensors/batch_part.html",
            batch=it,
            told=[(one.event, panels_of(one.bodies, _names(one.event.site_id))) for one in told],
            offered=_panels(found),
            window=making.window if making else None,
            can_work=can_work,
            new_id=uuid7,
        )
    )


def _batch(who: Actor, it: Batch, form: Form) -> str:
    session = db.session()
    making = binding.making_of(session, it)
    found: list[Series] = []
    if making is not None:
        window = making.window
        try:
            if form.text("start") or form.text("end"):
                window = _window(form)
                binding.check_window(making, window)
            found = binding.read(session, making, window)
        except BadInput as error:
            form = form if form.error else form.refused(error)
        proposed = {"start": _local(window.start), "end": _local(window.end)}
        form = Form(proposed | {key: value for key, value in form.values.items() if value}, form.error)
    return render_template(
        "sensors/batch.html", batch=it, making=making, form=form, offered=_panels(found), event_id=uuid7()
    )


def _window(form: Form) -> Window:
    return Window(_chosen(form, "start"), _chosen(form, "end"))


def _chosen(form: Form, name: str) -> dt.datetime:
    try:
        return moment(form.text(name))
    except BadInput as error:
        error.field = name
        raise


def _local(when: dt.datetime) -> str:
    return when.astimezone(clock.VN).strftime("%Y-%m-%dT%H:%M")


def _panels(found: Sequence[Series]) -> list[Panel]:
    """Curves that only those see who work here: with the sensors' names and usual bands."""
    by_id = {one.id: one for one in services.with_ids(one.sensor for one in found)}
    return [panel(one, _usual(by_id[one.sensor]), by_id[one.sensor].name) for one in found]


def _names(site_id: str) -> dict[str, str]:
    return {one.id: one.name for one in binding.sensors_at(db.session(), site_id)}


def _usual(it: Sensor) -> tuple[int, int] | None:
    return (it.usual_low, it.usual_high) if it.usual_low is not None and it.usual_high is not None else None


def _last(it: Sensor) -> str:
    return measure(it.type, it.unit, it.last_value) if it.last_value is not None else ""


def _quiet(it: Sensor) -> bool:
    """No alarm while no batch is there, but nothing that runs either."""
    last = moment_of(it.last_at)
    return last is not None and clock.now() - last > dt.timedelta(minutes=it.silent_minutes)


def _why(alarm: Alarm) -> str:
    """An alarm in a sentence."""
    texts: dict[str, Callable[[], str]] = {
        "silent": lambda: (
            _("Đang có mẻ ở đây mà máy im từ %(when)s.", when=i18n.moment(alarm.since))
            if alarm.since
            else _("Đang có mẻ ở đây mà máy chưa gửi số nào.")
        ),
        "bounds": lambda: _("Máy báo %(value)s, không thể có.", value=_last(alarm.sensor)),
        "stuck": lambda: (
            _("Số đứng im từ %(when)s, có khi máy bị kẹt.", when=i18n.moment(alarm.since)) if alarm.since else ""
        ),
    }
    return texts[alarm.kind]()


def _form(form: Form, it: Sensor | None = None) -> str:
    return render_template("sensors/form.html", form=form, it=it, sites=_sites(), measures=MEASURES)


def _gateway(form: Form) -> str:
    return render_template("sensors/gateway.html", form=form, sites=_sites())


def _sites() -> list[tuple[str, str]]:
    """Workshops first: there the dryers and tanks are."""
    mine = [one for one in sites_of(signed_in().cooperative_id) if one.active]
    return [(one.id, one.name) for one in sorted(mine, key=lambda one: (one.kind != "workshop", one.name))]


def _key(key: str, sensor_id: str) -> str:
    return render_template("sensors/key.html", key=key, sensor_id=sensor_id, most=MOST_ROWS)
