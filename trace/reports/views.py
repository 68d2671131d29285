"""`/certificates/<sha256>`: a laboratory's paper, as the office took it in."""

from flask import Blueprint, send_file
from flask.typing import ResponseReturnValue

from trace.photos.store import HASH
from trace.photos.views import POLICY
from trace.reports.services import paper_for, papers
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import actor

PDF = "application/pdf"
pages = Blueprint("reports", __name__, template_folder="templates")


@pages.get("/certificates/<sha256>")
def paper(sha256: str) -> ResponseReturnValue:
    """The paper. A PDF is handed over as a file: what a stranger's document does is no page of ours."""
    if not HASH.fullmatch(sha256):
        raise NotFound("no-paper", _l("Không có tờ giấy nào ở địa chỉ này, hoặc giấy không bày ra cho mọi người."))
    report, everybody = paper_for(actor(), sha256)
    is_pdf = report.mime == PDF
    response = send_file(
        papers().path(sha256), report.mime, conditional=True, etag=sha256,
        as_attachment=is_pdf, download_name=f"{sha256[:12]}.pdf" if is_pdf else None,
    )  # fmt: skip
    # Whether it is shown may change, unlike its bytes.
    response.headers["Cache-Control"] = "public, no-cache" if everybody else "private, no-cache"
    response.headers["Content-Security-Policy"] = POLICY
    return response
