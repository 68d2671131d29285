"""Whose each order is, and when each step of its timeline was written down.

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

SELLERS = (
    "SELECT {which}(product.cooperative_id) FROM order_line JOIN product ON product.id = order_line.product_id"
    " WHERE order_line.order_id = shop_order.id"
)


def upgrade() -> None:
    """Old orders of several sellers stay without one, and are found by their lines."""
    moment = "DATETIME" if op.get_bind().dialect.name == "sqlite" else "TIMESTAMP WITH TIME ZONE"
    op.execute(
        "ALTER TABLE shop_order ADD COLUMN cooperative_id VARCHAR(36)"
        " CONSTRAINT fk_shop_order_cooperative_id_cooperative REFERENCES cooperative (id)"
    )
    least, most = SELLERS.format(which="min"), SELLERS.format(which="max")
    op.execute(f"UPDATE shop_order SET cooperative_id = ({least}) WHERE ({least}) = ({most})")
    op.create_index(
        "ix_shop_order_several", "shop_order", ["id"],
        sqlite_where=sa.text("cooperative_id IS NULL"), postgresql_where=sa.text("cooperative_id IS NULL"),
    )  # fmt: skip
    op.execute(f"ALTER TABLE order_step ADD COLUMN recorded_at {moment}")
    op.execute("UPDATE order_step SET recorded_at = at")
    # What was told late is in the order's own time: settlement looked there until now.
    op.execute(
        "UPDATE order_step SET recorded_at = (SELECT updated_at FROM shop_order WHERE shop_order.id = order_id)"
        " WHERE position = (SELECT max(position) FROM order_step AS later WHERE later.order_id = order_step.order_id)"
        " AND at < (SELECT updated_at FROM shop_order WHERE shop_order.id = order_id)"
    )
    with op.batch_alter_table("order_step") as batch_op:
        batch_op.alter_column("recorded_at", existing_type=sa.DateTime(timezone=True), nullable=False)
    op.create_index("ix_order_step_recorded_at", "order_step", ["recorded_at"])
    op.drop_index("ix_shop_order_updated_at", table_name="shop_order")


def downgrade() -> None:
    """Back to before."""
    op.create_index("ix_shop_order_updated_at", "shop_order", ["updated_at"])
    op.drop_index("ix_order_step_recorded_at", table_name="order_step")
    op.drop_column("order_step", "recorded_at")
    op.drop_index("ix_shop_order_several", table_name="shop_order")
    op.drop_column("shop_order", "cooperative_id")
