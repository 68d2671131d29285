"""Where buyers object (`/parcels/appeal/<gln>`), where they read the answer, and where sellers give it."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.orders import steps
from shop.refusals import appeals, correcting
from shop.refusals.models import WORDS_MAX
from shop.refusals.rules import rules
from shop.refusals.services import months
from shop.refusals.shown import outcome_words
from shop.rights.seller import imprint
from village.errors import BadInput, Conflict, SoiError
from village.forms import Form
from village.i18n import gettext as _
from village.people.access import requires, signed_in
from village.people.phones import shown_phone
from village.people.throttle import count_act

pages = Blueprint("refusals", __name__, template_folder="templates")


@pages.get("/parcels/appeal/<gln>")
def ask(gln: str) -> ResponseReturnValue:
    """What is kept of parcels that came back, and the form to object."""
    return _ask(gln, Form())


@pages.post("/parcels/appeal/<gln>")
def send(gln: str) -> ResponseReturnValue:
    """Object; the answer will stand behind a link."""
    count_act("appeal", request.remote_addr or "", rules().appeals_most)
    form = Form.typed()
    try:
        made = appeals.make(gln, form.text("phone"), form.text("words"))
    except (BadInput, Conflict) as error:
        return make_response(_ask(gln, form.refused(error)), error.status)
    return redirect(url_for("refusals.one", token=made.token), 303)


@pages.get("/parcels/appeals/<token>")
def one(token: str) -> ResponseReturnValue:
    """How it stands with an objection, for whoever holds its link."""
    found = appeals.by_token(token)
    return render_template(
        "refusals/one.html", appeal=found, until=appeals.until(found), seller=imprint(appeals.seller_by_id(found)),
        months=months(), days=rules().appeal_shown,
    )  # fmt: skip


@pages.get("/seller/appeals")
@requires(*steps.WORKERS)
def waiting() -> ResponseReturnValue:
    """Objections that wait for an answer."""
    return _waiting()


@pages.post("/seller/appeals/<appeal_id>")
@requires(*steps.WORKERS)
def answer(appeal_id: str) -> ResponseReturnValue:
    """Take what is kept away, or let it stand and say why."""
    try:
        appeals.answer(signed_in(), appeal_id, request.form.get("verdict", ""), _answer(appeal_id))
    except (BadInput, Conflict) as error:
        return make_response(_waiting(appeal_id, error), error.status)
    flash(_("Đã trả lời. Người mua đọc được ở đường dẫn của họ."), "done")
    return redirect(url_for("refusals.waiting"), 303)


@pages.post("/seller/parcels/<shipment_id>/outcome")
@requires(*steps.WORKERS)
def correct(shipment_id: str) -> ResponseReturnValue:
    """Why a parcel came back, told anew."""
    correcting.tell_anew(signed_in(), shipment_id, request.form.get("why", ""))
    flash(_("Đã ghi lại."), "done")
    return redirect(url_for("delivery.parcel", shipment_id=shipment_id), 303)


def _answer(appeal_id: str) -> str:
    # Each form of the page has a name of its own for it, so that labels find their fields.
    return request.form.get(f"answer-{appeal_id}", "")


def _ask(gln: str, form: Form) -> str:
    seller = imprint(appeals.seller_of(gln))
    return render_template(
        "refusals/ask.html", form=form, seller=seller, gln=gln, months=months(), days=rules().appeal_days,
        most=WORDS_MAX,
    )  # fmt: skip


def _waiting(appeal_id: str = "", error: SoiError | None = None) -> str:
    return render_template(
        "refusals/waiting.html", cases=appeals.waiting(signed_in()), phone=shown_phone, words=outcome_words,
        wrong=appeal_id, error=error, typed=_answer(appeal_id), most=WORDS_MAX,
    )  # fmt: skip


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
