"""How a browser or a program shows who it is, and how a browser gets to be known."""

import datetime as dt
import re

from flask import Response, current_app, request
from sqlalchemy import Select, bindparam, or_, select, update
from sqlalchemy.orm import Session

from village import clock
from village.db import db, read_once, write
from village.errors import BadInput, NotFound, Unauthenticated
from village.i18n import lazy_gettext as _l
from village.ids import secret_token, token_digest
from village.people import passwords, throttle
from village.people.access import Actor
from village.people.models import ApiToken, Member, MemberRole, Role, SignIn, SignInLink
from village.people.phones import normal_phone

COOKIE = "soi_session"
TRAINING_COOKIE = "soi_training_session"
"""Browsers do not keep the cookies of two ports of one host apart."""
SIGN_IN_DAYS = 30
USERNAME = re.compile(r"(?=.*[a-z])[a-z0-9][a-z0-9._-]{1,39}")
"""At least one letter, so that no user name is somebody's telephone number."""

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung"), ("coc_coc", "Cốc Cốc"),
             ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))  # fmt: skip
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
            ("Mac OS", "Mac"), ("Linux", "Linux"))  # fmt: skip


def actor_of_request() -> Actor | None:
    """Who sent this request: by its bearer token, or else by its cookie; one query.

    A bearer token that is not good raises Unauthenticated; a cookie that is not makes a guest.
    """
    authorization = request.authorization
    if authorization is not None and authorization.type == "bearer":
        found = _actor(_BY_TOKEN, authorization.token or "")
        if found is None:
            raise Unauthenticated("bad-token", _l("Mã truy cập không đúng, đã hết hạn hoặc đã bị thu lại."))
        return found
    token = cookie_token()
    return _actor(_BY_COOKIE, token) if token else None


def sign_in(name: str, password: str, address: str, device: str) -> str:
    """Sign a member in by user name or telephone number, from a network address, on a device.

    Gives the new session's token. Raises BadInput, the same whether the name or the password was wrong, or TooMany.
    """
    member_id, stored = _password_of(name)
    by_name = throttle.name_key(member_id or name.strip().lower()[:200])
    by_address = throttle.address_key(address)
    throttle.count_attempt(by_name, by_address)
    if not passwords.verify(password, stored) or member_id is None:
        raise BadInput("wrong-password", _l("Tên hoặc mật khẩu chưa đúng. Bác gõ lại nhé."), field="password")
    with write() as session:
        throttle.give_back(session, by_name, by_address)
        return start_session(session, member_id, device, by_link=False)


def use_link(token: str, device: str) -> str:
    """Sign in with a one-time link. One conditional UPDATE: of two that come at once, exactly one gets in.

    Gives the new session's token; NotFound when the link was used, has run out, or never was.
    """
    now = clock.now()
    with write() as session:
        used = (
            update(SignInLink)
            .where(
                SignInLink.digest == token_digest(token),
                SignInLink.used_at.is_(None),
                SignInLink.expires_at > now,
                SignInLink.member_id.in_(select(Member.id).where(Member.active)),
            )
            .values(used_at=now)
            .returning(SignInLink.member_id)
        )
        member_id = session.execute(used).scalar_one_or_none()
        if member_id is None:
            message = _l("Đường dẫn này đã dùng rồi hoặc đã quá hạn. Bác nhờ hợp tác xã gửi cái mới nhé.")
            raise NotFound("link-not-usable", message)
        return start_session(session, member_id, device, by_link=True)


def start_session(session: Session, member_id: str, device: str, *, by_link: bool) -> str:
    """Remember a browser; gives the token for its cookie."""
    token, now = secret_token(), clock.now()
    expires_at = now + dt.timedelta(days=SIGN_IN_DAYS)
    session.add(
        SignIn(
            digest=token_digest(token), member_id=member_id, device=device[:200], by_link=by_link,
            created_at=now, expires_at=expires_at,
        )
    )  # fmt: skip
    return token


def sign_out() -> None:
    """Revoke the session of this request's cookie, if it has one."""
    token = cookie_token()
    if token:
        with write() as session:
            mine = SignIn.digest == token_digest(token)
            session.execute(update(SignIn).where(mine, SignIn.revoked_at.is_(None)).values(revoked_at=clock.now()))


def cookie_token() -> str:
    """The session token that this request's cookie carries; empty without one."""
    return request.cookies.get(_cookie(), "")


def _cookie() -> str:
    return TRAINING_COOKIE if current_app.extensions["soi"].training else COOKIE


def set_cookie(response: Response, token: str) -> Response:
    """Give a browser its session."""
    secure = current_app.extensions["soi"].secure
    response.set_cookie(
        _cookie(), token, max_age=SIGN_IN_DAYS * 86400, httponly=True, samesite="Lax", secure=secure, path="/"
    )
    return response


def clear_cookie(response: Response) -> Response:
    """Take a browser's session away."""
    secure = current_app.extensions["soi"].secure
    response.delete_cookie(_cookie(), path="/", httponly=True, samesite="Lax", secure=secure)
    return response


def device_name(user_agent: str) -> str:
    """What a browser calls itself, in two words: enough to know one's own phone again, and no more."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return " · ".join(part for part in (browser, system) if part)


def _password_of(name: str) -> tuple[str | None, str | None]:
    """The id and stored password of the active member with that user name or telephone number."""
    typed = name.strip().lower()
    if USERNAME.fullmatch(typed):
        is_theirs = Member.username == typed
    elif phone := normal_phone(typed):
        is_theirs = Member.phone == phone
    else:
        return None, None
    row = db.session.execute(select(Member.id, Member.password_hash).where(is_theirs, Member.active)).first()
    return (row.id, row.password_hash) if row else (None, None)


# Built once, and on the tables themselves, for one of them runs with every request.
_M, _R, _S, _T = (model.__table__.c for model in (Member, MemberRole, SignIn, ApiToken))
_MEMBER = select(_M.id, _M.username, _M.name, _M.cooperative_id, _M.household_id, _R.role).select_from(
    Member.__table__.outerjoin(MemberRole.__table__, _R.member_id == _M.id)
)
_BY_COOKIE = _MEMBER.join(SignIn.__table__, _S.member_id == _M.id).where(
    _S.digest == bindparam("digest"), _S.revoked_at.is_(None), _S.expires_at > bindparam("now"), _M.active
)
_BY_TOKEN = _MEMBER.join(ApiToken.__table__, _T.member_id == _M.id).where(
    _T.digest == bindparam("digest"), _T.revoked_at.is_(None),
    or_(_T.expires_at.is_(None), _T.expires_at > bindparam("now")), _M.active,
)  # fmt: skip


def _actor(query: Select[str, str, str, str, str | None, Role], token: str) -> Actor | None:
    rows = read_once(query, {"digest": token_digest(token), "now": clock.now()})
    if not rows:
        return None
    first = rows[0]
    return Actor(
        id=first.id, username=first.username, name=first.name,
        roles=frozenset(row.role for row in rows if row.role is not None),
        cooperative_id=first.cooperative_id, household_id=first.household_id,
    )  # fmt: skip
