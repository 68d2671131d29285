"""Puts the room of shop into the app."""

from flask import Flask

from shop import cli
from shop.cart import services as cart
from shop.cart import views as cart_views
from shop.catalogue import views as catalogue_views
from shop.demo.cli import demo
from shop.live import api as live_api
from shop.live import views as live_views
from shop.orders import api as orders_api
from shop.orders import views as orders_views
from shop.picking import views as picking_views
from shop.recalls import listening as recalls
from shop.recalls import views as recalls_views
from shop.seller import views as seller_views
from shop.stock import ledger
from village.settings import Settings
from village.web.api import api


def init_app(app: Flask, settings: Settings) -> None:
    """Register its addresses, commands and listeners."""
    for pages in (catalogue_views.pages, cart_views.pages, orders_views.pages, seller_views.pages):
        app.register_blueprint(pages)
    app.register_blueprint(picking_views.pages)
    api.register_blueprint(catalogue_views.api)
    api.register_blueprint(orders_api.api)
    app.register_blueprint(live_views.pages)
    api.register_blueprint(live_api.api)
    app.cli.add_command(cli.shop)
    app.cli.add_command(demo)
    app.jinja_env.globals["cart_count"] = cart.count
    app.register_blueprint(recalls_views.pages)
    app.jinja_env.globals.update(recalls_views.TEMPLATE_GLOBALS)
    ledger.listen()
    recalls.listen()
