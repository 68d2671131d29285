"""What delivery needs beside its shipments.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Parcels that a carrier was asked for, fees, and what became of a parcel's money and packs."""
    op.create_table(
        "asked_parcel",
        sa.Column("shipment_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dropped", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name=op.f("fk_asked_parcel_order_id_shop_order"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("pk_asked_parcel")),
    )
    with op.batch_alter_table("asked_parcel", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_asked_parcel_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_asked_parcel_asked_at"), ["asked_at"], unique=False)

    op.create_table(
        "delivery_fees",
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("ward", sa.String(length=80), nullable=False),
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("commune", sa.Integer(), nullable=False),
        sa.Column("near", sa.Integer(), nullable=False),
        sa.Column("far", sa.Integer(), nullable=True),
        sa.Column("carrier_near", sa.Integer(), nullable=True),
        sa.Column("carrier_far", sa.Integer(), nullable=True),
        sa.Column("carrier_more", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "commune >= 0 AND near >= 0 AND (far IS NULL OR far >= 0)", name=op.f("ck_delivery_fees_by_hand")
        ),
        sa.CheckConstraint(
            "(carrier_near IS NULL) = (carrier_far IS NULL) AND (carrier_near IS NULL OR carrier_near >= 0)"
            " AND (carrier_far IS NULL OR carrier_far >= 0) AND carrier_more >= 0",
            name=op.f("ck_delivery_fees_by_carrier"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_delivery_fees_cooperative_id_cooperative")
        ),
        sa.PrimaryKeyConstraint("cooperative_id", name=op.f("pk_delivery_fees")),
    )
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cod_sent_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("cod_reference", sa.String(length=60), server_default="", nullable=False))
        batch_op.add_column(sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("ix_shipment_checked_at", ["carrier", "state", "checked_at"], unique=False)


def downgrade() -> None:
    """Back to before."""
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.drop_index("ix_shipment_checked_at")
        batch_op.drop_column("checked_at")
        batch_op.drop_column("taken_back_at")
        batch_op.drop_column("cod_reference")
        batch_op.drop_column("cod_sent_at")
    op.drop_table("delivery_fees")
    with op.batch_alter_table("asked_parcel", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_asked_parcel_asked_at"))
        batch_op.drop_index(batch_op.f("ix_asked_parcel_order_id"))
    op.drop_table("asked_parcel")
