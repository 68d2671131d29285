"""What members do for themselves: their password, their signed-in devices, their programs' tokens, their home."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import delete, or_, select, update

from village import clock
from village.db import db, write
from village.errors import BadInput, NotFound
from village.i18n import lazy_gettext as _l
from village.ids import token_digest
from village.people import passwords, throttle
from village.people.access import Actor
from village.people.models import ApiToken, Member, Role, SignIn, SignInLink

FRESH_LINK = dt.timedelta(hours=1)
"""How long after a one-time link a new password needs no old one."""

# The addresses are public and fixed; they belong to rooms above this one.
HOMES = (
    (Role.OFFICE, "/coop"),
    (Role.PRODUCER, "/batches"),
    (Role.SELLER, "/seller"),
    (Role.AUDITOR, "/ledger"),
)


def home_of(who: Actor) -> str:
    """The address of a member's home page; with several roles, the office's comes first."""
    return next((home for role, home in HOMES if who.has(role)), "/me")


def sign_ins_of(who: Actor) -> Sequence[SignIn]:
    """The devices on which a member is signed in, newest first."""
    query = (
        select(SignIn)
        .where(SignIn.member_id == who.id, SignIn.revoked_at.is_(None), SignIn.expires_at > clock.now())
        .order_by(SignIn.created_at.desc())
    )
    return db.session.scalars(query).all()


def tokens_of(who: Actor) -> Sequence[ApiToken]:
    """A member's working tokens, newest first."""
    lasting = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > clock.now())
    query = (
        select(ApiToken)
        .where(ApiToken.member_id == who.id, ApiToken.revoked_at.is_(None), lasting)
        .order_by(ApiToken.created_at.desc())
    )
    return db.session.scalars(query).all()


def revoke_sign_in(who: Actor, digest: str) -> None:
    """Sign a member out on one of their devices."""
    _revoke(SignIn, who, digest)


def revoke_token(who: Actor, digest: str) -> None:
    """Take one of a member's tokens back."""
    _revoke(ApiToken, who, digest)


def _revoke(table: type[SignIn] | type[ApiToken], who: Actor, digest: str) -> None:
    with write() as session:
        theirs = (table.digest == digest, table.member_id == who.id, table.revoked_at.is_(None))
        gone = session.execute(update(table).where(*theirs).values(revoked_at=clock.now()).returning(table.digest))
        if gone.first() is None:
            raise NotFound("already-revoked", _l("Cái này đã thu lại rồi."))


def needs_old_password(who: Actor, token: str) -> bool:
    """False for a member without a password, and for an hour after a one-time link opened this very session."""
    stored = db.session.scalar(select(Member.password_hash).where(Member.id == who.id))
    if stored is None:
        return False
    fresh = select(SignIn.digest).where(
        SignIn.digest == token_digest(token), SignIn.member_id == who.id, SignIn.by_link,
        SignIn.created_at > clock.now() - FRESH_LINK,
    )  # fmt: skip
    return db.session.scalar(fresh) is None


def set_password(who: Actor, token: str, address: str, old: str, new: str) -> None:
    """Set or change a password; signs the member out everywhere but in the session `token`, voids unused links."""
    passwords.check_new(new, "new")
    if needs_old_password(who, token):
        by_name, by_address = throttle.name_key(who.id), throttle.address_key(address)
        stored = db.session.scalar(select(Member.password_hash).where(Member.id == who.id))
        throttle.count_attempt(by_name, by_address)
        if not passwords.verify(old, stored):
            raise BadInput("wrong-password", _l("Mật khẩu cũ chưa đúng."), field="old")
        with write() as session:
            throttle.give_back(session, by_name, by_address)
    hashed = passwords.hash_password(new)
    with write() as session:
        session.execute(update(Member).where(Member.id == who.id).values(password_hash=hashed))
        others = (SignIn.member_id == who.id, SignIn.digest != token_digest(token), SignIn.revoked_at.is_(None))
        session.execute(update(SignIn).where(*others).values(revoked_at=clock.now()))
        session.execute(delete(SignInLink).where(SignInLink.member_id == who.id, SignInLink.used_at.is_(None)))
