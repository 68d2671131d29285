"""The buyer's way to Stripe's page and back, behind the order's token."""

from contextlib import suppress

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from shop.orders import guests
from shop.payments.stripe import client, sessions
from shop.payments.stripe.client import NotNow
from village.errors import Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.people.throttle import count_act

pages = Blueprint("cards", __name__)
ASKS = 60
"""From one network address in a quarter of an hour: each may have a thread of ours wait for Stripe."""


@pages.get("/orders/<token>/card")
def pay(token: str) -> ResponseReturnValue:
    """To Stripe's page. A link and no form, which our policy would keep from leaving this host; asked for again, it
    leads to the same session."""
    _only_with_cards()
    _count()
    try:
        return redirect(sessions.page_for(token), 303)
    except (Conflict, NotNow) as error:
        flash(str(error), "warning")
        return _back(token)


@pages.get("/orders/<token>/card/back")
def back(token: str) -> ResponseReturnValue:
    """From Stripe's page: the order's page shall know what came of it, even before Stripe's notice is here."""
    _only_with_cards()
    _count()
    # Otherwise its notice will come, or `tending` looks again.
    with suppress(Conflict, NotNow):
        sessions.look_after(token)
    return _back(token)


def _count() -> None:
    """A proxy that nobody told us of stands for everybody, and nobody in particular is counted then."""
    network = guests.known_by(request.remote_addr)
    if network is not None:
        count_act("card", network, ASKS)


def _only_with_cards() -> None:
    if not client.is_set_up():
        raise NotFound("no-cards", _l("Ở đây không nhận trả bằng thẻ."))


def _back(token: str) -> ResponseReturnValue:
    return redirect(url_for("orders.order", token=token), 303)


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
