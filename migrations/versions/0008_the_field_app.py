"""What phones could not send, and training

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "refused_record",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("device_key", sa.String(length=43), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("process", sa.String(length=40), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.Column("batches", sa.JSON(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_key"], ["device.key"], name=op.f("fk_refused_record_device_key_device")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_refused_record_member_id_member"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", "member_id", name=op.f("pk_refused_record")),
    )
    with op.batch_alter_table("refused_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refused_record_member_id"), ["member_id"], unique=False)
    op.create_table(
        "phone_heard",
        sa.Column("key", sa.String(length=43), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("oldest_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["key"], ["device.key"], name=op.f("fk_phone_heard_key_device")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_phone_heard")),
    )


def downgrade() -> None:
    """Back to before."""
    op.drop_table("phone_heard")
    with op.batch_alter_table("refused_record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refused_record_member_id"))
    op.drop_table("refused_record")
