"""The log in public: checkpoint, tiles, keys, policy, entries, receipts, lot proofs. Formats: docs/formats.md."""

import re

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from trace.ledger import published, store, witnesses
from trace.ledger.encoding import to_base64
from trace.ledger.errors import LedgerError, MalformedTile
from trace.ledger.lotproof import MIMETYPE
from trace.ledger.lotproof import SUFFIX as LOT_SUFFIX
from trace.ledger.proof import SUFFIX
from trace.ledger.tiles import Tile
from trace.lots.proof import lot_proof
from village.db import db
from village.errors import NotFound, SoiError
from village.i18n import lazy_gettext as _l
from village.web.assets import YEAR

ledger = Blueprint("ledger", __name__, url_prefix="/ledger", template_folder="templates")

FOR_EVER = f"public, max-age={YEAR}, immutable"
"""For what never changes once it is there: a mirror of it stays true."""
SECONDS = "public, max-age=5"
MINUTES = "public, max-age=300"
_ODD = re.compile(r"[^A-Za-z0-9._-]")


class Damaged(SoiError):
    """What is stored is not what was written, so that nothing true can be shown of it."""

    status = 503


@ledger.errorhandler(LedgerError)
def _damaged(error: LedgerError) -> ResponseReturnValue:
    current_app.logger.error("the stored ledger is damaged: %s", error)
    told = _l("Sổ trong máy có chỗ hỏng, nên chưa đưa ra được phần này. Người giữ sổ đang xem lại.")
    return current_app.handle_user_exception(Damaged("log-damaged", told))


@ledger.after_request
def _anybody(response: Response) -> Response:
    """Anybody's verifier, on any site, may read the log, refusals included; pages are for people."""
    if response.mimetype != "text/html":
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@ledger.get("/checkpoint")
def checkpoint() -> ResponseReturnValue:
    """The newest signed checkpoint (C2SP tlog-checkpoint), with the cosignatures that it has."""
    store.ensure_born()
    return _plain(published.newest(db.session()).note, SECONDS)


@ledger.get("/checkpoints/<number:size>")
def kept_checkpoint(size: int) -> ResponseReturnValue:
    """A checkpoint that witnesses or authorities saw, as it was then."""
    store.ensure_born()
    return _plain(published.kept(db.session(), size).note, MINUTES)


@ledger.get("/consistency/<number:old>/<number:new>")
def consistency(old: int, new: int) -> ResponseReturnValue:
    """The consistency proof between two sizes, one base64 hash a line."""
    hashes = published.consistency(old, new)
    return _plain("".join(f"{to_base64(value)}\n" for value in hashes), FOR_EVER)


@ledger.get("/tile/<path:path>")
def tile(path: str) -> ResponseReturnValue:
    """A tile or entry bundle (C2SP tlog-tiles): immutable, whole or partial."""
    try:
        wanted = Tile.parse(f"tile/{path}")
    except MalformedTile as error:
        raise NotFound("no-tile", _l("Không có mảnh nào mang tên đó.")) from error
    return _kept(Response(store.tile(wanted), mimetype="application/octet-stream"), FOR_EVER)


@ledger.get("/keys")
def keys() -> ResponseReturnValue:
    """The log's verifier keys, one a line, newest first, old ones included for ever."""
    store.ensure_born()
    return _plain("".join(f"{vkey}\n" for vkey in published.vkeys(db.session())), MINUTES)


@ledger.get("/policy")
def policy() -> ResponseReturnValue:
    """What a verifier should ask for (C2SP tlog-policy). While no witness cosigns, it says so."""
    return _plain(witnesses.served(), MINUTES)


@ledger.get("/entries/<number:index>")
def entry(index: int) -> ResponseReturnValue:
    """The very bytes of an entry."""
    return _kept(Response(store.entry(index).body, mimetype="application/json"), FOR_EVER)


@ledger.get("/entries/<number:index>/receipt")
def receipt(index: int) -> ResponseReturnValue:
    """The entry's receipt (C2SP tlog-proof), with the entry in it."""
    return _file(_plain(published.receipt(index, witnesses.enough).format(), SECONDS), f"soi-{index}{SUFFIX}")


@ledger.get("/lots/<gtin>/<path:lot>/proof")
def proof_of_lot(gtin: str, lot: str) -> ResponseReturnValue:
    """The lot and everything that it was made of, in one document that proves itself."""
    store.ensure_born()
    served = lot_proof(gtin, lot, witnesses.enough, request.if_none_match.as_set())
    response = Response(served.document or b"", mimetype=MIMETYPE)
    if served.document is None:
        response.status_code = 304
    response.set_etag(served.etag)
    return _kept(_file(response, f"{_ODD.sub('_', lot)}{LOT_SUFFIX}"), SECONDS)


def _plain(text: str, caching: str) -> Response:
    response = _kept(Response(text, mimetype="text/plain"), caching)
    response.add_etag()
    response.make_conditional(request)
    return response


def _file(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _kept(response: Response, caching: str) -> Response:
    response.headers["Cache-Control"] = caching
    return response
