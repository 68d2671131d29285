"""/seller/payments: money that a person has to decide about, and what the bank's days came to."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.orders.steps import WORKERS
from shop.payments.daily import services as daily
from shop.payments.desk import services, shown
from shop.payments.desk.services import GOES_BACK, HAS_MONEY
from village.errors import BadInput, Conflict, SoiError
from village.forms import day, page_number
from village.i18n import gettext as _
from village.people.access import requires, signed_in
from village.people.models import Role
from village.web.bodies import up_to

pages = Blueprint("payment_desk", __name__, url_prefix="/seller/payments", template_folder="../templates")


@pages.get("")
@requires(*WORKERS)
def desk() -> ResponseReturnValue:
    """What waits, and what was decided."""
    return _page()


@pages.post("/<puzzle_id>/match")
@requires(*WORKERS)
def match(puzzle_id: str) -> ResponseReturnValue:
    """The money belongs to this order."""
    return _decide(
        puzzle_id, lambda: services.match(signed_in(), puzzle_id, request.form.get("number", "")), _("Đã ghi vào đơn.")
    )


@pages.post("/<puzzle_id>/refund")
@requires(*WORKERS)
def refund(puzzle_id: str) -> ResponseReturnValue:
    """It was sent back."""
    sent = request.form
    return _decide(
        puzzle_id,
        lambda: services.refund(signed_in(), puzzle_id, sent.get("reference", ""), sent.get("note", "")),
        _("Đã ghi là chuyển trả rồi."),
    )


@pages.post("/<puzzle_id>/aside")
@requires(*WORKERS)
def set_aside(puzzle_id: str) -> ResponseReturnValue:
    """Nothing more is to be done."""
    return _decide(
        puzzle_id,
        lambda: services.set_aside(signed_in(), puzzle_id, request.form.get("note", "")),
        _("Đã để qua một bên."),
    )


@pages.post("/again")
@requires(Role.OFFICE)
def again() -> ResponseReturnValue:
    """Try what could not be handled once more."""
    handled = services.again(signed_in())
    flash(_("Đã xem lại, %(count)s tin xong.", count=handled), "info")
    return redirect(url_for("payment_desk.desk"), 303)


@pages.get("/bank")
@requires(*WORKERS)
def bank() -> ResponseReturnValue:
    """What the bank's days came to, and where to load a statement."""
    return _bank()


@pages.post("/bank/statement")
@up_to(lambda _settings: daily.STATEMENT_MAX + 64 * 1024)
@requires(*WORKERS)
def load() -> ResponseReturnValue:
    """Compare a bank's statement with what was booked, and take in what is missing."""
    file = request.files.get("file")
    try:
        made = daily.load_statement(signed_in(), file.read() if file else b"")
    except (BadInput, Conflict) as error:
        return _bank(error), error.status
    flash(
        _("Đã đối chiếu %(lines)s khoản tiền về, %(missing)s khoản mới ghi thêm.", lines=made.lines,
          missing=made.missing), "done",
    )  # fmt: skip
    return redirect(url_for("payment_desk.bank"), 303)


@pages.post("/bank/day")
@requires(*WORKERS)
def fetch() -> ResponseReturnValue:
    """Have a day fetched from who watches the account, and compared."""
    try:
        job = daily.ask_for_day(signed_in(), day(request.form.get("day"), "day"))
    except (BadInput, Conflict) as error:
        return _bank(error), error.status
    return redirect(url_for("jobs.one", job_id=job.id), 303)


def _decide(puzzle_id: str, act: Callable[[], object], done: str) -> ResponseReturnValue:
    try:
        act()
    except (BadInput, Conflict) as error:
        return _page(error, puzzle_id), error.status
    flash(done, "done")
    return redirect(url_for("payment_desk.desk"), 303)


def _page(error: SoiError | None = None, puzzle_id: str = "") -> Response:
    page = page_number(request.args.get("page", ""))
    who = signed_in()
    return make_response(
        render_template(
            "payments/desk.html", desk=services.desk(who, page), page=page, why=shown.why, advice=shown.advice,
            facts=shown.facts, became=shown.became, has_money=HAS_MONEY, goes_back=GOES_BACK, error=error, at=puzzle_id,
            typed=request.form, office=who.has(Role.OFFICE),
        )
    )  # fmt: skip


def _bank(error: SoiError | None = None) -> Response:
    return make_response(render_template("payments/bank.html", bank=daily.bank(signed_in()), error=error))


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
