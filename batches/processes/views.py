"""Public pages: how each product is made, drawn from the strand."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from batches.processes import telling
from batches.processes.catalogue import all_processes, versions
from batches.processes.drawing import draw
from village.errors import NotFound
from village.i18n import lazy_gettext as _l

pages = Blueprint("processes", __name__, url_prefix="/processes", template_folder="templates")


@pages.get("")
def home() -> ResponseReturnValue:
    """Every process of the village, in its newest version."""
    return render_template("processes/home.html", processes=list(all_processes().values()))


@pages.get("/<key>")
@pages.get("/<key>/<int:version>")
def process(key: str, version: int | None = None) -> ResponseReturnValue:
    """One process as a picture, with its bounds in words; the newest version unless one is asked for."""
    numbered = versions().get(key, {})
    newest = max(numbered, default=0)
    found = numbered.get(newest if version is None else version)
    if found is None:
        raise NotFound("no-process", _l("Không có quy trình này."))
    return render_template(
        "processes/process.html",
        process=found,
        newest=newest,
        older=[number for number in sorted(numbered, reverse=True) if number != found.version],
        drawing=draw(found, telling.words),
        usual=telling.steps(found, rare=False),
        rarer=telling.steps(found, rare=True),
        overall=telling.overall(found),
    )
