"""Cases: `/coop/cases` for the office and the households that packed them (`/00/<sscc>` is trace/scan/others.py)."""

from flask import Blueprint, Response, current_app, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from trace.labels import qr
from trace.lots import cases
from trace.lots.models import LogisticUnit
from trace.scan import words
from village.db import db
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import requires, signed_in
from village.people.models import Role

pages = Blueprint("cases", __name__, template_folder="templates")
STATUSES = {
    "closed": _l("Đang đóng"),
    "opened": _l("Đã mở"),
    "shipped": _l("Đã gửi đi"),
    "lost": _l("Không còn nữa"),
}


@pages.get("/coop/cases")
@requires(Role.OFFICE, Role.PRODUCER)
def listed() -> ResponseReturnValue:
    """The cases of the cooperative; a producer sees those of her household."""
    who = signed_in()
    found = cases.of_cooperative(db.session(), who.cooperative_id, None if who.has(Role.OFFICE) else who.household_id)
    return render_template("cases/cases.html", cases=found, statuses=STATUSES, words=words, most=cases.MOST)


@pages.get("/coop/cases/<sscc>")
@requires(Role.OFFICE, Role.PRODUCER)
def one(sscc: str) -> ResponseReturnValue:
    """A case, what lies in it, and its label to print."""
    unit = _own(sscc)
    return render_template(
        "cases/case.html",
        unit=unit,
        statuses=STATUSES,
        words=words,
        code=Markup(qr.svg(_address(sscc), f"SSCC {sscc}", 60)),
    )


@pages.get("/coop/cases/<sscc>/label.png")
@requires(Role.OFFICE, Role.PRODUCER)
def label(sscc: str) -> ResponseReturnValue:
    """The label as a picture: the code, the number, and what lies in the case."""
    unit = _own(sscc)
    within = (f"{part.units} × {part.batch.product.name_vi}, {part.batch.lot}" for part in unit.parts)
    picture = qr.png(_address(sscc), (f"SSCC {spaced(unit.sscc)}", *within))
    disposition = f'inline; filename="thung-{unit.sscc}.png"'
    return Response(picture, mimetype="image/png", headers={"Content-Disposition": disposition})


def spaced(sscc: str) -> str:
    """In groups that can be read aloud: 0 950600000 0001 …"""
    return " ".join(sscc[start : start + 6] for start in range(0, len(sscc), 6))


def _own(sscc: str) -> LogisticUnit:
    unit = cases.find(db.session(), sscc)
    if not signed_in().works_for(unit.household_id, unit.cooperative_id):
        raise NotFound("no-case", _l("Không có thùng nào mang số %(sscc)s."), sscc=sscc)
    return unit


def _address(sscc: str) -> str:
    return f"{current_app.extensions['soi'].public_url}/00/{sscc}"
