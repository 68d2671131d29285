"""The office's pages: a dossier for one product and period, what it would lack, the zip; and the papers behind
certificates."""

import datetime as dt
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from batches.balance.spans import Span, asked, season_of, seasons
from batches.dossier import papers, services
from batches.dossier.checklist import HEADINGS
from batches.dossier.making import ENDINGS
from batches.dossier.services import Preview
from batches.evidence.services import largest_photo
from trace.photos.views import POLICY
from village import clock
from village.certificates.views import KIND_NAMES
from village.errors import BadInput, Conflict
from village.forms import Form
from village.i18n import date, in_language
from village.i18n import gettext as _
from village.jobs.models import Job
from village.people.access import requires, signed_in
from village.people.models import Role
from village.web.bodies import up_to

pages = Blueprint("dossier", __name__, template_folder="templates")


@pages.get("/coop/dossiers")
@requires(Role.OFFICE)
def home() -> ResponseReturnValue:
    """Choose a product and a period; what there is and what is missing; the dossiers that were made."""
    form = Form(request.args)
    try:
        span = asked(request.args, clock.today())
        product_id = request.args.get("product", "")
        found = services.preview(signed_in(), product_id, span) if product_id else None
    except BadInput as error:
        return _home(form.refused(error), season_of(clock.today()), None), error.status
    return _home(form, span, found)


@pages.post("/coop/dossiers")
@requires(Role.OFFICE)
def make() -> ResponseReturnValue:
    """Have a dossier made."""
    form = Form.typed()
    span = season_of(clock.today())
    try:
        span = asked({key: form.text(key) for key in ("from", "to", "season")}, clock.today())
        job = services.start(signed_in(), form.text("product"), span)
    except (BadInput, Conflict) as error:
        return _home(form.refused(error), span, None), error.status
    return redirect(url_for("jobs.one", job_id=job.id))


@pages.get("/coop/dossiers/<uuid:job_id>.zip")
@requires(Role.OFFICE)
def download(job_id: UUID) -> ResponseReturnValue:
    """The zip, for the office that it was made for."""
    path, job = services.fetched(signed_in(), str(job_id))
    name = f"ho-so-ocop-{job.args['slug']}-{job.args['first']}-{job.args['last']}.zip"
    response = send_file(path, mimetype="application/zip", as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _home(form: Form, span: Span, found: Preview | None) -> str:
    who = signed_in()
    products = [(one.id, in_language(one.name_vi, one.name_en)) for one in services.offered(who)]
    return render_template(
        "dossier/home.html",
        form=form,
        span=span,
        found=found,
        headings=HEADINGS,
        products=products,
        names=dict(products),
        seasons=[(one.season, _season(one)) for one in seasons(clock.today())],
        jobs=[(job, *_days(job)) for job in services.latest(who)],
        made=request.args.get("made", ""),
    )


def _days(job: Job) -> tuple[str, str]:
    return date(dt.date.fromisoformat(job.args["first"])), date(dt.date.fromisoformat(job.args["last"]))


def _season(span: Span) -> str:
    return _("Mùa %(first)s đến %(last)s", first=date(span.first), last=date(span.last))


@pages.get("/coop/certificates/<uuid:certificate_id>/paper")
@requires(Role.OFFICE)
def paper(certificate_id: UUID) -> ResponseReturnValue:
    """A certificate's paper: is it there, and the form to send it in."""
    return _paper(certificate_id, Form())


@pages.post("/coop/certificates/<uuid:certificate_id>/paper")
@up_to(largest_photo)
@requires(Role.OFFICE)
def send_paper(certificate_id: UUID) -> ResponseReturnValue:
    """Keep a certificate's paper."""
    file = request.files.get("paper")
    most = current_app.extensions["soi"].max_photo
    try:
        papers.add_paper(signed_in(), str(certificate_id), file.stream.read(most + 1) if file else b"")
    except BadInput as error:
        return _paper(certificate_id, Form.typed().refused(error)), error.status
    flash(_("Đã giữ tờ giấy này."), "done")
    return redirect(url_for("dossier.paper", certificate_id=certificate_id))


@pages.post("/coop/certificates/<uuid:certificate_id>/paper/remove")
@requires(Role.OFFICE)
def remove_paper(certificate_id: UUID) -> ResponseReturnValue:
    """Take a certificate's paper away."""
    papers.remove_paper(signed_in(), str(certificate_id))
    flash(_("Đã bỏ tờ giấy này."), "done")
    return redirect(url_for("dossier.paper", certificate_id=certificate_id))


@pages.get("/coop/certificates/<uuid:certificate_id>/paper/file")
@requires(Role.OFFICE)
def paper_file(certificate_id: UUID) -> ResponseReturnValue:
    """The paper itself. A PDF is handed over as a file: what a stranger's document does is no page of ours."""
    path, row = papers.file_of(signed_in(), str(certificate_id))
    ending = ENDINGS[row.mime]
    response = send_file(
        path, row.mime, etag=row.sha256, as_attachment=ending == "pdf", download_name=f"giay-{row.sha256[:12]}.{ending}"
    )
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _paper(certificate_id: UUID, form: Form) -> str:
    certificate, row = papers.paper_of(signed_in(), str(certificate_id))
    return render_template(
        "dossier/paper.html", certificate=certificate, row=row, form=form, name=KIND_NAMES[certificate.kind]
    )
