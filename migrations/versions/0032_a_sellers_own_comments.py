"""A comment's number is its seller's own: nobody takes another cooperative's comments away by sending them first.

Revision ID: 0032
Revises: 0031
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

UNIQUE = "uq_live_comment_platform"
REFERRING = ("live_offer", "live_wait", "live_decision")


@contextmanager
def _aside() -> Iterator[None]:
    """SQLite builds a table anew to change what binds it; the rows of those that refer to it wait outside."""
    waiting = REFERRING if op.get_bind().dialect.name == "sqlite" else ()
    for table in waiting:
        op.execute(f"CREATE TEMP TABLE aside_{table} AS SELECT * FROM {table}")
        op.execute(f"DELETE FROM {table}")
    yield
    for table in reversed(waiting):
        op.execute(f"INSERT INTO {table} SELECT * FROM aside_{table}")
        op.execute(f"DROP TABLE aside_{table}")


def upgrade() -> None:
    """Each comment learns whose livestream it came to."""
    op.add_column("live_comment", sa.Column("cooperative_id", sa.String(length=36), nullable=True))
    op.execute(
        "UPDATE live_comment SET cooperative_id ="
        " (SELECT cooperative_id FROM live_session WHERE live_session.id = live_comment.session_id)"
    )
    with _aside(), op.batch_alter_table("live_comment") as batch_op:
        batch_op.alter_column("cooperative_id", existing_type=sa.String(length=36), nullable=False)
        batch_op.drop_constraint(UNIQUE, type_="unique")
        batch_op.create_unique_constraint(
            "uq_live_comment_cooperative_id", ["cooperative_id", "platform", "comment_id", "version"]
        )
        batch_op.create_foreign_key(
            "fk_live_comment_cooperative_id_cooperative", "cooperative", ["cooperative_id"], ["id"]
        )


def downgrade() -> None:
    """Without: where two sellers have one number, the later row gets its own before it."""
    op.execute(
        "UPDATE live_comment SET comment_id = substr(id || ':' || comment_id, 1, 200) WHERE EXISTS"
        " (SELECT 1 FROM live_comment AS other WHERE other.platform = live_comment.platform"
        " AND other.comment_id = live_comment.comment_id AND other.version = live_comment.version"
        " AND other.id < live_comment.id)"
    )
    with _aside(), op.batch_alter_table("live_comment") as batch_op:
        batch_op.drop_constraint("fk_live_comment_cooperative_id_cooperative", type_="foreignkey")
        batch_op.drop_constraint("uq_live_comment_cooperative_id", type_="unique")
        batch_op.create_unique_constraint(UNIQUE, ["platform", "comment_id", "version"])
        batch_op.drop_column("cooperative_id")
