"""The log in public: checkpoint, tiles, keys, policy, entries, receipts, and a page that shows them to people."""

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from trace.ledger import store
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.encoding import to_base64
from trace.ledger.errors import MalformedTile
from trace.ledger.growth import growth
from trace.ledger.latest import latest
from trace.ledger.note import parse_note
from trace.ledger.proof import SUFFIX
from trace.ledger.tiles import Tile
from village.db import db
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.web.assets import YEAR

ledger = Blueprint("ledger", __name__, url_prefix="/ledger", template_folder="templates")
LATEST = 12


@ledger.get("")
def page() -> ResponseReturnValue:
    """Size, latest entries, keys, growth, and what this log can and cannot prove yet."""
    state = store.ensure_born()
    head = Checkpoint.parse(parse_note(state.checkpoint).text)
    days = growth(db.session())
    return render_template(
        "ledger/page.html",
        state=state,
        head=head,
        latest=latest(db.session(), LATEST),
        growth=days,
        added=sum(day.entries for day in days),
        root=to_base64(head.root),
    )


@ledger.get("/checkpoint")
def checkpoint() -> ResponseReturnValue:
    """The signed checkpoint (C2SP tlog-checkpoint)."""
    response = _plain(store.ensure_born().checkpoint)
    response.headers["Cache-Control"] = "public, max-age=5"
    return response


@ledger.get("/tile/<path:path>")
def tile(path: str) -> ResponseReturnValue:
    """A tile or entry bundle (C2SP tlog-tiles): immutable, whole or partial."""
    try:
        wanted = Tile.parse(f"tile/{path}")
    except MalformedTile as error:
        raise NotFound("no-tile", _l("Không có mảnh nào mang tên đó.")) from error
    response = Response(store.tile(wanted), mimetype="application/octet-stream")
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return _open(response)


@ledger.get("/keys")
def keys() -> ResponseReturnValue:
    """The log's verifier keys, one a line, old ones included for ever."""
    return _plain(store.ensure_born().vkey + "\n")


@ledger.get("/policy")
def policy() -> ResponseReturnValue:
    """What a verifier should ask for (C2SP tlog-policy). No witness cosigns yet, and it says so."""
    return _plain(f"log {store.ensure_born().vkey}\nquorum none\n")


@ledger.get("/entries/<int:index>")
def entry(index: int) -> ResponseReturnValue:
    """The very bytes of an entry."""
    response = Response(store.entry(index).body, mimetype="application/json")
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return _open(response)


@ledger.get("/entries/<int:index>/receipt")
def receipt(index: int) -> ResponseReturnValue:
    """The entry's receipt (C2SP tlog-proof) against the newest checkpoint."""
    response = _plain(store.receipt(index).format())
    response.headers["Content-Disposition"] = f'inline; filename="soi-{index}{SUFFIX}"'
    return response


def _plain(text: str) -> Response:
    return _open(Response(text, mimetype="text/plain"))


def _open(response: Response) -> Response:
    """Anybody's verifier, on any site, may read the log."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
