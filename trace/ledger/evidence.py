"""What was found that contradicts this log, for anybody to read."""

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.ledger import store
from trace.ledger.models import Evidence
from village.db import db
from village.i18n import gettext as _

evidence = Blueprint("ledger_evidence", __name__, url_prefix="/ledger", template_folder="templates")
MOST = 200


def found(session: Session) -> list[Evidence]:
    """The newest pieces, newest first."""
    return list(session.scalars(select(Evidence).order_by(Evidence.id.desc()).limit(MOST)))


def titled(kind: str) -> str:
    """A kind of evidence in words."""
    return {
        "behind-witness": _("Người làm chứng thấy nhiều dòng hơn"),
        "fork": _("Hai bản sổ trái nhau"),
        "bad-cosignature": _("Chữ ký làm chứng không đúng"),
        "resumed": _("Đã xem lại và cho ký tiếp"),
    }.get(kind, kind)


@evidence.get("/evidence")
def page() -> ResponseReturnValue:
    """For people."""
    state = store.ensure_born()
    return render_template("ledger/evidence.html", found=found(db.session()), titled=titled, halted=state.halted)


@evidence.get("/evidence.txt")
def text() -> ResponseReturnValue:
    """For programs: the same, with both notes as they were, each line of them indented by a tab."""
    store.ensure_born()
    parts = []
    for one in found(db.session()):
        notes = "".join(f"{name}:\n{_indented(note)}" for name, note in (("ours", one.ours), ("theirs", one.theirs)))
        parts.append(f"{one.found_at:%Y-%m-%dT%H:%M:%SZ} {one.kind} {' '.join(one.about.split())}\n{notes}")
    response = Response("\n".join(parts), mimetype="text/plain")
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _indented(note: str) -> str:
    return "".join(f"\t{line}\n" for line in note.splitlines())
