"""Puts the sellers' work on products into the app, and the folder of their photos."""

from flask import Flask

from shop.catalogue import kept, pictures, seller_views
from trace.photos.store import Store
from village.jobs.sweep import on_tidying
from village.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Register their addresses, the photos' store and its tidying."""
    app.extensions[pictures.STORE] = Store(pictures.folder(settings.instance))
    kept.init_app(app)
    app.register_blueprint(seller_views.pages)
    on_tidying(app, pictures.drop_strays)
