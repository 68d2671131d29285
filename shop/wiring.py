"""Puts the room of shop into the app."""

from flask import Flask

from shop import cli
from shop.cart import services as cart
from shop.cart import views as cart_views
from shop.catalogue import views as catalogue_views
from shop.catalogue import wiring as catalogue
from shop.delivery import wiring as delivery
from shop.demo.cli import demo
from shop.live import wiring as live
from shop.mails import listening as mails
from shop.orders import api as orders_api
from shop.orders import expiring
from shop.orders import views as orders_views
from shop.payments import wiring as payments
from shop.payments.stripe import wiring as cards
from shop.picking import views as picking_views
from shop.recalls import listening as recalls
from shop.recalls import views as recalls_views
from shop.refunds import views as refunds_views
from shop.refusals import wiring as refusals
from shop.rights import retention as rights_retention
from shop.rights import views as rights_views
from shop.seller import console as seller_console
from shop.seller import files as seller_files
from shop.seller import views as seller_views
from shop.settlement import views as settlement_views
from shop.stock import ledger
from village.jobs.sweep import on_sweeping, on_tidying
from village.settings import Settings
from village.web.api import api


def init_app(app: Flask, settings: Settings) -> None:
    """Register its addresses, commands and listeners."""
    for pages in (catalogue_views.pages, cart_views.pages, orders_views.pages, seller_views.pages):
        app.register_blueprint(pages)
    app.register_blueprint(picking_views.pages)
    catalogue.init_app(app, settings)
    app.register_blueprint(seller_console.pages)
    on_tidying(app, seller_files.tidy)
    api.register_blueprint(catalogue_views.api)
    api.register_blueprint(orders_api.api)
    app.cli.add_command(cli.shop)
    live.init_app(app, settings)
    app.cli.add_command(demo)
    app.jinja_env.globals["cart_count"] = cart.count
    app.register_blueprint(recalls_views.pages)
    app.jinja_env.globals.update(recalls_views.TEMPLATE_GLOBALS)
    payments.init_app(app)
    cards.init_app(app)
    app.register_blueprint(refunds_views.pages)
    mails.init_app(app)
    on_sweeping(app, expiring.see_to_it)
    delivery.init_app(app)
    refusals.init_app(app)
    app.register_blueprint(settlement_views.pages)
    app.register_blueprint(rights_views.pages)
    on_tidying(app, rights_retention.tidy)
    ledger.listen()
    recalls.listen()
