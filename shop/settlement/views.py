"""`/coop/settlements`, where the office shares out what was sold, and `/settlement`, where a producer reads hers."""

import datetime as dt
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.settlement import drawing, printing, rules, services, statements
from shop.settlement.services import Open
from shop.settlement.statements import Statement
from village import clock
from village.errors import BadInput, Conflict, NotFound
from village.forms import Form, day
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.i18n import percent
from village.people.access import Actor, requires, signed_in
from village.people.models import Role
from village.places import services as places

pages = Blueprint("settlement", __name__, template_folder="templates")

BEARER_WORDS = {"households": _l("Các hộ, theo hàng của mình trong đơn"), "cooperative": _l("Hợp tác xã")}


@pages.get("/coop/settlements")
@requires(*services.READERS)
def home() -> ResponseReturnValue:
    """The running period, and those that were closed."""
    form = Form(request.args)
    try:
        last = day(form.text("last"), "last") if form.text("last") else None
    except BadInput as error:
        return _home(None, form.refused(error)), error.status
    return _home(last, form)


@pages.post("/coop/settlements")
@requires(Role.OFFICE)
def close() -> ResponseReturnValue:
    """Close the running period."""
    form, who = Form.typed(), signed_in()
    last: dt.date | None = None
    try:
        last = day(form.text("last"), "last")
        period = services.close(who, last, _owed(form.text("owed")))
    except (BadInput, Conflict) as error:
        return _home(last, form.refused(error)), error.status
    flash(_("Đã chốt kỳ %(number)s. Từ giờ số của kỳ này không đổi nữa.", number=period.number), "done")
    return redirect(url_for("settlement.period", settlement_id=period.id), 303)


@pages.get("/coop/settlements/rules")
@requires(*services.READERS)
def all_rules() -> ResponseReturnValue:
    """What was agreed on."""
    known = rules.rules_of(signed_in())
    values: dict[str, object] = {"costs_by": "households", "refunds_by": "households", "card_fee": "0"}
    if known:
        now = known[-1]
        values = {
            "share": _per_cent(now.share_bp), "card_fee": _per_cent(now.card_fee_bp), "costs_by": now.costs_by,
            "refunds_by": now.refunds_by,
        }  # fmt: skip
    return _rules(Form(values))


@pages.post("/coop/settlements/rules")
@requires(Role.OFFICE)
def set_rule() -> ResponseReturnValue:
    """Agree on a rule."""
    form = Form.typed()
    try:
        rules.set_rule(signed_in(), form)
    except BadInput as error:
        return _rules(form.refused(error)), error.status
    flash(_("Đã ghi cách chia."), "done")
    return redirect(url_for("settlement.home"), 303)


@pages.get("/coop/settlements/<uuid:settlement_id>")
@requires(*services.READERS)
def period(settlement_id: UUID) -> ResponseReturnValue:
    """A closed period: where its money went, and who is to be paid."""
    who = signed_in()
    found, sums = services.settlement_of(who, str(settlement_id))
    homes = sorted(((one.household.name, one.net) for one in found.households), key=lambda one: -one[1])
    return render_template(
        "settlement/period.html", period=found, sums=sums, paid=services.payouts(found.id),
        works=who.has(Role.OFFICE), parts=drawing.parts(sums), drawn=drawing.flow(sums, homes),
    )  # fmt: skip


@pages.get("/coop/settlements/<uuid:settlement_id>.pdf")
@requires(*services.READERS)
def period_pdf(settlement_id: UUID) -> ResponseReturnValue:
    """The same on paper, for signing."""
    found, sums = services.settlement_of(signed_in(), str(settlement_id))
    cooperative = places.cooperative_of(signed_in())
    body = printing.period_pdf(cooperative, found, sums, services.payouts(found.id), training=_training())
    return _pdf(body, f"chia-tien-ky-{found.number}.pdf")


@pages.get("/coop/settlements/<uuid:settlement_id>/<uuid:household_id>")
@requires(*services.READERS)
def statement(settlement_id: UUID, household_id: UUID) -> ResponseReturnValue:
    """One household's statement, and the note that it was paid."""
    return _statement(statements.closed(signed_in(), str(settlement_id), str(household_id)), Form(), office=True)


