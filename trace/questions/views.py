"""`/ask/<gtin>/<lot>[/<serial>]`, where buyers ask or report, and `/answers/<token>`, where they follow it."""

from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from trace.gs1.digital_link import DigitalLink, parse_path
from trace.gs1.errors import Gs1Error
from trace.lots.models import Batch
from trace.lots.services import lot
from trace.photos.store import HASH
from trace.questions import asking, fields, keys, pictures, retention
from trace.questions.models import Side, Topic
from trace.scan.words import phone
from village.errors import BadInput, Malformed, SoiError
from village.forms import Form
from village.i18n import in_language
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.people.throttle import count_act
from village.settings import MIB, Settings
from village.web.bodies import up_to

pages = Blueprint("questions", __name__, template_folder="templates")
ROUTE = "/ask/<path:_rest>"
TOPICS = (
    (Topic.ASK, _l("Hỏi thăm"), "help", _l("Cách nấu, cách giữ, ai làm")),
    (Topic.PACK, _l("Gói có chỗ không ổn"), "pack", _l("Rách, thiếu, ẩm, khác mọi khi")),
    (Topic.COPY, _l("Ngờ là hàng giả"), "scan", _l("Mã lạ, gói lạ, giá lạ")),
    (Topic.HARM, _l("Ăn vào thấy mệt"), "recall", _l("Đau, dị ứng, thấy vật lạ")),
)
"""What a question can be about: words, picture, a small line."""
AGAIN = (409, 422, 429)
"""Refusals that are shown on the form itself."""


def largest_form(settings: Settings) -> int:
    """A photo and the words around it."""
    return settings.max_photo + MIB


@pages.get(ROUTE, merge_slashes=False)
def form(_rest: str) -> ResponseReturnValue:
    """The form."""
    link = _link()
    return _form(link, lot(link.gtin, link.lot or ""), Form({"key": uuid7(), "serial": link.serial}))


@pages.post(ROUTE, merge_slashes=False)
@up_to(largest_form)
def ask(_rest: str) -> ResponseReturnValue:
    """Ask. Sent twice, it is one question."""
    count_act("ask", request.remote_addr or "", asking.PER_ADDRESS)
    link = _link()
    batch, typed = lot(link.gtin, link.lot or ""), Form.typed()
    try:
        typed.values = {**request.form.to_dict(), "photo_kept": _keep_photo(typed)}
        wanted = fields.wanted(typed)
        token = asking.ask(batch, wanted, _photo(typed), typed.text("key"))
    except SoiError as error:
        if error.status not in AGAIN:
            raise
        # Read anew: the transaction that was undone let go of the row.
        return _form(link, lot(link.gtin, link.lot or ""), _once_more(typed, error)), error.status
    return redirect(url_for("questions.answers", token=token), 303)


@pages.get("/answers/<token>")
def answers(token: str) -> ResponseReturnValue:
    """What was asked and answered, for whoever holds the address."""
    return _answers(token, Form({"key": uuid7()}))


@pages.post("/answers/<token>")
@up_to(largest_form)
def say(token: str) -> ResponseReturnValue:
    """Say more."""
    count_act("ask", request.remote_addr or "", asking.PER_ADDRESS)
    asking.matter(token)
    typed = Form.typed()
    try:
        typed.values = {**request.form.to_dict(), "photo_kept": _keep_photo(typed)}
        fields.mind_the_trap(typed)
        asking.say_more(token, fields.said(typed), _photo(typed), typed.text("key"))
    except SoiError as error:
        if error.status not in AGAIN:
            raise
        return _answers(token, _once_more(typed, error)), error.status
    return redirect(url_for("questions.answers", token=token), 303)


@pages.post("/answers/<token>/forget")
def forget(token: str) -> ResponseReturnValue:
    """Erase contact and photos."""
    asking.forget(token)
    return redirect(url_for("questions.answers", token=token), 303)


@pages.get("/answers/<token>/photos/<uuid:saying_id>")
def photo(token: str, saying_id: object) -> ResponseReturnValue:
    """A photo, for whoever holds the page's address."""
    return pictures.shown(asking.photo(token, str(saying_id)))


def _link() -> DigitalLink:
    # Escapes matter: a lot may have a slash in it.
    raw = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or quote(request.path))
    path = raw.partition("?")[0] if raw.startswith("/") else urlsplit(raw).path
    parts = path.split("/")[2:]
    try:
        if not 2 <= len(parts) <= 3:
            raise Malformed("no-such-ask", _l("Địa chỉ hỏi phải có mã sản phẩm rồi mã lô."))
        return parse_path("/".join(["", "01", parts[0], "10", parts[1], *(["21", parts[2]] if parts[2:] else [])]))
    except Gs1Error as error:
        raise Malformed(error.slug, _l("Mã trên địa chỉ không đúng. Bác quét lại gói giúp nhé.")) from error


def _keep_photo(typed: Form) -> str:
    """Take the photo that came with the form, or one that came with it before: a browser sends no file twice."""
    file = request.files.get("photo")
    if file is None or not file.filename:
        return typed.text("photo_kept")
    most = current_app.extensions["soi"].max_photo
    return keys.sealed(pictures.take(file.stream.read(most + 1)), typed.text("key"))


def _photo(typed: Form) -> str | None:
    kept = typed.text("photo_kept")
    sha256 = keys.unsealed(kept, typed.text("key")) if kept else None
    return sha256 if sha256 and HASH.fullmatch(sha256) else None


def _once_more(typed: Form, error: SoiError) -> Form:
    """The form again with what was wrong; under a new key where the old one stands for something else."""
    if error.slug == "idempotency-key-reused":
        photo, key = _photo(typed), uuid7()
        typed.values = {**typed.values, "key": key, "photo_kept": keys.sealed(photo, key) if photo else ""}
    if isinstance(error, BadInput) and error.field == fields.TRAP:
        typed.values = {**typed.values, fields.TRAP: ""}
    return typed.refused(error)


def _form(link: DigitalLink, batch: Batch, typed: Form) -> Response:
    return _private(
        render_template(
            "questions/ask.html", form=typed, batch=batch, link=link, name=name_of(batch), topics=_topics(),
            phone=phone(batch.household.cooperative.phone), cooperative=batch.household.cooperative,
            most=fields.TEXT_MAX, trap=fields.TRAP, retention=retention,
        )
    )  # fmt: skip


def _answers(token: str, typed: Form) -> Response:
    found = asking.matter(token)
    return _private(
        render_template(
            "questions/answers.html", form=typed, question=found.question, name=name_of(found.question.batch),
            cooperative=found.cooperative, token=token, phone=phone(found.cooperative.phone), side=Side,
            scan=DigitalLink(found.question.batch.gtin, lot=found.question.batch.lot).path, most=fields.TEXT_MAX,
            has_photo=any(one.photo for one in found.question.said), trap=fields.TRAP,
        )
    )  # fmt: skip


def _private(page: str) -> Response:
    response = make_response(page)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def name_of(batch: Batch) -> str:
    """The product's name in the reader's language."""
    return in_language(batch.product.name_vi, batch.product.name_en)


def _topics() -> list[tuple[str, str, str, str]]:
    return [(topic.value, str(words), picture, str(more)) for topic, words, picture, more in TOPICS]
