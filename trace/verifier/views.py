"""`/verify`: the verifier that runs in a reader's browser, and the one that she runs herself."""

import json
from pathlib import Path

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from trace.ledger import published, witnesses
from trace.ledger.policy import NONE
from trace.verifier import files
from village.db import db
from village.errors import NotFound
from village.i18n import current_language
from village.i18n import lazy_gettext as _l
from village.web.modules import SCRIPTS, answer, worker

pages = Blueprint("verifier", __name__, template_folder="templates")
pages.add_app_template_global(files.address, "verifier")
pages.add_app_template_global(lambda: witnesses.policy().quorum != NONE, "witnessed")
SCRIPT = Path(__file__).parent / "soi_verify.py"
ASKED = ("/ledger/keys", "/ledger/policy")
"""What the service worker keeps besides files, and asks for anew whenever there is a network."""


@pages.get("/verify")
def verify() -> ResponseReturnValue:
    """Choose a file or paste a link; everything is checked in the browser."""
    page = render_template("verifier/verify.html", rotations=published.rotations(db.session()))
    response = Response(page)
    # The service worker keeps the page in the language that was last read.
    response.headers["Content-Language"] = current_language()
    return response


@pages.get("/verify/<version>/<path:name>")
def file(version: str, name: str) -> ResponseReturnValue:
    """A module of the verifier, or its words. An older version's address gives today's, to a page still open."""
    found = files.files().get(name)
    if found is None:
        raise NotFound("no-file", _l("Không có tệp nào ở địa chỉ này."))
    return answer(found, current=version == files.version())


@pages.get("/verify/sw.js")
def service_worker() -> ResponseReturnValue:
    """What keeps the verifier for when there is no network."""
    told = {"VERSION": files.version(), "FILES": files.kept_offline(), "ASKED": list(ASKED)}
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in told.items())
    return worker(head + (SCRIPTS / "verify-sw.js").read_text(), "/verify")


@pages.get("/verify/soi_verify.py")
def script() -> ResponseReturnValue:
    """The verifier as one Python file."""
    response = Response(SCRIPT.read_bytes(), content_type="text/x-python; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="soi_verify.py"'
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
