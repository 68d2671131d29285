"""Puts refused parcels into the app: pages, and what other pages say of them."""

from flask import Flask

from shop.refusals import views
from shop.refusals.shown import TEMPLATE_GLOBALS


def init_app(app: Flask) -> None:
    """Register the addresses."""
    app.register_blueprint(views.pages)
    app.jinja_env.globals.update(TEMPLATE_GLOBALS)
