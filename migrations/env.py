"""How `flask db` reaches the schema: the app's own engine and metadata, one transaction for a whole upgrade."""

from typing import Any

from alembic import context
from flask import current_app

from village.db import Base, UtcDateTime

engine = current_app.extensions["migrate"].db.engine


def _render(kind: str, item: Any, autogen: Any) -> str | bool:
    """Write our moments as what they are in the database, so that no migration imports today's code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=_render,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
