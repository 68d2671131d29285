"""Puts card payments into the app."""

from flask import Flask

from shop.payments import inbox
from shop.payments.stripe import daily, hooks, tending
from shop.payments.stripe.buyers import pages
from village.jobs.sweep import on_sweeping, on_tidying


def init_app(app: Flask) -> None:
    """Register their addresses, what their events do, and what is looked after every minute and every hour."""
    app.register_blueprint(pages)
    app.register_blueprint(hooks.hooks)
    inbox.handles("stripe", hooks.act, hooks.prepare)
    on_sweeping(app, tending.see_to_it)
    on_sweeping(app, daily.ask_for_yesterday)
    on_tidying(app, tending.look_again)
