"""Ways into 200,000 orders: by day, by how their money stands, by channel, and by product.

Revision ID: 0025
Revises: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Indexes only."""
    op.create_index("ix_shop_order_created_at", "shop_order", ["created_at"])
    op.create_index("ix_shop_order_payment_state", "shop_order", ["payment_state", "id"])
    op.create_index("ix_shop_order_channel", "shop_order", ["channel", "id"])
    op.drop_index("ix_order_line_order_id", table_name="order_line")
    op.create_index("ix_order_line_order_id", "order_line", ["order_id", "product_id"])


def downgrade() -> None:
    """Back to before."""
    op.drop_index("ix_order_line_order_id", table_name="order_line")
    op.create_index("ix_order_line_order_id", "order_line", ["order_id"])
    op.drop_index("ix_shop_order_channel", table_name="shop_order")
    op.drop_index("ix_shop_order_payment_state", table_name="shop_order")
    op.drop_index("ix_shop_order_created_at", table_name="shop_order")
