"""The office's pages on members."""

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from village.errors import BadInput, Conflict, SoiError
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people import services
from village.people.access import requires, signed_in
from village.people.models import Member, Role
from village.people.phones import shown_phone
from village.people.schemas import member_fields
from village.places.services import households_of

members = Blueprint("members", __name__, url_prefix="/coop/members", template_folder="templates")

ROLE_NAMES = {
    Role.PRODUCER: _l("Làm miến"),
    Role.SELLER: _l("Bán hàng"),
    Role.OFFICE: _l("Văn phòng"),
    Role.AUDITOR: _l("Soát sổ"),
    Role.PARTNER: _l("Đối tác (chở hàng, cửa hàng)"),
}


@members.get("")
@requires(Role.OFFICE, Role.AUDITOR)
def all_members() -> ResponseReturnValue:
    """Everybody in the cooperative. Auditors see no telephone numbers: they need none."""
    who = signed_in()
    return render_template(
        "people/members.html", members=services.members_of(who.cooperative_id), role_names=ROLE_NAMES,
        office=who.has(Role.OFFICE), shown_phone=shown_phone,
    )  # fmt: skip


@members.get("/new")
@requires(Role.OFFICE)
def new() -> ResponseReturnValue:
    """The form for a new member."""
    return _form(Form())


@members.post("/new")
@requires(Role.OFFICE)
def add() -> ResponseReturnValue:
    """Take somebody in; their page then offers a sign-in link."""
    form = Form.typed()
    try:
        member_id = services.add_member(signed_in(), member_fields(form))
    except (BadInput, Conflict) as error:
        return _form(form.refused(error)), error.status
    flash(_("Đã thêm người. Bác lấy đường dẫn đăng nhập rồi gửi cho họ nhé."), "done")
    return redirect(url_for("members.one", member_id=member_id))


@members.get("/<member_id>")
@requires(Role.OFFICE)
def one(member_id: str) -> ResponseReturnValue:
    """A member, with the form to change what is known of them."""
    member = services.member_of(signed_in(), member_id)
    return _form(Form(_values(member)), member)


@members.post("/<member_id>")
@requires(Role.OFFICE)
def edit(member_id: str) -> ResponseReturnValue:
    """Change what is known of a member."""
    form = Form.typed()
    who = signed_in()
    try:
        services.edit_member(who, member_id, member_fields(form))
    except (BadInput, Conflict) as error:
        return _refused(member_id, form, error)
    flash(_("Đã sửa."), "done")
    return redirect(url_for("members.one", member_id=member_id))


@members.post("/<member_id>/link")
@requires(Role.OFFICE)
def hand_out_link(member_id: str) -> ResponseReturnValue:
    """A one-time sign-in link, on a page that shows it once."""
    who = signed_in()
    token = services.hand_out_link(who, member_id)
    address = current_app.extensions["soi"].public_url + url_for("people.link", token=token)
    return render_template(
        "people/handed_link.html", member=services.member_of(who, member_id), address=address,
        hours=services.LINK_HOURS,
    ), {"Cache-Control": "no-store"}  # fmt: skip


@members.post("/<member_id>/deactivate")
@requires(Role.OFFICE)
def deactivate(member_id: str) -> ResponseReturnValue:
    """Shut a member out."""
    services.deactivate_member(signed_in(), member_id)
    flash(_("Người này đã nghỉ, không đăng nhập được nữa."), "done")
    return redirect(url_for("members.one", member_id=member_id))


@members.post("/<member_id>/reactivate")
@requires(Role.OFFICE)
def reactivate(member_id: str) -> ResponseReturnValue:
    """Let a member back in."""
    services.reactivate_member(signed_in(), member_id)
    flash(_("Người này đã vào lại. Bác gửi cho họ đường dẫn đăng nhập nhé."), "done")
    return redirect(url_for("members.one", member_id=member_id))


def _values(member: Member) -> dict[str, object]:
    return {
        "username": member.username,
        "name": member.name,
        "phone": shown_phone(member.phone) if member.phone else "",
        "roles": [role.role for role in member.roles],
        "household": member.household_id or "",
    }


def _refused(member_id: str, form: Form, error: SoiError) -> ResponseReturnValue:
    return _form(form.refused(error), services.member_of(signed_in(), member_id)), error.status


def _form(form: Form, member: Member | None = None) -> str:
    households = [("", _("Không thuộc hộ nào"))]
    households += [(home.id, home.name) for home in households_of(signed_in().cooperative_id)]
    return render_template("people/member.html", form=form, member=member, households=households, role_names=ROLE_NAMES)
