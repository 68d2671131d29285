"""The office's two careful pages: what will be gone for good, what stays, and only then the doing."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from batches.erasure import services
from village.errors import BadInput, Conflict
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people.access import requires, signed_in
from village.people.models import Role

pages = Blueprint("erasure", __name__, template_folder="templates")


@pages.get("/coop/members/<uuid:member_id>/forget")
@requires(Role.OFFICE)
def member(member_id: UUID) -> ResponseReturnValue:
    """What will be gone of a member, and what stays."""
    return _member(member_id, Form())


@pages.post("/coop/members/<uuid:member_id>/forget")
@requires(Role.OFFICE)
def forget_member(member_id: UUID) -> ResponseReturnValue:
    """Forget a member for good."""
    who, form = signed_in(), Form.typed()
    try:
        _sure(form)
        told = services.forget_member(who, str(member_id), notes=form.ticked("notes"))
    except (BadInput, Conflict) as error:
        return _member(member_id, form.refused(error)), error.status
    flash(_said(told), "done")
    return redirect("/" if who.id == str(member_id) else url_for("members.one", member_id=member_id))


@pages.get("/batches/events/<uuid:event_id>/forget-note")
@requires(Role.OFFICE)
def note(event_id: UUID) -> ResponseReturnValue:
    """What will be gone of an event's note, and what stays."""
    return _note(event_id, Form())


@pages.post("/batches/events/<uuid:event_id>/forget-note")
@requires(Role.OFFICE)
def forget_note(event_id: UUID) -> ResponseReturnValue:
    """Forget an event's note for good."""
    form = Form.typed()
    try:
        _sure(form)
        told = services.forget_note(signed_in(), str(event_id))
    except BadInput as error:
        return _note(event_id, form.refused(error)), error.status
    flash(_said(told), "done")
    event = services.event_with_note(signed_in(), str(event_id))
    return redirect(url_for("stages.batch", batch_id=event.parts[0].batch_id))


def _sure(form: Form) -> None:
    if not form.ticked("sure"):
        raise BadInput("not-sure", _l("Bác đánh dấu vào ô này thì mình mới xoá."), field="sure")


def _said(told: int | None) -> str:
    if told is None:
        return _("Không còn gì để xoá.")
    return _("Đã xoá hẳn. Sổ ghi lại việc xoá này ở dòng số %(index)s.", index=told)


def _member(member_id: UUID, form: Form) -> str:
    held = services.holdings_of(signed_in(), str(member_id))
    return render_template("erasure/member.html", held=held, form=form)


def _note(event_id: UUID, form: Form) -> str:
    return render_template("erasure/note.html", event=services.event_with_note(signed_in(), str(event_id)), form=form)