@pages.post("/coop/settlements/<uuid:settlement_id>/<uuid:household_id>/paid")
@requires(Role.OFFICE)
def pay(settlement_id: UUID, household_id: UUID) -> ResponseReturnValue:
    """A household has its money."""
    who, form = signed_in(), Form.typed()
    try:
        services.pay(who, str(settlement_id), str(household_id), form.text("reference"))
    except (BadInput, Conflict) as error:
        told = statements.closed(who, str(settlement_id), str(household_id))
        return _statement(told, form.refused(error), office=True), error.status
    flash(_("Đã ghi là trả xong."), "done")
    return redirect(url_for("settlement.period", settlement_id=settlement_id), 303)


@pages.get("/coop/settlements/<uuid:settlement_id>/<uuid:household_id>.pdf")
@requires(*services.READERS)
def statement_pdf(settlement_id: UUID, household_id: UUID) -> ResponseReturnValue:
    """The statement on paper."""
    return _statement_pdf(statements.closed(signed_in(), str(settlement_id), str(household_id)))


@pages.get("/settlement")
@requires(Role.PRODUCER)
def mine() -> ResponseReturnValue:
    """What has been sold of a household's lots since the last closing, and its closed periods."""
    who = signed_in()
    household = places.household_of(who, _household_id(who))
    period = services.opened(who, clock.today())
    return render_template(
        "settlement/mine.html", told=statements.running(household, period), period=period,
        closed=statements.of_household(household.id),
    )  # fmt: skip


@pages.get("/settlement/<uuid:settlement_id>")
@requires(Role.PRODUCER)
def my_statement(settlement_id: UUID) -> ResponseReturnValue:
    """Her household's statement of a closed period."""
    who = signed_in()
    return _statement(statements.closed(who, str(settlement_id), _household_id(who)), Form(), office=False)


@pages.get("/settlement/<uuid:settlement_id>.pdf")
@requires(Role.PRODUCER)
def my_statement_pdf(settlement_id: UUID) -> ResponseReturnValue:
    """The same on paper."""
    who = signed_in()
    return _statement_pdf(statements.closed(who, str(settlement_id), _household_id(who)))


def _home(last: dt.date | None, form: Form) -> str:
    who = signed_in()
    period: Open = services.opened(who, last)
    homes = {one.id: one.name for one in places.households_of(who.cooperative_id)}
    weighed = period.weighed
    nets = [(homes.get(key, ""), one.net) for key, one in weighed.balances.items()] if weighed else []
    return render_template(
        "settlement/home.html", period=period, homes=homes, closed=services.settlements_of(who), form=form,
        parts=drawing.parts(weighed) if weighed else [],
        drawn=drawing.flow(weighed, sorted(nets, key=lambda one: -one[1])) if weighed else None,
        works=who.has(Role.OFFICE), yesterday=clock.today() - services.DAY,
    )  # fmt: skip


def _rules(form: Form) -> str:
    who = signed_in()
    return render_template(
        "settlement/rules.html", form=form, rules=rules.rules_of(who), bearers=BEARER_WORDS,
        begun=bool(services.settlements_of(who)), works=who.has(Role.OFFICE), tomorrow=clock.today() + services.DAY,
    )  # fmt: skip


def _statement(told: Statement, form: Form, *, office: bool) -> str:
    works = office and signed_in().has(Role.OFFICE)
    return render_template("settlement/statement.html", told=told, form=form, office=office, works=works)


def _statement_pdf(told: Statement) -> Response:
    assert told.period is not None
    body = printing.statement_pdf(places.cooperative_of(signed_in()), told, training=_training())
    return _pdf(body, f"chia-tien-ky-{told.period.number}-{told.household.id[-6:]}.pdf")


def _pdf(body: bytes, name: str) -> Response:
    answer = Response(body, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return answer


def _household_id(who: Actor) -> str:
    if who.household_id is None:
        raise NotFound("no-household", _l("Bác chưa được ghi vào hộ nào. Bác nhờ văn phòng ghi giúp nhé."))
    return who.household_id


def _training() -> bool:
    return bool(current_app.extensions["soi"].training_of)


def _owed(text: str) -> int:
    """The sum that the page showed; it may be negative."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise BadInput("not-a-whole-number", _l("Bác mở lại trang rồi chốt nhé."), field="owed")
    return int(text)


def _per_cent(bp: int) -> str:
    return percent(bp / 10_000, 2).removesuffix("%").strip()


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
