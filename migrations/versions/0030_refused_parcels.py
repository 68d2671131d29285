"""How parcels ended, without a name and for half a year; orders that are rung about first; objections.

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three tables, empty: nobody is judged by what came before."""
    op.create_table(
        "parcel_outcome",
        sa.Column("shipment_id", sa.String(length=36), nullable=False),
        sa.Column("phone_hash", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum("delivered", "refused", "unreachable", name="parcel_outcome_word", native_enum=False, length=11),
            nullable=False,
        ),
        sa.Column("expires", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipment.id"], name=op.f("fk_parcel_outcome_shipment_id_shipment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("pk_parcel_outcome")),
    )
    op.create_index("ix_parcel_outcome_expires", "parcel_outcome", ["expires"])
    op.create_index("ix_parcel_outcome_phone_hash", "parcel_outcome", ["phone_hash"])

    op.create_table(
        "call_first",
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_by", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(["called_by"], ["member.id"], name=op.f("fk_call_first_called_by_member")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name=op.f("fk_call_first_order_id_shop_order"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_call_first")),
    )

    op.create_table(
        "parcel_appeal",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("token", sa.String(length=43), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("phone_hash", sa.String(length=64), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=True),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "granted", "declined", name="parcel_appeal_state", native_enum=False, length=8),
            nullable=False,
        ),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(["answered_by"], ["member.id"], name=op.f("fk_parcel_appeal_answered_by_member")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_parcel_appeal_cooperative_id_cooperative")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel_appeal")),
        sa.UniqueConstraint("token", name=op.f("uq_parcel_appeal_token")),
    )
    op.create_index("ix_parcel_appeal_cooperative", "parcel_appeal", ["cooperative_id", "state"])
    op.create_index("ix_parcel_appeal_made_at", "parcel_appeal", ["state", "made_at"])
    op.create_index("ix_parcel_appeal_phone_hash", "parcel_appeal", ["phone_hash"])


def downgrade() -> None:
    """Without them."""
    op.drop_table("parcel_appeal")
    op.drop_table("call_first")
    op.drop_table("parcel_outcome")
