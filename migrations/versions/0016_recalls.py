"""Recalls.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

import village.db

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    moment = village.db.UtcDateTime(timezone=True)
    op.create_table(
        "recall",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("lots", "packed", "in_stock", "shipping", "buyers", "notified")
        ),
        sa.CheckConstraint("in_stock >= 0 AND in_stock <= packed", name=op.f("ck_recall_units")),
        sa.CheckConstraint("shipping >= 0 AND shipping <= packed - in_stock", name=op.f("ck_recall_shipping")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_recall_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_recall_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall")),
    )
    op.create_index(op.f("ix_recall_cooperative_id"), "recall", ["cooperative_id"])
    op.create_table(
        "recall_lot",
        sa.Column("recall_id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column(
            "hold_before", sa.Enum("none", "held", "recalled", name="hold_before", native_enum=False), nullable=False
        ),
        sa.Column("reason_before", sa.String(length=300), nullable=False),
        sa.Column("packed", sa.Integer(), nullable=False),
        sa.Column("in_stock", sa.Integer(), nullable=False),
        sa.Column("left_grams", sa.Integer(), nullable=False),
        sa.Column("entry_index", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_recall_lot_batch_id_batch")),
        sa.ForeignKeyConstraint(
            ["entry_index"], ["ledger_entry.index"], name=op.f("fk_recall_lot_entry_index_ledger_entry")
        ),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.id"], name=op.f("fk_recall_lot_recall_id_recall")),
        sa.PrimaryKeyConstraint("recall_id", "batch_id", name=op.f("pk_recall_lot")),
    )
    op.create_index(op.f("ix_recall_lot_batch_id"), "recall_lot", ["batch_id"])
    what = sa.Enum(
        "started", "found", "returned", "destroyed", "lifted", "closed",
        name="recall_what", native_enum=False, length=10,
    )  # fmt: skip
    source = sa.Enum("store", "returned", "buyer", name="recall_source", native_enum=False, length=10)
    op.create_table(
        "recall_step",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("recall_id", sa.String(length=36), nullable=False),
        sa.Column("what", what, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=True),
        sa.Column("source", source, nullable=True),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("elapsed_ms", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_recall_step_batch_id_batch")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_recall_step_member_id_member")),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.id"], name=op.f("fk_recall_step_recall_id_recall")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_step")),
    )
    op.create_index(op.f("ix_recall_step_recall_id"), "recall_step", ["recall_id"])
    reached = sa.Enum("stopped", "shipping", "delivered", name="recall_reached", native_enum=False, length=10)
    op.create_table(
        "recall_order",
        sa.Column("recall_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("lot", sa.String(length=20), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("state", reached, nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=True),
        sa.CheckConstraint("units > 0", name=op.f("ck_recall_order_units")),
        sa.ForeignKeyConstraint(["batch_id"], ["stock_lot.batch_id"], name=op.f("fk_recall_order_batch_id_stock_lot")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_recall_order_message_id_message")),
        sa.ForeignKeyConstraint(["order_id"], ["shop_order.id"], name=op.f("fk_recall_order_order_id_shop_order")),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.id"], name=op.f("fk_recall_order_recall_id_recall")),
        sa.PrimaryKeyConstraint("recall_id", "order_id", "batch_id", name=op.f("pk_recall_order")),
    )
    op.create_index(op.f("ix_recall_order_order_id"), "recall_order", ["order_id"])


def downgrade() -> None:
    """Back to before."""
    for table in ("recall_order", "recall_step", "recall_lot", "recall"):
        op.drop_table(table)
