"""Corrections that the office has looked at

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

import village.db

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "correction_seen",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("at", village.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_correction_seen_event_id_event")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_correction_seen_member_id_member")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_correction_seen")),
    )


def downgrade() -> None:
    """Back to before."""
    op.drop_table("correction_seen")
