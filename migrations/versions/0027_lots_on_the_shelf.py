"""Only lots that have packs left are looked through: those that are sold out grow with every year.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

LEFT = sa.text("packed - reserved - sold - lost > 0")


def upgrade() -> None:
    """An index."""
    op.create_index(
        "ix_stock_lot_left", "stock_lot", ["product_id", "best_before", "batch_id"],
        sqlite_where=LEFT, postgresql_where=LEFT,
    )  # fmt: skip


def downgrade() -> None:
    """Back to before."""
    op.drop_index("ix_stock_lot_left", table_name="stock_lot")
