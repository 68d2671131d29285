"""Serial numbers of packs and the runs in which labels are printed.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

import village.db

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "label_run",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("made_at", village.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Enum("lot", "unit", name="label_what", native_enum=False), nullable=False),
        sa.Column("again_of", sa.String(length=36), nullable=True),
        sa.Column("reprint", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(length=300), nullable=False),
        sa.Column("paper", sa.String(length=40), nullable=False),
        sa.Column("form", sa.Enum("pdf", "png", "escpos", name="label_form", native_enum=False), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_serial", sa.String(length=20), nullable=True),
        sa.Column("last_serial", sa.String(length=20), nullable=True),
        sa.Column("serials", sa.JSON(), nullable=True),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.CheckConstraint("count > 0", name=op.f("ck_label_run_count")),
        sa.CheckConstraint("place > 0", name=op.f("ck_label_run_place")),
        sa.ForeignKeyConstraint(["again_of"], ["label_run.id"], name=op.f("fk_label_run_again_of_label_run")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_label_run_batch_id_batch")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_label_run_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_run")),
    )
    op.create_index("ix_label_run_again_of", "label_run", ["again_of"])
    op.create_index("ix_label_run_batch_made", "label_run", ["batch_id", "made_at"])
    op.create_table(
        "unit",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("serial", sa.String(length=20), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("issued_at", village.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("voided_at", village.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("sold_at", village.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("first_scan_at", village.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("scans", sa.Integer(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("alarm", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_unit_batch_id_batch")),
        sa.ForeignKeyConstraint(["run_id"], ["label_run.id"], name=op.f("fk_unit_run_id_label_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("gtin", "serial", name=op.f("uq_unit_gtin")),
    )
    op.create_index("ix_unit_batch_id", "unit", ["batch_id"])
    op.create_index("ix_unit_run_id", "unit", ["run_id"])


def downgrade() -> None:
    """Back to before."""
    op.drop_table("unit")
    op.drop_table("label_run")
