"""`/coop/outbox`: what goes out to people in the cooperative's name, and the calls that somebody has to make."""

from collections.abc import Callable

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from village.forms import choice, page_number, whole_number
from village.i18n import gettext as _
from village.outbox import office
from village.outbox.models import Message, MessageProof, Outcome
from village.outbox.providers import GIVEN_UP, NO_ADDRESS, NO_PROVIDER
from village.people.access import requires, signed_in
from village.people.models import Role
from village.people.phones import shown_phone

outbox = Blueprint("outbox", __name__, url_prefix="/coop/outbox", template_folder="templates")
ABOUT = "soi.outbox.about"
"""In the app's extensions: by kind, where the thing is that a message is about."""

Where = Callable[[str], tuple[str, str]]
"""From an id to (address, words)."""


def tell_where(app: Flask, kind: str, where: Where) -> None:
    """Let the page lead from a message to what gave reason to it."""
    app.extensions.setdefault(ABOUT, {})[kind] = where


@outbox.get("")
@requires(Role.OFFICE)
def shelf() -> ResponseReturnValue:
    """Calls to make, what failed, what waits, what went out."""
    page = page_number(request.args.get("page", ""))
    found = office.shelf(signed_in(), request.args.get("show", ""), page)
    return render_template(
        "outbox/shelf.html", shelf=found, page=page, about=about, shown_to=shown_to, said=said, told=told
    )


@outbox.post("/<uuid:message_id>/rang")
@requires(Role.OFFICE)
def rang(message_id: object) -> ResponseReturnValue:
    """Tick a call off."""
    came = office.CAME[choice(request.form.get("came"), "came", office.CAME)]
    tries = whole_number(request.form.get("tries"), "tries", 0, 10_000)
    office.rang(signed_in(), str(message_id), came, tries, request.form.get("note", ""))
    flash(_("Đã ghi lại cuộc gọi."), "success")
    return redirect(url_for("outbox.shelf", show="calls"), 303)


@outbox.post("/<uuid:message_id>/again")
@requires(Role.OFFICE)
def again(message_id: object) -> ResponseReturnValue:
    """Try a failed one again."""
    office.again(signed_in(), str(message_id))
    return redirect(url_for("outbox.shelf", show="failed"), 303)


@outbox.post("/again")
@requires(Role.OFFICE)
def all_again() -> ResponseReturnValue:
    """Try all failed ones again."""
    count = office.again(signed_in())
    flash(_("Đang gửi lại %(count)s tin.", count=count), "info")
    return redirect(url_for("outbox.shelf"), 303)


@outbox.post("/<uuid:message_id>/erase")
@requires(Role.OFFICE)
def erase(message_id: object) -> ResponseReturnValue:
    """Erase address and text, keep the proof."""
    office.erase(signed_in(), str(message_id))
    flash(_("Đã xoá địa chỉ và lời nhắn. Dấu đã gửi vẫn còn."), "success")
    return redirect(url_for("outbox.shelf", show="sent"), 303)


def about(message: Message) -> tuple[str, str] | None:
    """Address and words of what a message is about, where a room told."""
    where: Where | None = current_app.extensions.get(ABOUT, {}).get(message.about_kind)
    return where(message.about_id) if where else None


def shown_to(message: Message) -> str:
    """The address as people write it."""
    if message.to is None:
        return _("đã xoá")
    return shown_phone(message.to) if message.to.startswith("+") else message.to


def told(proof: MessageProof) -> str:
    """What was answered to a try: our own reasons in the reader's language, a provider's in the provider's words."""
    ours = {
        NO_ADDRESS: _("địa chỉ hay số máy không đúng"),
        GIVEN_UP: _("thử nhiều lần rồi"),
        NO_PROVIDER: _("máy chủ chưa được cài cách gửi này"),
    }
    return ours.get(proof.answer, proof.answer)


def said(proof: MessageProof) -> str:
    """What came of a try, in words."""
    words = {
        Outcome.ACCEPTED: _("Đã gửi"),
        Outcome.CONSOLE: _("Ghi ra tệp, không gửi đi đâu"),
        Outcome.LATER: _("Chưa gửi được, sẽ gửi lại"),
        Outcome.REFUSED: _("Không gửi được"),
        Outcome.REACHED: _("Đã gọi, gặp được"),
        Outcome.MISSED: _("Đã gọi, chưa gặp"),
        Outcome.AGAIN: _("Cho gửi lại"),
        Outcome.ERASED: _("Đã xoá địa chỉ và lời nhắn"),
    }
    return words[proof.outcome]
