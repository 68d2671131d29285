"""A product's brand, which the law asks for beside its name

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("product", sa.Column("brand", sa.String(length=80), server_default="", nullable=False))


def downgrade() -> None:
    """Back to before."""
    op.drop_column("product", "brand")
