"""Pages about phones' keys: a member's own, and the office's."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from batches.devices import services
from batches.devices.models import Device, Status
from batches.devices.shown import shown
from trace.ledger import store
from village.errors import BadInput, SoiError
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, requires, signed_in
from village.people.models import Role
from village.people.sign_in import device_name

phones = Blueprint("phones", __name__, template_folder="templates")


@phones.get("/me/device")
@requires(Role.PRODUCER, Role.OFFICE)
def mine() -> ResponseReturnValue:
    """My phones: this one, and the others."""
    who = signed_in()
    return render_template(
        "devices/mine.html",
        who=who,
        log=store.ensure_born().origin,
        phones=shown(services.devices_of(who)),
        name=device_name(request.user_agent.string),
    )


@phones.post("/me/device/<key>/end")
@requires(Role.PRODUCER, Role.OFFICE)
def end_mine(key: str) -> ResponseReturnValue:
    """I lost this phone, or stop its key."""
    return _ended(key, "phones.mine")


@phones.get("/coop/devices")
@requires(Role.OFFICE, Role.AUDITOR)
def office() -> ResponseReturnValue:
    """The cooperative's phones: who asks, who signs, and whose numbers do not add up."""
    who = signed_in()
    all_phones = shown(services.devices_of_cooperative(who))
    return render_template(
        "devices/office.html",
        decides=who.has(Role.OFFICE),
        waiting=[one for one in all_phones if one.state == Status.PENDING],
        decided=[one for one in all_phones if one.state not in (Status.PENDING, "expired")],
    )


@phones.post("/coop/devices/<key>/approve")
@requires(Role.OFFICE)
def approve(key: str) -> ResponseReturnValue:
    """This key may sign."""
    return _decided(services.approve, key, _("Đã duyệt. Từ giờ máy ấy tự ký vào sổ."))


@phones.post("/coop/devices/<key>/refuse")
@requires(Role.OFFICE)
def refuse(key: str) -> ResponseReturnValue:
    """This key may not."""
    return _decided(services.refuse, key, _("Đã từ chối. Khoá ấy không ký được gì."))


@phones.post("/coop/devices/<key>/end")
@requires(Role.OFFICE)
def end_any(key: str) -> ResponseReturnValue:
    """The office stops a key, or was told that the phone is lost."""
    return _ended(key, "phones.office")


def _decided(act: Callable[[Actor, str], Device], key: str, done: str) -> ResponseReturnValue:
    try:
        act(signed_in(), key)
    except SoiError as error:
        if error.status != 409:
            raise
        flash(str(error), "warning")
    else:
        flash(done, "done")
    return redirect(url_for("phones.office"))


def _ended(key: str, back: str) -> ResponseReturnValue:
    how = request.form.get("how", "")
    if how not in ("revoked", "lost"):
        raise BadInput("which-end", _l("Bác chọn giúp thôi dùng hay mất máy."), field="how")
    try:
        device = services.end(signed_in(), key, "lost" if how == "lost" else "revoked")
    except SoiError as error:
        if error.status != 409:
            raise
        flash(str(error), "warning")
    else:
        told = {
            Status.REFUSED: _("Đã rút lại yêu cầu."),
            Status.LOST: _("Đã ghi vào sổ là mất máy. Khoá ấy không ký được gì nữa."),
            Status.REVOKED: _("Khoá ấy đã thôi dùng. Những gì nó ký trước đây vẫn đúng."),
        }
        flash(told[device.status], "done")
    return redirect(url_for(back))
