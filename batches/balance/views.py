"""The pages of the balances: a batch's, a household's season's, the village's, and what the office should look at."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from batches.balance import outliers, services
from batches.balance.shown import Balance, raw_and_goods
from batches.balance.spans import Span, asked, season_of, seasons
from batches.balance.table import as_csv
from batches.balance.telling import flag_words
from batches.balance.words import capital
from village import clock
from village.db import db
from village.errors import BadInput
from village.forms import Form, whole_number
from village.i18n import date
from village.i18n import gettext as _
from village.people.access import requires, signed_in
from village.people.models import Role

balances = Blueprint("balance", __name__, template_folder="templates")
MOST_SHOWN = 100
"""Flags on one page: the loud and the newest; clearing them brings up the next."""


@balances.get("/batches/<uuid:batch_id>/balance")
@requires(Role.PRODUCER, Role.OFFICE, Role.AUDITOR)
def batch(batch_id: object) -> ResponseReturnValue:
    """What stands behind a batch, and what became of it."""
    found, process, told = services.of_batch(signed_in(), str(batch_id))
    return render_template("balance/batch.html", batch=found, process=process, balance=told)


@balances.get("/batches/<uuid:batch_id>/balance.csv")
@requires(Role.PRODUCER, Role.OFFICE, Role.AUDITOR)
def batch_csv(batch_id: object) -> ResponseReturnValue:
    """The same as CSV."""
    found, _process, told = services.of_batch(signed_in(), str(batch_id))
    return _flows_csv(f"soi-{found.lot}", told)


@balances.get("/batches/season")
@requires(Role.PRODUCER, Role.OFFICE, Role.AUDITOR)
def season() -> ResponseReturnValue:
    """A household's season, beside its own earlier ones and the village's median."""
    who = signed_in()
    span, form = _span()
    own = services.of_household(who, request.args.get("household"), span, request.args.get("process"))
    page = render_template(
        "balance/season.html",
        own=own,
        words=raw_and_goods(own.process) if own else ("", ""),
        households=[(home.id, home.name) for home in services.households_seen_by(who)],
        processes=[(one.key, capital(one.name)) for one in own.processes] if own else [],
        mine=own is not None and own.household.id == who.household_id,
        **_choice(span, form),
    )
    return page, form.error.status if form.error else 200


@balances.get("/batches/season.csv")
@requires(Role.PRODUCER, Role.OFFICE, Role.AUDITOR)
def season_csv() -> ResponseReturnValue:
    """The same as CSV."""
    span = asked(request.args, clock.today())
    own = services.of_household(signed_in(), request.args.get("household"), span, request.args.get("process"))
    name = f"soi-{own.process.key if own else 'season'}-{span.first}-{span.last}"
    return _flows_csv(name, own.balance) if own else as_csv(name, _FLOW_HEAD, [])


@balances.get("/coop/balance")
@requires(Role.OFFICE, Role.AUDITOR)
def village() -> ResponseReturnValue:
    """The whole cooperative, and its households beside each other."""
    span, form = _span()
    found = services.of_village(signed_in(), span, request.args.get("process"))
    page = render_template(
        "balance/coop.html",
        found=found,
        words=raw_and_goods(found.process),
        processes=[(one.key, capital(one.name)) for one in found.processes],
        **_choice(span, form),
    )
    return page, form.error.status if form.error else 200


@balances.get("/coop/balance.csv")
@requires(Role.OFFICE, Role.AUDITOR)
def village_csv() -> ResponseReturnValue:
    """The village's bands as CSV."""
    span = asked(request.args, clock.today())
    found = services.of_village(signed_in(), span, request.args.get("process"))
    return _flows_csv(f"soi-{found.process.key}-{span.first}-{span.last}", found.balance)


