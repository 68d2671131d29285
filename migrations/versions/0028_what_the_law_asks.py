"""Who stands for a seller, and where the state confirms its shop.

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns."""
    op.add_column("seller_info", sa.Column("representative", sa.String(120), nullable=False, server_default=""))
    op.add_column("seller_info", sa.Column("notice_url", sa.String(200), nullable=False, server_default=""))


def downgrade() -> None:
    """Without them."""
    op.drop_column("seller_info", "notice_url")
    op.drop_column("seller_info", "representative")
