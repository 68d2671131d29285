"""Puts the village's room into the app."""

from flask import Flask

from village import i18n
from village.settings import Settings
from village.web import api, assets, frame, observe, problems, security


def init_app(app: Flask, settings: Settings) -> None:
    """Ground first: logs, languages, headers, errors, frame; then members and what the office keeps."""
    observe.configure_logging(settings.log_level)
    observe.init_app(app, settings)
    i18n.init_app(app)
    security.init_app(app, settings)
    problems.init_app(app)
    assets.init_app(app)
    frame.init_app(app, settings)
    api.init_app(app)