@balances.get("/coop/balance-households.csv")
@requires(Role.OFFICE, Role.AUDITOR)
def households_csv() -> ResponseReturnValue:
    """The households beside each other as CSV."""
    span = asked(request.args, clock.today())
    found = services.of_village(signed_in(), span, request.args.get("process"))
    head = (
        "household", "harvested_g", "bought_g", "received_g", "made_g", "packed_g", "sold_g", "given_g", "lost_g",
        "left_raw_g", "left_between_g", "left_goods_g", "yield_percent",
    )  # fmt: skip
    rows = [
        (
            home.name, f.harvested, f.bought, f.received, f.made, f.packed, f.sold, f.given, f.lost,
            f.left_raw, f.left_between, f.left_goods, None if f.share is None else f"{f.share / 100:.2f}",
        )
        for home in found.homes
        for f in (home.figures,)
    ]  # fmt: skip
    return as_csv(f"soi-{found.process.key}-households-{span.first}-{span.last}", head, rows)


@balances.get("/coop/outliers")
@requires(Role.OFFICE, Role.AUDITOR)
def flagged() -> ResponseReturnValue:
    """Figures to look at, the loud ones first."""
    return _flags(Form())


@balances.post("/coop/outliers")
@requires(Role.OFFICE)
def clear() -> ResponseReturnValue:
    """The office has looked at one of them, and says what it was."""
    who, form = signed_in(), Form.typed()
    span = asked(_season_alone(form.text("season")), clock.today())
    try:
        figure = whole_number(form.text("figure"), "figure", 0, 10**14)
        outliers.clear(who, span, form.text("key"), figure, form.text("why"))
    except BadInput as error:
        return _flags(form.refused(error)), error.status
    flash(_("Đã xem xong. Số ấy đổi thì sẽ hiện lại."), "done")
    return redirect(url_for("balance.flagged", season=span.season))


def _flags(form: Form) -> str:
    who = signed_in()
    span = asked(_season_alone(form.text("season") or request.args.get("season", "")), clock.today())
    session = db.session()
    found = outliers.flagged(session, who.cooperative_id, span)
    shown = found.open[:MOST_SHOWN]
    cleared = sorted(found.cleared, key=lambda one: one.at, reverse=True)[:MOST_SHOWN]
    events = [flag.event_id for flag in (*shown, *(one.flag for one in cleared)) if flag.event_id]
    return render_template(
        "balance/outliers.html",
        found=found,
        shown=shown,
        cleared=cleared,
        written=outliers.written(session, events),
        names={home.id: home.name for home in services.households_seen_by(who)},
        words=flag_words,
        form=form,
        span=span,
        seasons=[(one.season, _season_words(one)) for one in seasons(clock.today())],
        office=who.has(Role.OFFICE),
    )


def _season_alone(year: str) -> dict[str, str]:
    return {"season": year}


def _span() -> tuple[Span, Form]:
    """The span asked for; this season where the question is wrong, with what was wrong beside its field."""
    form = Form(request.args)
    today = clock.today()
    try:
        return asked(request.args, today), form
    except BadInput as error:
        return season_of(today), form.refused(error)


def _choice(span: Span, form: Form) -> dict[str, object]:
    return {
        "span": span,
        "form": form,
        "seasons": [("", _("Từ ngày đến ngày"))] * (span.season is None)
        + [(one.season, _season_words(one)) for one in seasons(clock.today())],
        "span_words": _season_words(span),
        "query": _query(),
    }


def _query() -> dict[str, str]:
    """What was asked for, to be asked again for the CSV."""
    kept = MultiDict((key, request.args.get(key)) for key in ("season", "from", "to", "household", "process"))
    return {key: value for key, value in kept.items() if value}


def _season_words(span: Span) -> str:
    if span.season is not None:
        return _("Mùa %(first)s–%(last)s", first=span.season, last=span.season + 1)
    return _("Từ %(first)s đến %(last)s", first=date(span.first), last=date(span.last))


_FLOW_HEAD = ("from", "to", "grams")


def _flows_csv(name: str, told: Balance) -> ResponseReturnValue:
    return as_csv(name, _FLOW_HEAD, [(row.source, row.target, row.grams) for row in told.rows])
