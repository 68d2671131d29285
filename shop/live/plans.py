"""The seller's livestreams before they run: the list, a plan, its changes, the host's notes."""

import datetime as dt
from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.catalogue.services import Offer, offers
from shop.live import notes, planning, services
from shop.live.forms import PLATFORMS, draft_of, field_of, proposed, rows, values_of
from shop.live.models import LiveSession
from shop.live.planning import Draft
from shop.live.services import HOSTS, RUNNING, Short, authorised
from village import clock
from village.db import db
from village.errors import BadInput, Conflict
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import ngettext as _n
from village.ids import uuid7
from village.people.access import requires, signed_in

pages = Blueprint("live_plans", __name__, url_prefix="/seller/live", template_folder="templates")
WEEK = dt.timedelta(days=7)


def sessions_page() -> str:
    """Livestreams of this seller: those that run, those that are planned, those that were."""
    mine = services.sessions_of(signed_in())
    planned = [one for one in mine if one.status == "planned"]
    planned.sort(key=lambda one: (one.planned_for is None, one.planned_for or one.started_at))
    return render_template(
        "live/sessions.html",
        running=[one for one in mine if one.status in RUNNING],
        planned=planned,
        over=[one for one in mine if one.status == "ended"],
    )


@pages.get("/plan")
@requires(*HOSTS)
def new() -> ResponseReturnValue:
    """The form of a new livestream; with `?like=` filled in as another one was."""
    like = request.args.get("like", "")
    shelf = _shelf()
    if not like:
        return _form(Form({"key": uuid7(), **proposed(shelf)}))
    draft = _again(authorised(db.session(), signed_in(), like))
    return _form(Form({"key": uuid7(), **values_of(draft, shelf)}))


@pages.post("")
@requires(*HOSTS)
def create() -> ResponseReturnValue:
    """Write a livestream down: to be begun now (`now`), or later."""
    form = Form.typed()
    now = form.ticked("now")
    try:
        draft = draft_of(form)
        session_id = services.plan(signed_in(), draft, begin_now=now, idempotency_key=form.text("key") or None)
    except (BadInput, Conflict) as error:
        error.field = field_of(form, error.field)
        return _form(form.refused(error)), error.status
    if not now:
        flash(_("Đã soạn xong phiên này, tới giờ bác bấm mở là bán."), "done")
        return redirect(url_for("live.sessions"), 303)
    _warn(services.short_of(signed_in(), session_id))
    return redirect(url_for("live.one", session_id=session_id), 303)


@pages.get("/<session_id>/plan")
@requires(*HOSTS)
def one(session_id: str) -> ResponseReturnValue:
    """A plan, to be changed."""
    live = authorised(db.session(), signed_in(), session_id)
    return _form(Form(values_of(planning.draft_of(live), _shelf())), live)


@pages.post("/<session_id>/plan")
@requires(*HOSTS)
def amend(session_id: str) -> ResponseReturnValue:
    """Change a plan."""
    form, who = Form.typed(), signed_in()
    try:
        short = services.amend(who, session_id, draft_of(form))
    except (BadInput, Conflict) as error:
        error.field = field_of(form, error.field)
        return _form(form.refused(error), authorised(db.session(), who, session_id)), error.status
    flash(_("Đã ghi lại phiên này."), "done")
    _warn(short)
    running = authorised(db.session(), who, session_id).status in RUNNING
    return redirect(url_for("live.one", session_id=session_id) if running else url_for("live.sessions"), 303)


@pages.post("/<session_id>/begin")
@requires(*HOSTS)
def begin(session_id: str) -> ResponseReturnValue:
    """Open a planned livestream."""
    try:
        _warn(services.begin(signed_in(), session_id))
    except Conflict as error:
        flash(str(error), "warning")
    return redirect(url_for("live.one", session_id=session_id), 303)


@pages.post("/<session_id>/drop")
@requires(*HOSTS)
def drop(session_id: str) -> ResponseReturnValue:
    """Throw a plan away."""
    try:
        services.drop(signed_in(), session_id)
    except Conflict as error:
        flash(str(error), "warning")
    else:
        flash(_("Đã bỏ bản soạn này."), "done")
    return redirect(url_for("live.sessions"), 303)


@pages.get("/<session_id>/notes")
@requires(*HOSTS)
def spoken(session_id: str) -> ResponseReturnValue:
    """What the host may tell of each code, in large letters."""
    live = authorised(db.session(), signed_in(), session_id)
    return render_template("live/notes.html", live=live, told=notes.of(db.session(), live))


def _again(live: LiveSession) -> Draft:
    """A livestream to be had again: in the same hour of the same day of the week, next time that there is one."""
    draft = planning.draft_of(live)
    when = draft.planned_for or live.started_at
    weeks = max(0, (clock.now() - when) // WEEK + 1)
    return Draft(
        draft.title, draft.platform, draft.codes, (when + weeks * WEEK).replace(second=0, microsecond=0),
        draft.viewer_max, draft.order_max, draft.claim_minutes, draft.offer_minutes, draft.notes,
    )  # fmt: skip


def _shelf() -> list[Offer]:
    """What this seller's cooperative has to sell."""
    return [offer for offer in offers() if offer.cooperative_id == signed_in().cooperative_id]


def _form(form: Form, live: LiveSession | None = None) -> str:
    return render_template(
        "live/plan.html", form=form, live=live, rows=rows(_shelf(), form, live), platforms=PLATFORMS,
        running=live is not None and live.status in RUNNING,
    )  # fmt: skip


def _warn(short: Sequence[Short]) -> None:
    """Say for which codes less is kept than was wished."""
    for one in short:
        said = _n(
            "Mã %(code)s muốn để riêng %(wished)s gói mà chỉ còn %(kept)s gói để giữ.", one.wished,
            code=one.code, wished=one.wished, kept=one.kept,
        )  # fmt: skip
        flash(said, "warning")
