"""The house's front door: settings, wiring and the command line. The only place that knows all four rooms."""

import gc
import sys
from pathlib import Path

# `trace` is a module of the standard library too. It is ours as long as our root comes first and theirs is not
# loaded; this holds whatever folder the program was started from.
_root = str(Path(__file__).resolve().parent)
if sys.path[:1] != [_root]:
    sys.path.insert(0, _root)
if not hasattr(sys.modules.get("trace"), "__path__"):
    sys.modules.pop("trace", None)

# A fifth of the time to load the house would go into looking for rubbish among modules, which are none.
_collecting = gc.isenabled()
gc.disable()

from flask import Flask  # noqa: E402  # the path comes first
from flask_migrate import Migrate  # noqa: E402
from werkzeug.middleware.proxy_fix import ProxyFix  # noqa: E402

import batches.wiring  # noqa: E402
import shop.wiring  # noqa: E402
import trace.wiring  # noqa: E402
import village.wiring  # noqa: E402
from village import db  # noqa: E402
from village.settings import ROOT, Settings, SettingsError, from_env  # noqa: E402

if _collecting:
    gc.enable()


def create_app(settings: Settings | None = None) -> Flask:
    """The whole village as a WSGI application. Without `settings`, the environment says."""
    try:
        settings = settings or from_env()
    except SettingsError as error:
        raise SystemExit(f"Soi cannot start: {error}") from error
    app = Flask("soi", static_folder=str(ROOT / "static"), root_path=str(ROOT))
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=settings.max_body,
        MAX_FORM_MEMORY_SIZE=settings.max_body,
        SESSION_COOKIE_NAME="soi_training_cart" if settings.training else "soi_cart",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure,
        PERMANENT_SESSION_LIFETIME=365 * 86400,
        TESTING=settings.mode == "test",
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.extensions["soi"] = settings
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    db.init_app(app, settings.database_url)
    for room in (village, trace, batches, shop):
        room.wiring.init_app(app, settings)
    Migrate(app, db.db, directory=str(ROOT / "migrations"), render_as_batch=True, compare_type=True)
    return app
