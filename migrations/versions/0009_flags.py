"""Flags that the office cleared, and how large a field is

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; no field's area was known before."""
    op.create_table(
        "balance_flag_cleared",
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("figure", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("why", sa.String(length=300), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_balance_flag_cleared_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_balance_flag_cleared_member_id_member")),
        sa.PrimaryKeyConstraint("cooperative_id", "key", "figure", name=op.f("pk_balance_flag_cleared")),
    )
    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.add_column(sa.Column("area_m2", sa.Integer(), nullable=True))
        batch_op.create_check_constraint(op.f("ck_site_area"), "area_m2 > 0")


def downgrade() -> None:
    """Back to before."""
    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_site_area"), type_="check")
        batch_op.drop_column("area_m2")
    op.drop_table("balance_flag_cleared")
