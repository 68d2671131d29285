"""What the office types about a member, checked."""

from dataclasses import dataclass

from village.errors import BadInput
from village.forms import Form
from village.i18n import lazy_gettext as _l
from village.people.models import Role
from village.people.phones import clean_phone
from village.people.sign_in import USERNAME
from village.text import clean_line, clean_name, missing


@dataclass(frozen=True)
class MemberFields:
    """A member as the office wants it. `household_id` None: works for the cooperative itself."""

    username: str
    name: str
    phone: str | None
    roles: frozenset[Role]
    household_id: str | None


def member_fields(form: Form) -> MemberFields:
    """The fields of the member form; BadInput for the first one that is not right."""
    return make_fields(
        form.text("username"), form.text("name"), form.text("phone"), form.texts("roles"), form.text("household")
    )


def make_fields(username: str, name: str, phone: str, roles: list[str], household_id: str) -> MemberFields:
    """As `member_fields`, from bare values; the phone and the household may be empty."""
    short = clean_line(username, "username", 40).lower()
    if not USERNAME.fullmatch(short):
        message = _l("Tên đăng nhập gồm 2 đến 40 chữ không dấu, số, dấu chấm hay gạch, có ít nhất một chữ.")
        raise BadInput("bad-username", message, field="username")
    if not roles:
        raise missing("roles", _l("Bác chọn ít nhất một việc."))
    if not set(roles) <= set(Role):
        raise BadInput("not-a-role", _l("Không có việc này."), field="roles")
    wanted = frozenset(Role(role) for role in roles)
    if Role.PRODUCER in wanted and not household_id:
        raise missing("household", _l("Người làm miến phải thuộc một hộ."))
    return MemberFields(
        username=short,
        name=clean_name(name, "name"),
        phone=clean_phone(phone) if phone.strip() else None,
        roles=wanted,
        household_id=household_id or None,
    )
