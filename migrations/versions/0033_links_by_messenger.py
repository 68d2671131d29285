"""A platform may send viewers their links.

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody is sent anything until a seller says so."""
    op.add_column("live_source", sa.Column("tells", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("live_source", sa.Column("tell_fault", sa.String(length=40), server_default="", nullable=False))
    op.add_column("live_claim", sa.Column("untold", sa.String(length=40), server_default="", nullable=False))


def downgrade() -> None:
    """Sellers send them by hand again."""
    op.drop_column("live_claim", "untold")
    op.drop_column("live_source", "tell_fault")
    op.drop_column("live_source", "tells")
