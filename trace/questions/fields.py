"""What a buyer's form says, read strictly."""

from dataclasses import dataclass

from trace.gs1.errors import Gs1Error
from trace.gs1.lots import check_lot
from trace.questions.models import Topic
from village.errors import BadInput
from village.forms import Form, choice
from village.i18n import lazy_gettext as _l
from village.outbox.addresses import clean_mail
from village.people.phones import clean_phone
from village.text import clean_line, clean_text

TEXT_MAX = 2000
TRAP = "website"
"""A field that no person sees. Whoever fills it in is told so: now and then it is a browser that means well."""


@dataclass(frozen=True)
class Wanted:
    """What is to be asked or reported. A contact is there only with the buyer's consent."""

    topic: Topic
    text: str
    serial: str | None
    contact: str | None


def wanted(form: Form) -> Wanted:
    """A question's form; BadInput that names the field at fault."""
    mind_the_trap(form)
    return Wanted(
        topic=Topic(choice(form.text("topic"), "topic", [one.value for one in Topic])),
        text=said(form),
        serial=_serial(form.text("serial")),
        contact=_contact(form),
    )


def said(form: Form) -> str:
    """What was written."""
    return clean_text(form.text("text"), "text", TEXT_MAX, required=True)


def mind_the_trap(form: Form) -> None:
    """Refuse what a machine filled in."""
    if form.text(TRAP):
        message = _l("Có một ô ẩn chỉ để bẫy máy gửi rác, mà ô ấy lại có chữ. Bác gửi lại lần nữa là được.")
        raise BadInput("trapped", message, field=TRAP)


def _serial(typed: str) -> str | None:
    serial = clean_line(typed, "serial", 20, required=False)
    if not serial:
        return None
    try:
        return check_lot(serial, "serial")
    except Gs1Error as error:
        message = _l("Số riêng của gói chỉ gồm chữ không dấu và số. Bác không chắc thì bỏ trống cũng được.")
        raise BadInput("bad-serial", message, field="serial") from error


def _contact(form: Form) -> str | None:
    typed = form.text("contact").strip()
    if not typed:
        return None
    contact = clean_mail(typed, "contact") if "@" in typed else clean_phone(typed, "contact")
    if not form.ticked("consent"):
        raise BadInput("consent-needed", _l("Bác đánh dấu đồng ý thì mình mới được giữ."), field="consent")
    return contact
