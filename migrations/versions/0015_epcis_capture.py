"""Events captured from others.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

import village.db

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "capture_party",
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("set_at", village.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_capture_party_member_id_member"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_capture_party")),
    )
    op.create_table(
        "capture_job",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("proceed", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("captured", sa.Integer(), nullable=False),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("made_at", village.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", village.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_capture_job_member_id_member")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_capture_job_cooperative_id_cooperative")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capture_job")),
    )
    with op.batch_alter_table("capture_job") as batch_op:
        batch_op.create_index(batch_op.f("ix_capture_job_member_id"), ["member_id"], unique=False)
        batch_op.create_index("ix_capture_job_cooperative_made", ["cooperative_id", "made_at"], unique=False)
    op.create_table(
        "captured_event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("event_id", sa.String(length=500), nullable=False),
        sa.Column("declared", sa.String(length=40), nullable=False),
        sa.Column("hash_id", sa.String(length=100), nullable=False),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("inline", sa.Boolean(), nullable=False),
        sa.Column("personal", sa.Boolean(), nullable=False),
        sa.Column("type", sa.String(length=30), nullable=False),
        sa.Column("event_time", village.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("biz_step", sa.String(length=500), nullable=False),
        sa.Column("disposition", sa.String(length=500), nullable=False),
        sa.Column("read_point", sa.String(length=500), nullable=False),
        sa.Column("biz_location", sa.String(length=500), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("recorded_at", village.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_index"], ["ledger_entry.index"], name=op.f("fk_captured_event_entry_index_ledger_entry")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_captured_event_member_id_member")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_captured_event_cooperative_id_cooperative")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captured_event")),
        sa.UniqueConstraint("event_id", "declared", name=op.f("uq_captured_event_event_id")),
        sa.UniqueConstraint("entry_index", name=op.f("uq_captured_event_entry_index")),
    )
    with op.batch_alter_table("captured_event") as batch_op:
        for column in ("hash_id", "sha256", "event_time", "member_id"):
            batch_op.create_index(batch_op.f(f"ix_captured_event_{column}"), [column], unique=False)
    op.create_table(
        "captured_key",
        sa.Column("captured_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["captured_id"], ["captured_event.id"], name=op.f("fk_captured_key_captured_id_captured_event")
        ),
        sa.PrimaryKeyConstraint("captured_id", "key", name=op.f("pk_captured_key")),
    )
    with op.batch_alter_table("captured_key") as batch_op:
        batch_op.create_index("ix_captured_key_key", ["key"], unique=False)
    op.create_table(
        "epcis_query",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("made_at", village.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_epcis_query_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_epcis_query_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_epcis_query")),
        sa.UniqueConstraint("cooperative_id", "name", name=op.f("uq_epcis_query_cooperative_id")),
    )
    with op.batch_alter_table("epcis_query") as batch_op:
        batch_op.create_index(batch_op.f("ix_epcis_query_member_id"), ["member_id"], unique=False)
    op.create_index(
        "ix_event_corrected",
        "event",
        ["correction_entry"],
        unique=False,
        sqlite_where=sa.text("correction_entry IS NOT NULL"),
        postgresql_where=sa.text("correction_entry IS NOT NULL"),
    )


def downgrade() -> None:
    """Back to before."""
    op.drop_index("ix_event_corrected", table_name="event")
    for table in ("epcis_query", "captured_key", "captured_event", "capture_job", "capture_party"):
        op.drop_table(table)
