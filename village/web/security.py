"""Headers that every answer carries, and the guard against forged requests."""

from flask import Flask, Response, current_app, request

from village.errors import Forbidden, Malformed
from village.i18n import lazy_gettext as _l
from village.settings import Settings

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PARTS = frozenset(("text/css", "text/javascript"))
"""Parts of a page: what the other headers say is said by the page that asks for them."""
SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


def init_app(app: Flask, settings: Settings) -> None:
    """Switch both on."""
    always = {"X-Content-Type-Options": "nosniff"}
    if settings.secure:
        always["Strict-Transport-Security"] = "max-age=31536000"
    headers = always | {
        "Content-Security-Policy": POLICY,
        # Order links are secrets in the path: no other site gets to see one.
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }

    @app.after_request
    def _harden(response: Response) -> Response:
        # A scan page has a score of small modules: on a slow network their headers would weigh as much as they do.
        # A worker is no part of a page, and heeds a policy of its own.
        part = response.mimetype in PARTS and "Service-Worker-Allowed" not in response.headers
        for name, value in (always if part else headers).items():
            response.headers.setdefault(name, value)
        # Routing repeats the Host header, which is the asker's word, in its own redirects.
        if response.location and response.location.startswith(request.host_url):
            response.location = "/" + response.location.removeprefix(request.host_url).lstrip("/")
        return response

    app.before_request(refuse_bad_text)
    app.before_request(refuse_forged)


def refuse_bad_text() -> None:
    """No NUL may reach a database: PostgreSQL refuses it late and with a 500."""
    if "\x00" in request.path or any("\x00" in v for values in request.args.lists() for v in values[1]):
        raise Malformed("bad-text", _l("Địa chỉ có ký tự không dùng được."))


def refuse_forged() -> None:
    """Refuse a state-changing request that another site's page sent with this reader's cookies.

    No token is needed: every browser still in use sends `Sec-Fetch-Site`, or at least `Origin` with a POST, and a page
    cannot forge either. A request with neither and without cookies is a program's, and acts for nobody.
    """
    if request.method in SAFE or request.path.startswith("/hooks/"):
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
    elif (origin := request.headers.get("Origin")) is not None:
        if origin in (request.host_url.rstrip("/"), current_app.extensions["soi"].public_url):
            return
    elif not request.cookies:
        return
    if not request.cookies and request.headers.get("Authorization", "").startswith("Bearer "):
        return
    raise Forbidden("cross-site", _l("Yêu cầu này đến từ một trang khác. Bác mở lại trang của Soi rồi làm nhé."))
