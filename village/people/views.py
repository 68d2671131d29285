"""Signing in and out, and a member's own page."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from village.errors import BadInput, Conflict, NotFound, TooMany
from village.forms import Form
from village.i18n import gettext as _
from village.ids import token_digest
from village.people import own, services
from village.people import sign_in as signing_in
from village.people.access import Actor, actor, requires, signed_in
from village.people.models import Role

people = Blueprint("people", __name__, template_folder="templates")

TOKEN_DAYS = 365


@people.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Who is there? Somebody already signed in goes on at once."""
    who = actor()
    if who is not None:
        return redirect(_onward(who))
    return _sign_in_page(Form())


@people.post("/sign-in")
def sign_in_now() -> ResponseReturnValue:
    """By user name or telephone number, and password."""
    form = Form.typed()
    try:
        token = signing_in.sign_in(form.text("username"), form.text("password"), _address(), _device())
    except BadInput as error:
        return _sign_in_page(form.refused(error)), 422
    except TooMany as error:
        return _sign_in_page(form.refused(error)), 429, {"Retry-After": str(error.retry_after)}
    return _welcome(token)


@people.get("/sign-in/link/<token>")
def link(token: str) -> ResponseReturnValue:
    """A page with one button: chat apps open links by themselves to preview them, and must not use one up."""
    return render_template("people/link.html", action=url_for("people.use_link", token=token))


@people.post("/sign-in/link/<token>")
def use_link(token: str) -> ResponseReturnValue:
    """The one time that a link works."""
    try:
        session = signing_in.use_link(token, _device())
    except NotFound as error:
        return render_template("people/link.html", action="", problem=str(error)), 404
    return _welcome(session)


@people.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Signed out here; other devices stay as they are."""
    signing_in.sign_out()
    return signing_in.clear_cookie(make_response(redirect("/")))


@people.get("/me")
@requires()
def me() -> ResponseReturnValue:
    """One's own page."""
    return _own_page(Form())


@people.post("/me/password")
@requires()
def password() -> ResponseReturnValue:
    """Set or change one's own password."""
    form = Form.typed()
    token = signing_in.cookie_token()
    try:
        own.set_password(signed_in(), token, _address(), form.text("old"), form.text("new"))
    except BadInput as error:
        return _own_page(form.refused(error)), 422
    except TooMany as error:
        error.field = "old"
        return _own_page(form.refused(error)), 429, {"Retry-After": str(error.retry_after)}
    flash(_("Đã đặt mật khẩu mới. Các máy khác đã được đăng xuất."), "done")
    return redirect(url_for("people.me"))


@people.post("/me/sign-ins/<digest>/revoke")
@requires()
def revoke_sign_in(digest: str) -> ResponseReturnValue:
    """Sign out somewhere else."""
    own.revoke_sign_in(signed_in(), digest)
    flash(_("Đã đăng xuất máy ấy."), "done")
    return redirect(url_for("people.me"))


@people.post("/me/tokens")
@requires()
def make_token() -> ResponseReturnValue:
    """A token for a program, shown this once."""
    who, form = signed_in(), Form.typed()
    try:
        token = services.make_token(who, who.id, form.text("label"), TOKEN_DAYS)
    except (BadInput, Conflict) as error:
        error.field = "label"
        return _own_page(form.refused(error)), error.status
    return _own_page(Form(), new_token=token)


@people.post("/me/tokens/<digest>/revoke")
@requires()
def revoke_token(digest: str) -> ResponseReturnValue:
    """Take a token back."""
    own.revoke_token(signed_in(), digest)
    flash(_("Đã thu lại mã truy cập."), "done")
    return redirect(url_for("people.me"))


def _sign_in_page(form: Form) -> str:
    return render_template("people/sign_in.html", form=form, next=request.args.get("next", ""))


def _own_page(form: Form, new_token: str = "") -> str:
    who, token = signed_in(), signing_in.cookie_token()
    return render_template(
        "people/me.html",
        form=form,
        new_token=new_token,
        member=services.member_of(who, who.id),
        home=own.home_of(who),
        sign_ins=own.sign_ins_of(who),
        here=token_digest(token),
        tokens=own.tokens_of(who),
        needs_old=own.needs_old_password(who, token),
        records=who.has(Role.PRODUCER, Role.OFFICE),
    )


def _welcome(token: str) -> Response:
    response = make_response(redirect(url_for("people.sign_in", next=request.args.get("next") or None)))
    return signing_in.set_cookie(response, token)


def _onward(who: Actor) -> str:
    """Where a member wanted to go, if it is a page of ours; home otherwise."""
    wanted = request.args.get("next", "")
    ours = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    return wanted if ours and wanted.isprintable() else own.home_of(who)


def _address() -> str:
    return request.remote_addr or ""


def _device() -> str:
    return signing_in.device_name(request.user_agent.string)
