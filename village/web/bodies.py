"""How much may be sent to an address at once: MAX_BODY_MIB, unless its view says otherwise."""

from collections.abc import Callable
from typing import TypeVar

from flask import Flask, current_app, request

from village.settings import Settings

View = TypeVar("View", bound=Callable[..., object])
LIMIT = "body_limit"


def up_to(limit: Callable[[Settings], int]) -> Callable[[View], View]:
    """A view that takes a body of up to so many bytes, as the settings say. Stands above all other decorators."""

    def decorate(view: View) -> View:
        setattr(view, LIMIT, limit)
        return view

    return decorate


def init_app(app: Flask) -> None:
    """Apply the views' own limits before anything reads a body."""
    app.before_request(_allow)


def _allow() -> None:
    if request.endpoint is None:
        return
    view = current_app.view_functions[request.endpoint]
    of_class = getattr(view, "view_class", None)
    called = getattr(of_class, request.method.lower(), None) if of_class else view
    limit: Callable[[Settings], int] | None = getattr(called, LIMIT, None)
    if limit is not None:
        request.max_content_length = limit(current_app.extensions["soi"])
