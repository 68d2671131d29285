"""What every page's frame needs: where this member may go, and whether the village is an invented one."""

from flask import Flask, request

from village.i18n import lazy_gettext as _l
from village.people.access import actor
from village.people.models import Role
from village.settings import Settings
from village.web import strand

PLACES = (
    ("/batches", _l("Mẻ của tôi"), "noodles", (Role.PRODUCER, Role.OFFICE)),
    ("/field", _l("Ghi nhanh"), "phone-offline", (Role.PRODUCER,)),
    ("/settlement", _l("Tiền nhà mình"), "money", (Role.PRODUCER,)),
    ("/seller", _l("Bán hàng"), "orders", (Role.SELLER, Role.OFFICE)),
    ("/seller/live", _l("Phiên live"), "live", (Role.SELLER, Role.OFFICE)),
    ("/coop", _l("Hợp tác xã"), "house", (Role.OFFICE, Role.AUDITOR)),
    ("/ledger", _l("Sổ chung"), "ledger", (Role.AUDITOR,)),
    ("/me", _l("Của tôi"), "account", tuple(Role)),
)


def init_app(app: Flask, settings: Settings) -> None:
    """Give templates the strand's drawings, the way about, and the word of an invented village."""
    app.jinja_env.globals.update(strand.TEMPLATE_GLOBALS)

    @app.context_processor
    def _frame() -> dict[str, object]:
        return {
            "nav": nav(),
            "demo": settings.demo,
            "training_of": settings.training_of,
            "training": bool(settings.training_url),
            "public_url": settings.public_url,
        }


UNDER = {"/": ("/products/", "/checkout", "/orders/"), "/ledger": ("/verify",)}
"""Pages that belong to a place though their address does not begin with its."""
GUESTS = (("/", _l("Cửa hàng"), "house"), ("/cart", _l("Giỏ hàng"), "cart"), ("/ledger", _l("Sổ chung"), "ledger"))


def nav() -> list[tuple[str, str, str, bool]]:
    """The places of the signed-in member's roles: address, words, picture, whether she is there now."""
    who = actor()
    if who is None:
        mine = [(url, str(words), picture) for url, words, picture in GUESTS]
    else:
        mine = [(url, str(words), picture) for url, words, picture, roles in PLACES if who.has(*roles)]
    path = request.path
    above = [url for url, _, _ in mine if path == url or path.startswith((*UNDER.get(url, ()), f"{url}/"))]
    here = max(above, default="", key=len)
    return [(url, words, picture, url == here) for url, words, picture in mine]
