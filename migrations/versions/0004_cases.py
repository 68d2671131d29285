"""Cases, and walking through a large graph

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the indexes by which a walk reads no row beside them."""
    with op.batch_alter_table("batch_edge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_edge_parent_id"))
        batch_op.create_index("ix_batch_edge_parent_id", ["parent_id", "child_id"])
        batch_op.create_index(batch_op.f("ix_batch_edge_event_id"), ["event_id"])
    op.create_index(
        "ix_batch_held",
        "batch",
        ["id"],
        sqlite_where=sa.text("hold = 'held'"),
        postgresql_where=sa.text("hold = 'held'"),
    )
    op.create_index(
        "ix_event_failed",
        "event",
        ["id"],
        sqlite_where=sa.text("passed IS 0"),
        postgresql_where=sa.text("passed IS false"),
    )
    op.create_table(
        "logistic_unit",
        sa.Column("sscc", sa.String(length=18), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("household_id", sa.String(length=36), nullable=False),
        sa.Column(
            "status",
            sa.Enum("closed", "opened", "shipped", "lost", name="unit_status", native_enum=False),
            nullable=False,
        ),
        sa.Column("packed_event", sa.String(length=36), nullable=False),
        sa.Column("opened_event", sa.String(length=36), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_logistic_unit_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_logistic_unit_household_id_household")
        ),
        sa.ForeignKeyConstraint(["opened_event"], ["event.id"], name=op.f("fk_logistic_unit_opened_event_event")),
        sa.ForeignKeyConstraint(["packed_event"], ["event.id"], name=op.f("fk_logistic_unit_packed_event_event")),
        sa.PrimaryKeyConstraint("sscc", name=op.f("pk_logistic_unit")),
    )
    op.create_index("ix_logistic_unit_cooperative_made", "logistic_unit", ["cooperative_id", "made_at"])
    op.create_table(
        "logistic_unit_part",
        sa.Column("sscc", sa.String(length=18), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("ck_logistic_unit_part_units")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_logistic_unit_part_batch_id_batch")),
        sa.ForeignKeyConstraint(
            ["sscc"], ["logistic_unit.sscc"], name=op.f("fk_logistic_unit_part_sscc_logistic_unit")
        ),
        sa.PrimaryKeyConstraint("sscc", "batch_id", name=op.f("pk_logistic_unit_part")),
    )
    op.create_index(op.f("ix_logistic_unit_part_batch_id"), "logistic_unit_part", ["batch_id"])
    op.create_table(
        "sscc_counter",
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("given", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_sscc_counter")),
    )


def downgrade() -> None:
    """Back to before."""
    op.drop_index("ix_event_failed", "event")
    op.drop_index("ix_batch_held", "batch")
    with op.batch_alter_table("batch_edge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_edge_event_id"))
        batch_op.drop_index("ix_batch_edge_parent_id")
        batch_op.create_index(batch_op.f("ix_batch_edge_parent_id"), ["parent_id"])
    op.drop_table("sscc_counter")
    op.drop_table("logistic_unit_part")
    op.drop_table("logistic_unit")
