"""What a pause kept is decided in turns; packs that joined another session's order count in their own.

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

FOREIGN = """
    FROM live_hold
    JOIN live_code ON live_code.id = live_hold.code_id JOIN shop_order ON shop_order.id = live_hold.order_id
    WHERE live_code.session_id <> shop_order.live_session_id
"""


def upgrade() -> None:
    """A word and a table; what joined before now moves into it."""
    becomes = sa.Enum("open", "ended", name="live_becoming", native_enum=False, length=8)
    op.add_column("live_session", sa.Column("becomes", becomes, nullable=True))
    op.create_table(
        "live_joined",
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("code_id", sa.String(length=36), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_live_joined_quantity")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name=op.f("fk_live_joined_order_id_shop_order"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["code_id"], ["live_code.id"], name=op.f("fk_live_joined_code_id_live_code"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("order_id", "code_id", name=op.f("pk_live_joined")),
    )
    op.create_index(op.f("ix_live_joined_code_id"), "live_joined", ["code_id"])
    op.execute(
        "INSERT INTO live_joined (order_id, code_id, quantity)"
        f" SELECT live_hold.order_id, live_hold.code_id, live_hold.quantity {FOREIGN} AND live_hold.quantity > 0"
    )
    op.execute(
        "DELETE FROM live_hold WHERE (order_id, code_id) IN"
        f" (SELECT live_hold.order_id, live_hold.code_id {FOREIGN})"
    )


def downgrade() -> None:
    """Back to holds of another session's codes. A pause that was being decided is a pause again."""
    columns = "order_id, code_id, quantity"
    op.execute(f"INSERT INTO live_hold ({columns}) SELECT {columns} FROM live_joined")
    op.drop_index(op.f("ix_live_joined_code_id"), table_name="live_joined")
    op.drop_table("live_joined")
    op.drop_column("live_session", "becomes")
