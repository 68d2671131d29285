"""/seller/live/<session>/sources: where the session's comments come from, and those that a person brings."""

from collections.abc import Callable

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.live.intake import Result
from shop.live.reasons import words
from shop.live.services import HOSTS
from shop.live.sources import loading, pasting, services, shown, signed, typed
from shop.live.sources.facebook import services as facebook
from shop.live.sources.files import FILE_MAX
from shop.live.sources.tiktok import orders as tiktok
from shop.live.spoken import counted
from village.errors import BadInput, Conflict
from village.forms import Form
from village.i18n import gettext as _
from village.ids import uuid7
from village.people.access import requires, signed_in
from village.text import missing
from village.web.bodies import up_to

pages = Blueprint("live_sources", __name__, url_prefix="/seller/live/<session_id>/sources")


@pages.get("")
@requires(*HOSTS)
def page(session_id: str) -> ResponseReturnValue:
    """The sources, and the forms for what a person brings."""
    return _page(session_id, _fresh())


@pages.post("/facebook")
@requires(*HOSTS)
def add_facebook(session_id: str) -> ResponseReturnValue:
    """Connect with a live video of our page."""
    form = Form.typed()
    try:
        facebook.connect(signed_in(), session_id, form.text("video"))
    except (BadInput, Conflict) as error:
        return _page(session_id, _again(form).refused(error)), error.status
    flash(_("Đã nối với buổi live. Lời nhắn sẽ tự về."), "done")
    return _back(session_id)


@pages.post("/tiktok")
@requires(*HOSTS)
def add_tiktok(session_id: str) -> ResponseReturnValue:
    """Take TikTok Shop's orders over."""
    done = _("Đã nối với TikTok Shop. Đơn bên ấy tự về.")
    return _do(session_id, lambda: tiktok.connect(signed_in(), session_id), done)


@pages.post("/webhook")
@requires(*HOSTS)
def add_webhook(session_id: str) -> ResponseReturnValue:
    """An address to which a comment reader posts."""
    done = _("Đã mở địa chỉ nhận. Bấm «Hiện khoá» rồi chép vào máy đọc lời nhắn.")
    return _do(session_id, lambda: services.add_webhook(signed_in(), session_id), done)


@pages.post("/<source_id>/<any(stop, start):what>")
@requires(*HOSTS)
def turn(session_id: str, source_id: str, what: str) -> ResponseReturnValue:
    """Stop a source, or start it again."""
    act = services.stop if what == "stop" else services.start_again
    done = _("Đã ngắt nguồn này.") if what == "stop" else _("Nguồn này chạy lại rồi.")
    return _do(session_id, lambda: act(signed_in(), session_id, source_id), done)


@pages.post("/<source_id>/<any(tell, quiet):what>")
@requires(*HOSTS)
def tell(session_id: str, source_id: str, what: str) -> ResponseReturnValue:
    """Have viewers sent their links by the platform, or no more."""
    done = _("Từ giờ ai chốt đơn thì Messenger tự gửi đường dẫn.") if what == "tell" else _("Thôi không nhắn nữa.")
    return _do(
        session_id, lambda: services.set_telling(signed_in(), session_id, source_id, what == "tell"), done
    )


@pages.post("/<source_id>/secret")
@requires(*HOSTS)
def secret(session_id: str, source_id: str) -> ResponseReturnValue:
    """Show a comment reader's secret, as long as nothing that was signed with it has come."""
    try:
        found = services.unheard_webhook(signed_in(), session_id, source_id)
    except Conflict as error:
        flash(str(error), "warning")
        return _back(session_id)
    key = signed.secret_of(found, current_app.extensions["soi"].secret_key)
    answer = current_app.make_response(_page(session_id, _fresh(), secret=(found, key)))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.post("/paste")
@requires(*HOSTS)
def paste(session_id: str) -> ResponseReturnValue:
    """Take pasted comments."""
    form = Form.typed()
    try:
        results = pasting.paste(signed_in(), session_id, form.text("comments"), form.text("paste")[:36])
    except (BadInput, Conflict) as error:
        return _page(session_id, _again(form).refused(error)), error.status
    flash(pasting.outcome(results), "done")
    return _back(session_id)


@pages.post("/keyboard")
@requires(*HOSTS)
def keyboard(session_id: str) -> ResponseReturnValue:
    """Take one comment that a helper typed."""
    form = Form.typed()
    try:
        result = typed.type_in(signed_in(), session_id, form.text("name"), form.text("words"), form.text("key"))
    except (BadInput, Conflict) as error:
        return _page(session_id, _again(form).refused(error)), error.status
    flash(_told(result), "done")
    return redirect(url_for("live_sources.page", session_id=session_id, _anchor="keyboard"), 303)


@pages.post("/file")
@up_to(lambda _settings: FILE_MAX + 64 * 1024)
@requires(*HOSTS)
def file(session_id: str) -> ResponseReturnValue:
    """Take a file of comments."""
    sent, form = request.files.get("file"), Form.typed()
    try:
        if sent is None or not sent.filename:
            raise missing("file")
        job = loading.load(signed_in(), session_id, sent.stream.read(FILE_MAX + 1))
    except (BadInput, Conflict) as error:
        return _page(session_id, _again(form).refused(error)), error.status
    return redirect(url_for("jobs.one", job_id=job.id), 303)


@pages.post("/orders/<foreign_id>/<any(again, seen):what>")
@requires(*HOSTS)
def foreign(session_id: str, foreign_id: str, what: str) -> ResponseReturnValue:
    """An order that TikTok took and that needs a person: try again, or it is seen to."""
    if what == "seen":
        done = _("Đã ghi là bác lo đơn này.")
        return _do(session_id, lambda: tiktok.seen_to(signed_in(), session_id, foreign_id), done)
    try:
        row = tiktok.try_again(signed_in(), session_id, foreign_id)
    except Conflict as error:
        flash(str(error), "warning")
        return _back(session_id)
    if row.fault:
        flash(str(shown.why(row.fault)), "warning")
    else:
        flash(_("Đơn này đã giữ được hàng."), "done")
    return _back(session_id)


def _do(session_id: str, act: Callable[[], object], done: str) -> ResponseReturnValue:
    try:
        act()
    except Conflict as error:
        flash(str(error), "warning")
    else:
        flash(done, "done")
    return _back(session_id)


def _told(result: Result) -> str:
    if result.lines:
        number = result.order or ""
        return _("Đã ghi %(what)s vào đơn %(number)s.", what=counted(result.lines), number=number)
    if result.waiting:
        return _("Hết hàng rồi, đã xếp vào hàng chờ: %(what)s.", what=counted(result.waiting))
    why = words(result.reason) if result.reason else ""
    return _("Đã ghi lời nhắn: %(why)s.", why=why) if why else _("Đã ghi lời nhắn, chưa thành đơn.")


def _fresh() -> Form:
    return Form({"paste": uuid7(), "key": uuid7()})


def _again(form: Form) -> Form:
    """What was typed, and keys for the other forms on the page."""
    return Form({"paste": uuid7(), "key": uuid7(), **form.values})


def _page(session_id: str, form: Form, secret: tuple[str, str] = ("", "")) -> str:
    return render_template(
        "live/sources.html", page=shown.page(signed_in(), session_id), form=form, secret_of=secret[0], secret=secret[1]
    )


def _back(session_id: str) -> ResponseReturnValue:
    return redirect(url_for("live_sources.page", session_id=session_id), 303)
