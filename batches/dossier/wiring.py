"""Puts the dossiers into the app."""

from flask import Flask

import batches.dossier.jobs  # noqa: F401  # declares the kind of job
from batches.dossier import files, papers
from batches.dossier.views import pages
from trace.photos.store import Store
from village.jobs.sweep import on_tidying
from village.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Register the pages, and the tidying away of old files."""
    app.extensions[papers.STORE] = Store(papers.folder(settings.instance))
    app.register_blueprint(pages)
    on_tidying(app, files.tidy)
    on_tidying(app, papers.tidy)
