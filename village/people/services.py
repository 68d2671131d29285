"""The office's work on members. Each function takes who asks, and only the same cooperative's office may."""

import datetime as dt

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.i18n import marked
from village.ids import secret_token, token_digest
from village.people.access import Actor, not_yours, wrong_role
from village.people.models import ApiToken, Member, MemberRole, Role, SignIn, SignInLink
from village.people.schemas import MemberFields
from village.places.models import Household
from village.places.services import alone_in
from village.text import clean_line

LINK_HOURS = 72
TOKENS_MAX = 20
"""Working tokens of one member."""
NAMELESS = marked("Một người đã nghỉ")
"""The name of a member who was forgotten; a message's name, translated where it is shown."""


def console(cooperative_id: str) -> Actor:
    """Whoever holds the server's command line: may do what that cooperative's office may."""
    return Actor("", "console", "console", frozenset((Role.OFFICE,)), cooperative_id, None)


def members_of(cooperative_id: str) -> list[Member]:
    """A cooperative's members with their roles and households, those at work first."""
    query = (
        select(Member)
        .where(Member.cooperative_id == cooperative_id)
        .options(selectinload(Member.roles), selectinload(Member.household))
        .order_by(Member.active.desc(), Member.name, Member.username)
    )
    return list(db.session.scalars(query))


def member_of(who: Actor, member_id: str) -> Member:
    """One member of the asker's cooperative; NotFound for any other."""
    return _own_member(db.session(), who, member_id)


def add_member(who: Actor, fields: MemberFields) -> str:
    """Take somebody into the asker's cooperative; gives the new member's id."""
    _office(who)
    with write() as session:
        _check(session, who, fields, None)
        member = Member(username=fields.username, cooperative_id=who.cooperative_id)
        _fill(member, fields)
        session.add(member)
        _flush(session)
        return member.id


def edit_member(who: Actor, member_id: str, fields: MemberFields) -> None:
    """Change what is known of a member. The cooperative keeps at least one active office member."""
    _office(who)
    with write() as session:
        member = _known_member(session, who, member_id)
        _check(session, who, fields, member.id)
        if Role.OFFICE not in fields.roles:
            _keep_an_office(session, member)
        member.username = fields.username
        _fill(member, fields)
        _flush(session)


def deactivate_member(who: Actor, member_id: str) -> None:
    """Shut somebody out at once, on every device and for every program. What they recorded stays theirs."""
    _office(who)
    now = clock.now()
    with write() as session:
        member = _known_member(session, who, member_id)
        _keep_an_office(session, member)
        member.active = False
        for table in (SignIn, ApiToken):
            session.execute(
                update(table).where(table.member_id == member.id, table.revoked_at.is_(None)).values(revoked_at=now)
            )
        _void_links(session, member.id)


def reactivate_member(who: Actor, member_id: str) -> None:
    """Let somebody back in; they sign in anew."""
    _office(who)
    with write() as session:
        _known_member(session, who, member_id).active = True


def forget_member_in(session: Session, who: Actor, member_id: str) -> Member | None:
    """Erase all that tells who a member was, in the caller's transaction; None when it was done before.

    The row stays, nameless and shut out, for what names it: events, orders. Its id alone tells nobody anything.
    """
    _office(who)
    member = _own_member(session, who, member_id)
    session.refresh(member, with_for_update=True)
    if member.forgotten_at is not None:
        return None
    _keep_an_office(session, member)
    member.username = f"~{secret_token()}"
    member.name = NAMELESS
    member.phone = member.password_hash = member.household_id = None
    member.active = False
    member.forgotten_at = clock.now()
    member.roles = []
    for table in (SignIn, SignInLink, ApiToken):
        session.execute(delete(table).where(table.member_id == member.id))
    session.flush()
    return member


def hand_out_link(who: Actor, member_id: str) -> str:
    """A token for a one-time sign-in link, good for 72 hours; an older unused one stops working."""
    _office(who)
    token = secret_token()
    with write() as session:
        member = _known_member(session, who, member_id)
        if not member.active:
            raise Conflict("member-inactive", _l("Người này đã nghỉ. Bác cho vào lại trước rồi gửi đường dẫn."))
        _void_links(session, member.id)
        expires_at = clock.now() + dt.timedelta(hours=LINK_HOURS)
        session.add(
            SignInLink(digest=token_digest(token), member_id=member.id, made_by=who.id or None, expires_at=expires_at)
        )
    return token


