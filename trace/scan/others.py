"""GS1's other keys: a parcel (`/00/<sscc>`), a place (`/414/<gln>`), and addresses that are no Digital Link today."""

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.routing import BaseConverter

from trace.gs1.digital_link import ParcelLink, PlaceLink, parse_parcel_path, parse_place_path
from trace.lots import cases
from trace.lots.case_views import STATUSES, spaced
from trace.scan import answers, links, words
from trace.scan.asked import Asked
from village.db import db
from village.errors import Malformed, NotFound
from village.i18n import lazy_gettext as _l
from village.places.models import Cooperative, Site

pages = Blueprint("gs1", __name__, template_folder="templates")
answers.init_app(pages)

METHODS = ("GET", "OPTIONS")


class Compressed(BaseConverter):
    """A Digital Link pressed into one word: of EPC binary (`eh…`, `ex…`), or by GS1's older way (01 begins `A`)."""

    regex = r"(?:e[hx]|A[A-Z])[A-Za-z0-9_-]{10,}"


@pages.route("/00/<path:_rest>", methods=METHODS, provide_automatic_options=False, merge_slashes=False)
def parcel(_rest: str) -> ResponseReturnValue:
    """What lies in a case, each lot with its own page."""
    return answers.resolved(parse_parcel_path, _parcel, _l("Số thùng phải đủ 18 chữ số và đúng số kiểm tra."))


@pages.route("/414/<path:_rest>", methods=METHODS, provide_automatic_options=False, merge_slashes=False)
def place(_rest: str) -> ResponseReturnValue:
    """Whose a place is and where, as far as its people agreed."""
    return answers.resolved(parse_place_path, _place, _l("Mã nơi (GLN) phải đủ 13 chữ số và đúng số kiểm tra."))


@pages.get("/<any('01','00','414'):_key>/", strict_slashes=False)
def bare(_key: str) -> ResponseReturnValue:
    """A key without a number."""
    raise Malformed("not-a-digital-link", answers.REASONS["not-a-digital-link"])


@pages.get("/<any(gtin,itip,cpid,sscc,gln,payTo,shipTo,grai,giai,gsrn,gdti,ginc,gsin,gcn,gmn):_name>/<path:_rest>")
def by_name(_name: str, _rest: str) -> ResponseReturnValue:
    """Keys by name, which the standard dropped with release 1.3 of its syntax: digits only."""
    raise Malformed(
        "not-a-digital-link",
        _l("Kiểu địa chỉ có chữ như /gtin/… GS1 đã bỏ. Bác viết bằng số: /01/ rồi mã GTIN đủ 14 số."),
    )


@pages.get("/<compressed:_word>")
def compressed(_word: str) -> ResponseReturnValue:
    """We print none of these, and do not take them apart."""
    raise Malformed(
        "compressed-digital-link",
        _l("Đây là mã GS1 dạng nén, chúng tôi không in và không đọc dạng ấy. Bác dùng địa chỉ đầy đủ /01/… nhé."),
    )


def _parcel(link: ParcelLink, asked: Asked) -> Response:
    unit = cases.find(db.session(), link.sscc)
    if not (asked.default and asked.by_person):
        return answers.about(links.of_parcel(unit), asked)
    return Response(
        render_template("cases/scanned.html", unit=unit, statuses=STATUSES, words=words, spaced=spaced(link.sscc))
    )


def _place(link: PlaceLink, asked: Asked) -> Response:
    found = _at(link.gln) if link.extension is None else None
    if found is None:
        raise NotFound("no-place", _l("Không có nơi nào của Bình Lư mang mã %(gln)s."), gln=link.gln)
    if not (asked.default and asked.by_person):
        return answers.about(links.of_place(found), asked)
    site, cooperative = (found, found.cooperative) if isinstance(found, Site) else (None, found)
    return Response(render_template("scan/place.html", gln=link.gln, site=site, cooperative=cooperative, words=words))


def _at(gln: str) -> Site | Cooperative | None:
    near = (joinedload(Site.hamlet), joinedload(Site.cooperative), joinedload(Site.household))
    site = db.session.scalar(select(Site).where(Site.gln == gln).options(*near))
    return site or db.session.scalar(select(Cooperative).where(Cooperative.gln == gln))
