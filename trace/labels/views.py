"""Labels: `/labels/<gtin>/<lot>.svg`, `.png`, `.pdf` for anybody, and a page to print them from."""

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from trace.gs1.digital_link import DigitalLink
from trace.gs1.errors import Gs1Error
from trace.labels import render, services
from village.errors import Malformed, NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import requires
from village.people.models import Role

pages = Blueprint("labels", __name__, template_folder="templates")


@pages.get("/labels/<gtin>/<path:name>", merge_slashes=False)
def label(gtin: str, name: str) -> ResponseReturnValue:
    """A label as a file, or without an ending the page that prints it."""
    lot, _dot, kind = name.rpartition(".")
    if kind not in services.TYPES:
        return _page(_link(gtin, name))
    sheet = request.args.get("sheet")
    if sheet is not None and kind != "pdf":
        raise NotFound("sheet-is-pdf", _l("Tờ nhiều tem chỉ có dạng PDF."))
    batch = services.labelled(_link(gtin, lot))
    printed = services.printed(batch, kind, services.sheet_size(sheet))
    response = Response(printed.body, mimetype=printed.mimetype)
    response.set_etag(printed.etag)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Disposition"] = f'inline; filename="{printed.file_name}"'
    return response.make_conditional(request)


@requires(Role.PRODUCER, Role.OFFICE, Role.SELLER)
def _page(link: DigitalLink) -> ResponseReturnValue:
    batch = services.labelled(link)
    return render_template(
        "labels/label.html",
        batch=batch,
        address=f"/labels{link.path.removeprefix('/01').replace('/10/', '/', 1)}",
        scan=link.path,
        text=services.text_of(batch),
        per_sheet=render.PER_SHEET,
        most=render.MAX_LABELS,
        wanted=min(batch.left_units or batch.made_units or 1, render.MAX_LABELS),
    )


def _link(gtin: str, lot: str) -> DigitalLink:
    try:
        return DigitalLink(gtin, lot)
    except Gs1Error as error:
        raise Malformed(
            error.slug,
            _l("Địa chỉ của tem không đúng: cần GTIN 14 số đúng số kiểm tra, rồi đến mã lô."),
        ) from error
