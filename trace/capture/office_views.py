"""`/coop/claims`: what partners tell of our lots, under which name, and what of it should be erased."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from trace.capture import claims, words
from village.errors import BadInput
from village.i18n import gettext as _
from village.people.access import requires, signed_in
from village.people.models import Role

pages = Blueprint("claims", __name__, url_prefix="/coop/claims", template_folder="templates")


@pages.get("")
@requires(Role.OFFICE, Role.AUDITOR)
def everything() -> ResponseReturnValue:
    """Partners with their names, and the newest claims."""
    return _page()


@pages.post("/partners/<member_id>")
@requires(Role.OFFICE)
def name_partner(member_id: str) -> ResponseReturnValue:
    """Set the name that a partner's claims bear."""
    try:
        claims.name_partner(signed_in(), member_id, request.form.get("name", ""))
    except BadInput as error:
        flash(str(error), "warning")
        return redirect(url_for("claims.everything"))
    flash(_("Đã đặt tên. Từ nay lời của bên ấy mang tên này."), "done")
    return redirect(url_for("claims.everything"))


@pages.post("/<captured_id>/erase")
@requires(Role.OFFICE)
def erase(captured_id: str) -> ResponseReturnValue:
    """Erase what a claim says of a person."""
    claims.erase(signed_in(), captured_id)
    flash(_("Đã xoá hẳn. Trong sổ chỉ còn một dấu băm."), "done")
    return redirect(url_for("claims.everything"))


def _page() -> str:
    who = signed_in()
    return render_template(
        "capture/office.html", partners=claims.partners_of(who), claims=claims.recent(who), step=words.step,
        office=who.has(Role.OFFICE),
    )  # fmt: skip
