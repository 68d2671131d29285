"""What buyers ask and report.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

import village.db

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TOPICS = ("ask", "pack", "copy", "harm")
STATES = ("open", "answered", "closed")
SIDES = ("buyer", "office")


def upgrade() -> None:
    """Make the tables."""
    moment = village.db.UtcDateTime(timezone=True)
    op.create_table(
        "question",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("serial", sa.String(length=20), nullable=True),
        sa.Column("topic", sa.Enum(*TOPICS, name="question_topic", native_enum=False, length=12), nullable=False),
        sa.Column("state", sa.Enum(*STATES, name="question_state", native_enum=False, length=12), nullable=False),
        sa.Column("serious", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("contact", sa.String(length=254), nullable=True),
        sa.Column("consented_at", moment, nullable=True),
        sa.Column("erased_at", moment, nullable=True),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.CheckConstraint("contact IS NULL OR consented_at IS NOT NULL", name=op.f("ck_question_consent")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_question_batch_id_batch")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_question_cooperative_id_cooperative")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
    )
    op.create_index("ix_question_batch_asked", "question", ["batch_id", "asked_at"])
    op.create_index("ix_question_cooperative_state", "question", ["cooperative_id", "state", "serious"])
    op.create_index(op.f("ix_question_last_at"), "question", ["last_at"])
    op.create_table(
        "question_key",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("question_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["question.id"], name=op.f("fk_question_key_question_id_question")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_question_key")),
    )
    op.create_index(op.f("ix_question_key_question_id"), "question_key", ["question_id"])
    op.create_table(
        "question_saying",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("question_id", sa.String(length=36), nullable=False),
        sa.Column("side", sa.Enum(*SIDES, name="question_side", native_enum=False, length=12), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=True),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("photo", sa.String(length=64), nullable=True),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_question_saying_member_id_member")),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_question_saying_question_id_question")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_saying")),
    )
    op.create_index(op.f("ix_question_saying_photo"), "question_saying", ["photo"])
    op.create_index(op.f("ix_question_saying_question_id"), "question_saying", ["question_id"])


def downgrade() -> None:
    """Back to before."""
    op.drop_table("question_saying")
    op.drop_table("question_key")
    op.drop_table("question")
