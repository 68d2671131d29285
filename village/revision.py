"""One number that moves whenever something changes that scan pages show of the village itself.

Who keeps a rendered page compares the number instead of reading five tables again.
"""

from typing import Any

from sqlalchemy import CheckConstraint, event, insert, update
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column

from village.certificates.models import Certificate
from village.db import BUMPED, Base
from village.places.models import Cooperative, Hamlet, Household, Site
from village.products.models import Product

SHOWN = (Cooperative, Household, Hamlet, Site, Product, Certificate)
_MOVED = "soi_village_moved"


class VillageRevision(Base):
    """The one row; none before the first change."""

    __tablename__ = "village_revision"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]


@event.listens_for(Session, "before_flush")
def _notice(session: Session, _context: Any, _instances: Any) -> None:
    added = (one for some in (session.new, session.deleted) for one in some)
    changed = (one for one in session.dirty if isinstance(one, SHOWN) and session.is_modified(one))
    if any(isinstance(one, SHOWN) for one in added) or any(changed):
        session.info[_MOVED] = True


@event.listens_for(Session, "after_flush")
def _move(session: Session, _context: Any) -> None:
    if session.info.pop(_MOVED, False):
        bump(session)


@event.listens_for(Session, "do_orm_execute")
def _notice_bulk(state: ORMExecuteState) -> None:
    """UPDATE and DELETE by condition go past the flush."""
    mapper = state.bind_mapper
    if (state.is_update or state.is_delete) and mapper is not None and issubclass(mapper.class_, SHOWN):
        bump(state.session)


def bump(session: Session) -> None:
    """Say that something changed which scan pages show, in the caller's transaction."""
    session.info[BUMPED] = True
    table = VillageRevision.__table__
    moved = session.connection().execute(
        update(VillageRevision).where(table.c.id == 1).values(number=VillageRevision.number + 1)
    )
    if moved.rowcount == 0:
        session.connection().execute(insert(VillageRevision).values(id=1, number=1))
