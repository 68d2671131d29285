"""Members, what they may do, and how we know them again."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, Enum, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.places.models import Cooperative, Household


class Role(StrEnum):
    """What a member does in the village. A member may have several."""

    PRODUCER = "producer"
    SELLER = "seller"
    OFFICE = "office"
    AUDITOR = "auditor"
    PARTNER = "partner"


class Member(Base):
    """A person who signs in. Personal data lives here alone, never on the ledger."""

    __tablename__ = "member"

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    username: Mapped[str] = mapped_column(String(40), unique=True)
    phone: Mapped[str | None] = mapped_column(String(16), unique=True)
    """In E.164 form (+84…), so that one number has one spelling."""
    name: Mapped[str] = mapped_column(String(120))
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), index=True)
    household_id: Mapped[Id | None] = mapped_column(ForeignKey("household.id"), index=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    """Argon2id in PHC form; None until a password was set through a sign-in link."""
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Moment] = mapped_column(default=clock.now)
    forgotten_at: Mapped[Moment | None]
    """When all that told who this was went for good; the bare row stays, since events name it."""

    cooperative: Mapped[Cooperative] = relationship()
    household: Mapped[Household | None] = relationship()
    roles: Mapped[list["MemberRole"]] = relationship(cascade="all, delete-orphan", order_by="MemberRole.role")


class MemberRole(Base):
    """One role of one member."""

    __tablename__ = "member_role"

    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[Role] = mapped_column(
        Enum(Role, name="role", native_enum=False, values_callable=lambda e: [r.value for r in e]), primary_key=True
    )


class SignIn(Base):
    """A signed-in browser. The cookie holds the token, the table only its digest; a row can be revoked."""

    __tablename__ = "sign_in"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    device: Mapped[str] = mapped_column(String(200), default="")
    by_link: Mapped[bool] = mapped_column(default=False)
    """True when a one-time link opened it: then a new password needs no old one."""
    created_at: Mapped[Moment] = mapped_column(default=clock.now)
    expires_at: Mapped[Moment]
    revoked_at: Mapped[Moment | None]


class SignInLink(Base):
    """A link that signs a member in once; the office hands it to somebody who forgot."""

    __tablename__ = "sign_in_link"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    made_by: Mapped[Id | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class ApiToken(Base):
    """A bearer token for programs, stored as its digest."""

    __tablename__ = "api_token"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[Moment] = mapped_column(default=clock.now)
    expires_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]


class SignInFailure(Base):
    """How often a name or an address failed to sign in within a window, to slow guessing down on every node."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (CheckConstraint("count > 0", name="count"),)

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    """`name:` or `from:` and a digest."""
    window: Mapped[int] = mapped_column(primary_key=True)
    """Unix time divided by the window's length."""
    count: Mapped[int]
