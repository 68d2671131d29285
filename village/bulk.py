"""New objects inserted past the session's unit of work, whose bookkeeping for a row costs several times the row."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import Column, Table
from sqlalchemy import inspect as state_of
from sqlalchemy.orm import InstanceState, Mapper, Session, make_transient_to_detached

from village.db import Base, insert_later, insert_now


def insert_new(session: Session, kinds: tuple[type[Base], ...], more: Iterable[Base] = ()) -> None:
    """Insert the session's new objects of these kinds, and `more` that are in no session yet, as a flush would.

    They must know their foreign keys: relationships are not asked for them. Columns that nobody has set get their
    defaults, and whoever listens for `after_insert` hears of each. Nothing else is flushed, but for the rows of
    `insert_later`, which they may refer to. Call it inside of `write()`.
    """
    pending = [one for one in session.new if isinstance(one, kinds)]
    new: list[Base] = [*pending, *more]
    if not new:
        return
    rows: dict[Table, list[Mapping[str, Any]]] = {}
    for one in new:
        table, columns = _columns(type(one))
        rows.setdefault(table, []).append(_row(one, columns))
    for one in pending:
        if one in session:  # it may have left together with what it belongs to
            session.expunge(one)
    for table, some in rows.items():
        insert_later(session, table, some)
    insert_now(session)
    for one in new:
        # As if read back: the database has the very same row.
        make_transient_to_detached(one)
    session.add_all(new)
    for one in new:
        state: InstanceState[Any] = state_of(one)
        state.mapper.dispatch.after_insert(state.mapper, session.connection(), state)


@cache
def _columns(kind: type[Base]) -> tuple[Table, Sequence[tuple[str, Column[Any]]]]:
    mapper = cast(Mapper[Any], state_of(kind))
    table = cast(Table, mapper.local_table)
    return table, [(mapper.get_property_by_column(column).key, column) for column in table.columns]


def _row(one: Base, columns: Sequence[tuple[str, Column[Any]]]) -> dict[str, Any]:
    """The object's row by its columns' keys; what it leaves to a default is set on the object too."""
    known = one.__dict__
    row: dict[str, Any] = {}
    for name, column in columns:
        if name not in known:
            setattr(one, name, _default(column))
        row[column.key] = known[name]
    return row


def _default(column: Column[Any]) -> Any:
    default: Any = column.default
    if default is None:
        return None
    return default.arg(None) if default.is_callable else default.arg
