"""Batches from outside, and what an event says besides

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was recorded before said nothing of the kind."""
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.add_column(sa.Column("outside", sa.String(length=80), nullable=True))
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("facts", sa.JSON(), nullable=False, server_default=sa.text("'{}'")))
        batch_op.add_column(sa.Column("value_dong", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Back to before."""
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_column("value_dong")
        batch_op.drop_column("facts")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_column("outside")
