"""Puts buyers' questions into the app."""

from flask import Flask

from trace.photos.store import Store
from trace.questions.office_views import office
from trace.questions.pictures import STORE, folder
from trace.questions.retention import ABOUT, tidy
from trace.questions.views import pages
from village.i18n import gettext as _
from village.jobs.sweep import on_tidying
from village.outbox.views import tell_where
from village.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Register their addresses, the photos' folder, and what is done every hour."""
    app.extensions[STORE] = Store(folder(settings.instance))
    app.register_blueprint(pages)
    app.register_blueprint(office)
    on_tidying(app, tidy)
    tell_where(app, ABOUT, lambda question_id: (f"/coop/questions/{question_id}", _("Câu hỏi của người mua")))
