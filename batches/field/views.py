"""`/field`: the app that logs stages with no network; `/coop/stuck`: what the office hears of stuck phones."""

import json

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from batches.field import drawn, files, stuck
from batches.stages.findings import TEXTS
from village.errors import NotFound
from village.i18n import LANGUAGES, current_language
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people.access import requires, signed_in
from village.people.models import Role
from village.web.assets import asset, zipped
from village.web.modules import SCRIPTS, answer, worker

field = Blueprint("field", __name__, template_folder="templates")
field.add_app_template_global(files.address, "field_file")


@field.get("/field")
def app() -> ResponseReturnValue:
    """The app's shell: the same for everybody, since a service worker keeps it."""
    page = render_template("field/field.html", findings=TEXTS, pictures=drawn.pictures(), sounds=drawn.sounds())
    response = Response(page)
    response.headers["Content-Language"] = current_language()
    response.headers["Soi-Version"] = files.version()
    response.headers["Cache-Control"] = "no-cache"
    return zipped(response)


@field.get("/field/<version>/<path:name>")
def file(version: str, name: str) -> ResponseReturnValue:
    """A module of the app, under today's version only: an app of two versions at once would be nobody's."""
    found = files.files().get(name)
    if found is None or version != files.version():
        raise NotFound("no-file", _l("Không có tệp nào ở địa chỉ này."))
    return answer(found, current=True)


@field.get("/field/sw.js")
def service_worker() -> ResponseReturnValue:
    """What keeps the app for when there is no network, and sends in the background where a browser lets it.

    With `?kind=classic` for browsers whose service workers import no modules: those cannot send in the background.
    """
    told = {"VERSION": files.version(), "FILES": files.kept_offline(), "LANGUAGES": list(LANGUAGES)}
    head = [f'import {{ sendInBackground }} from "{files.address("field/background.js")}";']
    if request.args.get("kind") == "classic":
        head = ["const sendInBackground = null;"]
    head += [f"const {name} = {json.dumps(value)};" for name, value in told.items()]
    return zipped(worker("\n".join((*head, (SCRIPTS / "field-sw.js").read_text())), "/field"))


@field.get("/field/manifest.webmanifest")
def manifest() -> ResponseReturnValue:
    """What makes the app installable."""
    icons = [
        {"src": asset(name), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for name, size, purpose in files.ICONS
    ]
    told = {
        "id": "/field", "name": "Soi · " + _("Ghi mẻ"), "short_name": "Soi", "lang": current_language(),
        "start_url": "/field", "scope": "/field", "display": "standalone", "orientation": "portrait",
        "background_color": "#f7f0e0", "theme_color": "#f7f0e0", "icons": icons,
    }  # fmt: skip
    response = Response(json.dumps(told, ensure_ascii=False), mimetype="application/manifest+json")
    response.headers["Cache-Control"] = "no-cache"
    return response


@field.get("/coop/stuck")
@requires(Role.OFFICE)
def office() -> ResponseReturnValue:
    """What is stuck on members' phones and why, and phones not heard of for days."""
    who = signed_in()
    return render_template("field/stuck.html", stuck=stuck.stuck(who), silent=stuck.silent_phones(who))
