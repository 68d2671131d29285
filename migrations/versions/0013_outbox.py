"""What goes out to people, and the proof of it.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

import village.db

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CHANNELS = ("mail", "sms", "call")
STATES = ("waiting", "sent", "failed", "cancelled")
OUTCOMES = ("accepted", "console", "later", "refused", "reached", "missed", "again", "erased")


def upgrade() -> None:
    """Make the tables."""
    moment = village.db.UtcDateTime(timezone=True)
    op.create_table(
        "message",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column(
            "channel", sa.Enum(*CHANNELS, name="message_channel", native_enum=False, length=12), nullable=False
        ),
        sa.Column("recipient", sa.String(length=254), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("about_kind", sa.String(length=40), nullable=False),
        sa.Column("about_id", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("state", sa.Enum(*STATES, name="message_state", native_enum=False, length=12), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", moment, nullable=False),
        sa.Column("holder", sa.String(length=36), nullable=True),
        sa.Column("held_until", moment, nullable=True),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("erased_at", moment, nullable=True),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_message_tries")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_message_cooperative_id_cooperative")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("key", name=op.f("uq_message_key")),
    )
    op.create_index("ix_message_due", "message", ["state", "channel", "next_at"])
    op.create_index("ix_message_about", "message", ["about_kind", "about_id"])
    op.create_index("ix_message_cooperative_state", "message", ["cooperative_id", "state"])
    op.create_index(op.f("ix_message_ended_at"), "message", ["ended_at"])
    op.create_table(
        "message_proof",
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column(
            "outcome", sa.Enum(*OUTCOMES, name="message_outcome", native_enum=False, length=12), nullable=False
        ),
        sa.Column("answer", sa.String(length=300), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_message_proof_member_id_member")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_message_proof_message_id_message")),
        sa.PrimaryKeyConstraint("message_id", "number", name=op.f("pk_message_proof")),
    )


def downgrade() -> None:
    """Back to before."""
    op.drop_table("message_proof")
    op.drop_table("message")
