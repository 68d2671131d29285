"""Puts the sellers' work on products into the app, and the folder of their photos."""

from flask import Flask

from shop.catalogue import guests, kept, pictures, seller_views
from shop.catalogue.views import PRODUCT
from trace.photos.store import Store
from village.jobs.sweep import on_tidying
from village.settings import Settings
from village.web.front import Front


def init_app(app: Flask, settings: Settings) -> None:
    """Register their addresses, the photos' store and its tidying."""
    app.extensions[pictures.STORE] = Store(pictures.folder(settings.instance))
    kept.init_app(app)
    whole = app.extensions[guests.PAGES] = guests.Pages()
    front = Front(app, app.wsgi_app, whole, "/products/", PRODUCT, guests_only=True)
    app.wsgi_app = front  # type: ignore[method-assign]
    app.register_blueprint(seller_views.pages)
    on_tidying(app, pictures.drop_strays)
