"""Slows down guessing at passwords, on every node alike: the counts stand in the database.

An attempt is counted before its password is looked at, so that many at once cannot slip past the limit,
and given back when it succeeds.
"""

import hashlib
import hmac
import ipaddress

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from village import clock
from village.db import db, write
from village.errors import TooMany
from village.i18n import lazy_gettext as _l
from village.people.models import SignInFailure

WINDOW = 15 * 60
"""Seconds."""
PER_NAME = 10
PER_ADDRESS = 60
"""A whole hamlet may share one address of its mobile network."""


def name_key(who: str) -> str:
    """The key of a member (by id), or of a name that nobody has."""
    return f"name:{_digest(who)}"


def address_key(address: str) -> str:
    """The key of a network address; an IPv6 reader owns a whole /64."""
    try:
        found = parsed(address)
    except ValueError:
        return f"from:{_digest('unknown')}"
    if found.version == 6:
        found = ipaddress.ip_network((found, 64), strict=False).network_address
    return f"from:{_digest(str(found))}"


def parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """A network address; one of IPv4 that a socket for both tells as IPv6 (`::ffff:203.0.113.9`) is itself again, or
    all of IPv4 would be one /64. ValueError for none."""
    found = ipaddress.ip_address(address)
    return found.ipv4_mapped or found if found.version == 6 else found


def count_attempt(name: str, address: str) -> None:
    """Count one more attempt under both keys; TooMany when either has had its share of this window."""
    window, passed = divmod(int(clock.now().timestamp()), WINDOW)
    with write() as session:
        by_name = _add(session, name, window)
        by_address = _add(session, address, window)
        if by_address == 1:
            session.execute(delete(SignInFailure).where(SignInFailure.window < window - 1))
    if by_name > PER_NAME or by_address > PER_ADDRESS:
        wait = WINDOW - passed
        message = _l("Thử nhiều lần quá rồi. Bác nghỉ %(minutes)s phút, hoặc nhờ hợp tác xã gửi đường dẫn đăng nhập.")
        raise TooMany("too-many-attempts", message, retry_after=wait, minutes=-(-wait // 60))


def count_act(purpose: str, address: str, most: int) -> None:
    """Count one more act of this kind from a network address; TooMany after `most` of them within `WINDOW`.

    `purpose` is a short word of its own for each kind. Of the address nothing is stored but a keyed digest, and that
    for two windows.
    """
    window, passed = divmod(int(clock.now().timestamp()), WINDOW)
    with write() as session:
        count = _add(session, f"{purpose}:{address_key(address).partition(':')[2]}", window)
        if count == 1:
            session.execute(delete(SignInFailure).where(SignInFailure.window < window - 1))
    if count > most:
        raise _too_many_acts(WINDOW - passed)


def refuse_many(purpose: str, address: str, most: int) -> None:
    """TooMany when a network address has had `most` acts of this kind or more within `WINDOW`; counts nothing."""
    window, passed = divmod(int(clock.now().timestamp()), WINDOW)
    key = f"{purpose}:{address_key(address).partition(':')[2]}"
    here = (SignInFailure.key == key, SignInFailure.window == window)
    if (db.session.scalar(select(SignInFailure.count).where(*here)) or 0) >= most:
        raise _too_many_acts(WINDOW - passed)


def spend_in(session: Session, purpose: str, address: str, amount: int, most: int, span: int) -> int | None:
    """Add `amount` (1 or more) to what a network address had of something in the running `span` (seconds, a multiple
    of WINDOW), inside the caller's transaction. None when that is `most` or less; else the seconds until the span is
    over, and the caller raises, so that nothing was spent. Kept as in `count_act`, until the span is over.
    """
    now = int(clock.now().timestamp())
    number = now // span
    last = (number + 1) * (span // WINDOW) - 1
    key = f"{purpose}:{address_key(address).partition(':')[2]}"
    spent = _add(session, key, last, amount)
    if spent == amount:
        session.execute(delete(SignInFailure).where(SignInFailure.window < now // WINDOW - 1))
    return None if spent <= most else (number + 1) * span - now


def _too_many_acts(wait: int) -> TooMany:
    message = _l("Từ mạng này vừa có nhiều người gửi quá. Bác nghỉ %(minutes)s phút rồi gửi lại nhé.")
    return TooMany("too-many-acts", message, retry_after=wait, minutes=-(-wait // 60))


def give_back(session: Session, name: str, address: str) -> None:
    """Forget the failures of a name that signed in, and this one attempt of its address."""
    window = int(clock.now().timestamp()) // WINDOW
    here = (SignInFailure.key == address, SignInFailure.window == window)
    session.execute(delete(SignInFailure).where(SignInFailure.key == name))
    session.execute(update(SignInFailure).where(*here, SignInFailure.count > 1).values(count=SignInFailure.count - 1))


def _add(session: Session, key: str, window: int, amount: int = 1) -> int:
    """One statement, so that no two processes count the same attempt."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = insert(SignInFailure).values(key=key, window=window, count=amount)
    one_more = row.on_conflict_do_update(
        index_elements=[SignInFailure.key, SignInFailure.window], set_={"count": SignInFailure.count + amount}
    )
    return int(session.execute(one_more.returning(SignInFailure.count)).scalar_one())


def _digest(text: str) -> str:
    # Keyed, since a list of all IPv4 addresses would undo a bare digest.
    key = current_app.extensions["soi"].secret_key.encode()
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
