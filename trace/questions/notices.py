"""Telling a buyer that there is an answer, where she left word how."""

from flask import current_app
from sqlalchemy.orm import Session

from trace.questions import keys
from trace.questions.models import Question, Saying
from trace.questions.retention import ABOUT
from village.i18n import marked, translations
from village.outbox.services import put
from village.places.models import Cooperative
from village.settings import Settings

WORDS = {
    "mail": (
        marked("%(name)s đã trả lời bác về lô %(lot)s"),
        marked(
            "Chào bác,\n\n%(name)s đã trả lời bác về lô %(lot)s:\n\n%(text)s\n\nMuốn xem cả câu chuyện hay nói thêm, "
            "bác mở: %(link)s\n\nAi có đường dẫn này đều xem được, bác giữ riêng nhé. Thư này máy gửi, bác không cần "
            "đáp lại thư."
        ),
    ),
    "sms": ("", marked("%(name)s đã trả lời bác về lô %(lot)s: %(link)s")),
    "call": (marked("Gọi lại cho người hỏi về lô %(lot)s"), marked("Mình trả lời: %(text)s")),
}
"""Subject and text, by channel."""


def channel_of(contact: str, settings: Settings) -> str:
    """Mail to a mail address; to a telephone a short message where the village can send them, else somebody rings."""
    if "@" in contact:
        return "mail"
    return "sms" if settings.sms_url or settings.mode != "production" else "call"


def tell(session: Session, question: Question, saying: Saying) -> None:
    """Put the notice of one answer into the outbox, in the buyer's language, within the caller's transaction."""
    if question.contact is None:
        return
    settings: Settings = current_app.extensions["soi"]
    channel = channel_of(question.contact, settings)
    name = session.get_one(Cooperative, question.cooperative_id).name
    link = f"{settings.public_url}/answers/{keys.let_open(session, question.id)}"
    values = {"name": name, "lot": question.batch.lot, "link": link, "text": saying.text}
    subject, body = WORDS[channel]
    # Whoever rings reads Vietnamese, and says it as she likes.
    language = "vi" if channel == "call" else question.language
    put(
        session,
        cooperative_id=question.cooperative_id,
        channel=channel,
        to=question.contact,
        subject=_said(language, subject, values) if subject else "",
        body=_said(language, body, values),
        about=(ABOUT, question.id),
        key=f"question:{question.id}:{saying.id}",
    )


def _said(language: str, message: str, values: dict[str, str]) -> str:
    return str(translations(language).gettext(message)) % values
