"""The seller's livestreams: the list, a new one, and the console beside the phone that streams."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from shop.catalogue.services import Offer, offers
from shop.live import desk, intake, services
from shop.live.console import as_field, console, counted, needs_look
from shop.live.forms import PLATFORMS, chosen_codes, chosen_lines, field_of, proposed_codes, whole
from shop.live.models import Decision
from shop.live.outcomes import Outcome
from shop.live.services import HOSTS, Code
from village.errors import BadInput, Conflict
from village.forms import Form
from village.i18n import gettext as _
from village.ids import uuid7
from village.people.access import requires, signed_in

pages = Blueprint("live", __name__, url_prefix="/seller/live", template_folder="templates")
WORDS = {"counted": counted, "as_field": as_field}


@pages.get("")
@requires(*HOSTS)
def sessions() -> ResponseReturnValue:
    """Livestreams of this seller, and the form for the next one."""
    shelf = _shelf()
    return _sessions(Form({"key": uuid7(), **proposed_codes(shelf)}))


@pages.post("")
@requires(*HOSTS)
def start() -> ResponseReturnValue:
    """Begin a livestream."""
    form = Form.typed()
    codes: list[Code] = []
    try:
        codes = chosen_codes(form)
        session_id = services.start(
            signed_in(), form.text("title"), form.text("platform"), codes, idempotency_key=form.text("key") or None
        )
    except (BadInput, Conflict) as error:
        error.field = field_of(codes, error.field)
        return _sessions(form.refused(error)), error.status
    return redirect(url_for("live.one", session_id=session_id), 303)


@pages.get("/<session_id>")
@requires(*HOSTS)
def one(session_id: str) -> ResponseReturnValue:
    """The console."""
    return _console(session_id, Form({"paste": uuid7()}))


@pages.get("/<session_id>/list")
@requires(*HOSTS)
def listed(session_id: str) -> ResponseReturnValue:
    """What changes on the console, by itself: for the script that keeps it fresh."""
    return render_template("live/moving.html", console=console(signed_in(), session_id), **WORDS)


@pages.post("/<session_id>/paste")
@requires(*HOSTS)
def paste(session_id: str) -> ResponseReturnValue:
    """Take pasted comments."""
    form = Form.typed()
    try:
        results = intake.paste(signed_in(), session_id, form.text("comments"), form.text("paste")[:36])
    except BadInput as error:
        return _console(session_id, form.refused(error)), error.status
    except Conflict as error:
        flash(str(error), "warning")
        return _back(session_id)
    taken = sum(result.decision is Decision.ORDER for result in results)
    look = sum(needs_look(result.decision, result.reason) for result in results)
    told = _(
        "Đã đọc %(count)s lời nhắn: %(taken)s thành đơn, %(look)s cần bác xem.",
        count=len(results), taken=taken, look=look,
    )  # fmt: skip
    flash(told, "done")
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


@pages.post("/<session_id>/end")
@requires(*HOSTS)
def end(session_id: str) -> ResponseReturnValue:
    """No more comments."""
    services.end(signed_in(), session_id)
    flash(_("Phiên kết rồi. Lời nhắn cần xem thì bác vẫn xem tiếp được."), "done")
    return _back(session_id)


def _shelf() -> list[Offer]:
    """What this seller's cooperative has to sell."""
    return [offer for offer in offers() if offer.cooperative_id == signed_in().cooperative_id]


def _sessions(form: Form) -> str:
    sessions = services.sessions_of(signed_in())
    return render_template("live/sessions.html", form=form, sessions=sessions, offers=_shelf(), platforms=PLATFORMS)


def _console(session_id: str, form: Form) -> str:
    return render_template(
        "live/console.html", console=console(signed_in(), session_id), form=form, **WORDS
    )


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
