"""The seller's livestreams: the list, a new one, and the console beside the phone that streams."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.live import desk, plans, services
from shop.live.console import console, freshness, older_than
from shop.live.evening import evening
from shop.live.forms import chosen_lines, whole
from shop.live.models import Decision
from shop.live.outcomes import Outcome
from shop.live.services import HOSTS
from shop.live.sources import pasting
from shop.live.spoken import as_field, counted
from shop.seller.drawing import share
from village.db import db
from village.errors import BadInput, Conflict
from village.forms import Form, whole_number
from village.i18n import gettext as _
from village.i18n import ngettext as _n
from village.ids import uuid7
from village.people.access import requires, signed_in
from village.web.assets import zipped

pages = Blueprint("live", __name__, url_prefix="/seller/live", template_folder="templates")
SEQ_MAX = 2**31 - 1


@pages.get("")
@requires(*HOSTS)
def sessions() -> ResponseReturnValue:
    """Livestreams of this seller: running, planned, ended."""
    return plans.sessions_page()


@pages.get("/<session_id>")
@requires(*HOSTS)
def one(session_id: str) -> ResponseReturnValue:
    """The console."""
    return _console(session_id, Form({"paste": uuid7()}))


@pages.get("/<session_id>/list")
@requires(*HOSTS)
def listed(session_id: str) -> ResponseReturnValue:
    """What changes on the console, by itself: for the script that keeps it fresh. 304 when nothing did."""
    etag = freshness(signed_in(), session_id)
    # The script keeps the page itself: what is said by people lies in no browser's cache.
    headers = {"ETag": f'W/"{etag}"', "Cache-Control": "no-store"}
    if request.if_none_match.contains_weak(etag):
        return Response(status=304, headers=headers)
    shown = console(signed_in(), session_id)
    page = render_template("live/moving.html", console=shown, **_around(session_id))
    return zipped(Response(page, headers=headers, mimetype="text/html"))


@pages.get("/<session_id>/said")
@requires(*HOSTS)
def said(session_id: str) -> ResponseReturnValue:
    """What was said before the newest."""
    before = whole_number(request.args.get("before", str(SEQ_MAX)), "before", 0, SEQ_MAX)
    live, comments, older = older_than(signed_in(), session_id, before)
    return render_template("live/said.html", live=live, comments=comments, older=older, **_around(session_id))


@pages.post("/<session_id>/paste")
@requires(*HOSTS)
def paste(session_id: str) -> ResponseReturnValue:
    """Take pasted comments."""
    form = Form.typed()
    try:
        results = pasting.paste(signed_in(), session_id, form.text("comments"), form.text("paste")[:36])
    except BadInput as error:
        return _console(session_id, form.refused(error)), error.status
    except Conflict as error:
        flash(str(error), "warning")
        return _back(session_id)
    flash(pasting.outcome(results), "done")
    return _back(session_id)


@pages.post("/<session_id>/comments/<comment_id>/<any(confirm, dismiss, back, phone):what>")
@requires(*HOSTS)
def decide(session_id: str, comment_id: str, what: str) -> ResponseReturnValue:
    """One tap on a comment."""
    who, form = signed_in(), Form.typed()
    try:
        seen = whole(form.text("seen"), "seen")
        if what == "confirm":
            lines, instead_of = chosen_lines(form), form.text("instead_of")
            _tell(desk.confirm(who, session_id, comment_id, seen, lines, instead_of=instead_of))
        elif what == "dismiss":
            desk.dismiss(who, session_id, comment_id, seen)
            flash(_("Đã bỏ qua lời nhắn này."), "done")
        elif what == "back":
            _tell(desk.take_back(who, session_id, comment_id, seen, form.text("code")))
        else:
            _tell(desk.set_phone(who, session_id, comment_id, seen, form.text("phone")))
    except (BadInput, Conflict) as error:
        flash(str(error), "warning")
    return _back(session_id)


@pages.post("/<session_id>/offers/<wait_id>/take")
@requires(*HOSTS)
def take_up(session_id: str, wait_id: str) -> ResponseReturnValue:
    """A viewer whose turn came said yes."""
    try:
        desk.take_up(signed_in(), session_id, wait_id)
        flash(_("Khách lấy, đơn giữ luôn rồi."), "done")
    except Conflict as error:
        flash(str(error), "warning")
    return _back(session_id)


@pages.post("/<session_id>/told/<code>")
@requires(*HOSTS)
def told(session_id: str, code: str) -> ResponseReturnValue:
    """The seller gave a buyer her link, or reminded her."""
    desk.told(signed_in(), session_id, code)
    flash(_("Đã ghi là bác báo khách rồi."), "done")
    after = request.form.get("back") == "after"
    return redirect(url_for("live.after", session_id=session_id), 303) if after else _back(session_id)


@pages.post("/<session_id>/pin")
@requires(*HOSTS)
def pin(session_id: str) -> ResponseReturnValue:
    """The product that the host shows just now; none of them when the code is empty."""
    code = request.form.get("code", "")
    try:
        services.pin(signed_in(), session_id, code)
        flash(_("Đang ghim %(code)s.", code=code) if code else _("Thôi ghim, số trơn không còn nghĩa gì."), "done")
    except (BadInput, Conflict) as error:
        flash(str(error), "warning")
    return _back(session_id)


@pages.post("/<session_id>/pause")
@requires(*HOSTS)
def pause(session_id: str) -> ResponseReturnValue:
    """Keep comments, decide them later."""
    try:
        services.pause(signed_in(), session_id, give_back=bool(request.form.get("give_back")))
        flash(_("Phiên đang nghỉ. Lời nhắn vẫn vào sổ."), "done")
    except Conflict as error:
        flash(str(error), "warning")
    return _back(session_id)


@pages.post("/<session_id>/go-on")
@requires(*HOSTS)
def go_on(session_id: str) -> ResponseReturnValue:
    """Decide what a pause left, and what comes from now on."""
    try:
        for short in services.resume(signed_in(), session_id):
            told = _n("Mã %(code)s chỉ còn để riêng được %(kept)s gói.", short.kept, code=short.code, kept=short.kept)
            flash(told, "warning")
        if _settled(session_id):
            flash(_("Phiên chạy tiếp rồi, lời nhắn lúc nghỉ đã chia lần lượt."), "done")
    except Conflict as error:
        flash(str(error), "warning")
    return _back(session_id)


@pages.post("/<session_id>/end")
@requires(*HOSTS)
def end(session_id: str) -> ResponseReturnValue:
    """No more comments."""
    try:
        services.end(signed_in(), session_id)
        if _settled(session_id):
            flash(_("Phiên kết rồi. Lời nhắn cần xem thì bác vẫn xem tiếp được."), "done")
    except Conflict as error:
        flash(str(error), "warning")
    return _back(session_id)


@pages.get("/<session_id>/after")
@requires(*HOSTS)
def after(session_id: str) -> ResponseReturnValue:
    """How it went: figures drawn, slips to print, buyers who have to be reminded."""
    return render_template(
        "live/after.html", shown=evening(signed_in(), session_id), share=share, **_around(session_id)
    )


def _console(session_id: str, form: Form) -> str:
    shown = console(signed_in(), session_id)
    return render_template("live/console.html", console=shown, form=form, **_around(session_id))


def _around(session_id: str) -> dict[str, Any]:
    """What the parts of the console need besides: their words, and the way to this livestream's other pages."""
    return {
        "counted": counted,
        "as_field": as_field,
        "plan_url": url_for("live_plans.one", session_id=session_id),
        "notes_url": url_for("live_plans.spoken", session_id=session_id),
        "sources_url": f"/seller/live/{session_id}/sources",
        "fairness_url": f"/live/{session_id}/order",
    }


def _settled(session_id: str) -> bool:
    """False while what a pause kept is still being decided: the console says so itself."""
    return services.authorised(db.session(), signed_in(), session_id).becomes is None


def _back(session_id: str) -> ResponseReturnValue:
    return redirect(url_for("live.one", session_id=session_id), 303)


def _tell(outcome: Outcome) -> None:
    match outcome.decision:
        case Decision.ORDER:
            number = outcome.order.number if outcome.order else ""
            flash(_("Đã ghi %(what)s vào đơn %(number)s.", what=counted(outcome.lines), number=number), "done")
            if outcome.waiting:
                flash(_("Còn %(what)s thì đang chờ hàng.", what=counted(outcome.waiting)), "info")
        case Decision.WAITLIST:
            flash(_("Hết hàng rồi, đã xếp vào hàng chờ: %(what)s.", what=counted(outcome.waiting)), "info")
        case Decision.CANCEL:
            back = _("Đã bỏ %(what)s.", what=counted(outcome.lines))
            flash(back if outcome.lines else _("Không còn gì để bỏ."), "done")
        case _:
            flash(_("Đã ghi số điện thoại."), "done")
