"""What becomes of a single pack: its scans and signs of copying.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

import village.db

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "unit_scan",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("place", sa.String(length=2), nullable=False),
        sa.Column("scans", sa.Integer(), nullable=False),
        sa.Column("hands", sa.BigInteger(), nullable=False),
        sa.Column("networks", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("scans >= 0", name=op.f("ck_unit_scan_scans")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_scan_unit_id_unit")),
        sa.PrimaryKeyConstraint("unit_id", "day", "place", name=op.f("pk_unit_scan")),
    )
    op.create_table(
        "lot_scan",
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("recalled", sa.Integer(), nullable=False),
        sa.Column("expired", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_lot_scan_batch_id_batch")),
        sa.PrimaryKeyConstraint("batch_id", "day", name=op.f("pk_lot_scan")),
    )
    op.create_table(
        "unit_sign",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("subject", sa.String(length=36), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=True),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", village.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_at", village.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "verdict", sa.Enum("open", "fine", "copied", name="sign_verdict", native_enum=False), nullable=False
        ),
        sa.Column("looked_at", village.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("looked_by", sa.String(length=36), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_unit_sign_batch_id_batch")),
        sa.ForeignKeyConstraint(["looked_by"], ["member.id"], name=op.f("fk_unit_sign_looked_by_member")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_sign_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_sign")),
        sa.UniqueConstraint("batch_id", "subject", "rule", name=op.f("uq_unit_sign_batch_id")),
    )
    op.create_index("ix_unit_sign_batch_id", "unit_sign", ["batch_id"])
    op.create_index("ix_unit_sign_unit_id", "unit_sign", ["unit_id"])
    op.create_index(
        "ix_unit_sign_open",
        "unit_sign",
        ["batch_id"],
        sqlite_where=sa.text("verdict = 'open'"),
        postgresql_where=sa.text("verdict = 'open'"),
    )
    op.create_table(
        "scan_salt",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_scan_salt")),
    )
    op.create_table(
        "order_unit",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=True),
        sa.Column("at", village.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_order_unit_member_id_member")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name=op.f("fk_order_unit_order_id_shop_order"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_order_unit_unit_id_unit")),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_order_unit")),
    )
    op.create_index("ix_order_unit_order_id", "order_unit", ["order_id"])


def downgrade() -> None:
    """Back to before."""
    for table in ("order_unit", "scan_salt", "unit_sign", "lot_scan", "unit_scan"):
        op.drop_table(table)