def make_token(who: Actor, member_id: str, label: str, days: int | None = None) -> str:
    """A bearer token for a member's programs; shown now and never again. One's own, or the console's to give."""
    name = clean_line(label, "label", 80)
    now = clock.now()
    with write() as session:
        member = _known_member(session, who, member_id)
        if member.id != who.id and who.id:
            raise not_yours()
        if not member.active:
            raise Conflict("member-inactive", _l("Người này đã nghỉ, không cấp mã được."))
        working = select(func.count()).where(ApiToken.member_id == member.id, ApiToken.revoked_at.is_(None))
        if session.scalars(working).one() >= TOKENS_MAX and who.id:
            raise Conflict("too-many-tokens", _l("Bác đã có %(max)s mã rồi, thu lại bớt nhé."), max=TOKENS_MAX)
        token = secret_token()
        expires_at = now + dt.timedelta(days=days) if days else None
        session.add(
            ApiToken(digest=token_digest(token), member_id=member.id, label=name, created_at=now, expires_at=expires_at)
        )
    return token


def _office(who: Actor) -> None:
    if not who.has(Role.OFFICE):
        raise wrong_role()


def _own_member(session: Session, who: Actor, member_id: str) -> Member:
    member = session.get(Member, member_id)
    if member is None or member.cooperative_id != who.cooperative_id:
        raise NotFound("no-such-member", _l("Hợp tác xã không có người này."))
    return member


def _known_member(session: Session, who: Actor, member_id: str) -> Member:
    """A member to be changed, locked: whoever forgets her meanwhile waits, or is seen to have done it."""
    member = _own_member(session, who, member_id)
    session.refresh(member, with_for_update=True)
    if member.forgotten_at is not None:
        raise Conflict("member-forgotten", _l("Dữ liệu riêng của người này đã xoá hẳn rồi, không lấy lại được."))
    return member


def _check(session: Session, who: Actor, fields: MemberFields, member_id: str | None) -> None:
    """What only the database knows: the names are free, the household is the cooperative's."""
    for column, value, slug, message in (
        (Member.username, fields.username, "username", _l("Tên đăng nhập này đã có người dùng.")),
        (Member.phone, fields.phone, "phone", _l("Số điện thoại này đã có người dùng.")),
    ):
        taken = select(Member.id).where(column == value, Member.id != (member_id or ""))
        if value and session.scalar(taken):
            raise BadInput(f"{slug}-taken", message, field=slug)
    if fields.household_id:
        household = session.get(Household, fields.household_id)
        if household is None or household.cooperative_id != who.cooperative_id:
            raise BadInput("no-such-household", _l("Hợp tác xã không có hộ này."), field="household")


def _fill(member: Member, fields: MemberFields) -> None:
    member.name, member.phone, member.household_id = fields.name, fields.phone, fields.household_id
    kept = [role for role in member.roles if role.role in fields.roles]
    new = sorted(fields.roles - {role.role for role in kept})
    member.roles = kept + [MemberRole(role=role) for role in new]


def _keep_an_office(session: Session, member: Member) -> None:
    """Refuse to lose the last one who could let anybody in. The lock lets no two leave at once."""
    alone_in(session, member.cooperative_id)
    is_office = exists().where(MemberRole.member_id == Member.id, MemberRole.role == Role.OFFICE)
    office = set(
        session.scalars(
            select(Member.id).where(Member.cooperative_id == member.cooperative_id, Member.active, is_office)
        )
    )
    if office == {member.id}:
        raise Conflict("last-office-member", _l("Đây là người văn phòng cuối cùng. Bác giao việc cho ai đã nhé."))


def _void_links(session: Session, member_id: str) -> None:
    session.execute(delete(SignInLink).where(SignInLink.member_id == member_id, SignInLink.used_at.is_(None)))


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        message = _l("Vừa có người dùng tên đăng nhập hoặc số điện thoại này. Bác xem lại nhé.")
        raise Conflict("taken-meanwhile", message, field="username") from error
