"""Named queries: kept for a cooperative's members and partners, to be asked again."""

import re
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from trace.capture import errors
from trace.capture.asked import asked_query
from trace.capture.models import NamedQuery
from trace.epcis.asking import Query, QueryFault
from trace.epcis.reading import read_namespaces
from village.db import db, write
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, not_yours
from village.people.models import Role

MOST = 200
"""Named queries of one cooperative."""
_NAME = re.compile(r"[A-Za-z0-9._~-]{1,100}", re.ASCII)


def read(told: dict[str, Any]) -> Query:
    """A stored query's meaning, or Malformed."""
    plain = {name: value for name, value in told.items() if name != "@context"}
    try:
        return asked_query(plain, read_namespaces(told.get("@context", [])))
    except ValueError as error:
        raise errors.bad_query(QueryFault("@context", str(error))) from error


def keep(who: Actor, told: Any) -> NamedQuery:
    """Keep a query under its name."""
    if not isinstance(told, dict) or set(told) != {"name", "query"}:
        raise BadInput("bad-query", _l("Cần đúng hai phần: name và query."), field="name")
    name, query = told["name"], told["query"]
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in (".", ".."):
        raise BadInput("bad-query-name", _l("Tên gồm 1 đến 100 chữ không dấu, số, chấm hay gạch."), field="name")
    if not isinstance(query, dict):
        raise BadInput("bad-query", _l("Câu hỏi phải là một đối tượng JSON."), field="query")
    read(query)
    try:
        with write() as session:
            count = select(func.count()).where(NamedQuery.cooperative_id == who.cooperative_id)
            if session.scalars(count).one() >= MOST:
                raise Conflict("too-many-queries", _l("Đã có %(most)s câu hỏi rồi, bác bỏ bớt nhé."), most=MOST)
            row = NamedQuery(cooperative_id=who.cooperative_id, member_id=who.id, name=name, query=query)
            session.add(row)
            session.flush()
            return row
    except IntegrityError as error:
        raise Conflict(
            "query-name-taken", _l("Đã có câu hỏi mang tên này."),
            exception="epcisException:DuplicateNameException", name=name,
        ) from error  # fmt: skip


def named(who: Actor, name: str) -> NamedQuery:
    """A query of the asker's cooperative, or NotFound."""
    found = db.session.scalar(
        select(NamedQuery).where(NamedQuery.cooperative_id == who.cooperative_id, NamedQuery.name == name)
    )
    if found is None:
        raise errors.nothing(name)
    return found


def all_named(who: Actor, after: str, count: int) -> list[NamedQuery]:
    """The cooperative's queries, by name."""
    query = (
        select(NamedQuery)
        .where(NamedQuery.cooperative_id == who.cooperative_id, NamedQuery.name > after)
        .order_by(NamedQuery.name)
        .limit(count)
    )
    return list(db.session.scalars(query))


def forget(who: Actor, name: str) -> None:
    """Take a query away: one's own, or as the office any of one's cooperative."""
    found = named(who, name)
    if found.member_id != who.id and not who.has(Role.OFFICE):
        raise not_yours()
    with write() as session:
        row = session.get(NamedQuery, found.id)
        if row is not None:
            session.delete(row)
