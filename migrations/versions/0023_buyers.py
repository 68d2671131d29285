"""Addresses, and what a buyer asked us to forget.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """How often an address was written to; what sellers tell of themselves; when an order was forgotten."""
    op.create_index("ix_shop_order_buyer_email", "shop_order", ["buyer_email"])
    op.create_table(
        "seller_info",
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("registered_by", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("complaints_phone", sa.String(length=16), nullable=False),
        sa.Column("hours", sa.String(length=120), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_seller_info_cooperative_id_cooperative")
        ),
        sa.PrimaryKeyConstraint("cooperative_id", name=op.f("pk_seller_info")),
    )
    op.add_column("shop_order", sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back to before."""
    op.drop_column("shop_order", "forgotten_at")
    op.drop_table("seller_info")
    op.drop_index("ix_shop_order_buyer_email", "shop_order")
