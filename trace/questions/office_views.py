"""`/coop/questions`: what buyers ask and report about the cooperative's lots, for its office."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from trace.gs1.digital_link import DigitalLink
from trace.questions import answering, fields, pictures
from trace.questions.models import QuestionState, Side, Topic
from trace.questions.views import TOPICS, name_of
from village.errors import SoiError
from village.forms import Form, page_number
from village.ids import uuid7
from village.outbox.views import said, shown_to
from village.people.access import requires, signed_in
from village.people.models import Role
from village.people.phones import shown_phone

office = Blueprint("office_questions", __name__, url_prefix="/coop/questions", template_folder="templates")
WORDS = {topic: (words, picture) for topic, words, picture, _more in TOPICS}


@office.get("")
@requires(Role.OFFICE)
def listed() -> ResponseReturnValue:
    """Questions, those that wait first."""
    who, page = signed_in(), page_number(request.args.get("page", ""))
    asked = request.args.get("show", "")
    state = QuestionState(asked) if asked in list(QuestionState) else QuestionState.OPEN
    found, more = answering.listed(who, state, page)
    return render_template(
        "questions/office.html", questions=found, more=more, page=page, state=state, counts=answering.counts(who),
        words=WORDS, name_of=name_of, side=Side,
    )  # fmt: skip


@office.get("/<uuid:question_id>")
@requires(Role.OFFICE)
def one(question_id: object) -> ResponseReturnValue:
    """One question, and the form to answer it."""
    return _one(str(question_id), Form({"key": uuid7()}))


@office.post("/<uuid:question_id>")
@requires(Role.OFFICE)
def answer(question_id: object) -> ResponseReturnValue:
    """Answer."""
    typed = Form.typed()
    try:
        closes = typed.text("then") == "close"
        answering.answer(signed_in(), str(question_id), fields.said(typed), typed.text("key"), close=closes)
    except SoiError as error:
        if error.status not in (409, 422):
            raise
        if error.slug == "idempotency-key-reused":
            typed.values = {**request.form.to_dict(), "key": uuid7()}
        return _one(str(question_id), typed.refused(error)), error.status
    return redirect(url_for("office_questions.one", question_id=question_id), 303)


@office.post("/<uuid:question_id>/close")
@requires(Role.OFFICE)
def close(question_id: object) -> ResponseReturnValue:
    """Close a matter, or take it up again."""
    answering.close(signed_in(), str(question_id), closed=request.form.get("closed") != "no")
    return redirect(url_for("office_questions.one", question_id=question_id), 303)


@office.post("/<uuid:question_id>/serious")
@requires(Role.OFFICE)
def serious(question_id: object) -> ResponseReturnValue:
    """Serious, or not after all."""
    answering.mark(signed_in(), str(question_id), serious=request.form.get("serious") != "no")
    return redirect(url_for("office_questions.one", question_id=question_id), 303)


@office.get("/<uuid:question_id>/photos/<uuid:saying_id>")
@requires(Role.OFFICE)
def photo(question_id: object, saying_id: object) -> ResponseReturnValue:
    """A photo that a buyer sent."""
    return pictures.shown(answering.photo(signed_in(), str(question_id), str(saying_id)))


def _one(question_id: str, typed: Form) -> str:
    found = answering.read(signed_in(), question_id)
    question, batch = found.question, found.question.batch
    contact = question.contact or ""
    return render_template(
        "questions/question.html", question=question, notices=found.notices, form=typed, words=WORDS, side=Side,
        topic=Topic, state=QuestionState, name=name_of(batch), scan=DigitalLink(batch.gtin, lot=batch.lot).path,
        contact=contact if "@" in contact or not contact else shown_phone(contact), by_mail="@" in contact,
        most=fields.TEXT_MAX, said=said, shown_to=shown_to,
    )  # fmt: skip
