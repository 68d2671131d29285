"""Combos, prices with their history, products' pictures.

Revision ID: 0020
Revises: 0019
"""

import datetime as dt

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three tables; a price that stands already begins its history now, set by nobody that we know of."""
    op.create_table(
        "combo_part",
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("part_id", sa.String(length=36), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.CheckConstraint("part_id <> product_id", name=op.f("ck_combo_part_other")),
        sa.CheckConstraint("units > 0", name=op.f("ck_combo_part_units")),
        sa.ForeignKeyConstraint(["part_id"], ["product.id"], name=op.f("fk_combo_part_part_id_product")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_combo_part_product_id_product")),
        sa.PrimaryKeyConstraint("product_id", "part_id", name=op.f("pk_combo_part")),
    )
    op.create_index(op.f("ix_combo_part_part_id"), "combo_part", ["part_id"])
    op.create_table(
        "product_picture",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("mime", sa.String(length=10), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("words_vi", sa.String(length=200), nullable=False),
        sa.Column("words_en", sa.String(length=200), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("width > 0 AND height > 0", name=op.f("ck_product_picture_size")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_picture_product_id_product")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_picture")),
    )
    op.create_index(op.f("ix_product_picture_product_id"), "product_picture", ["product_id"])
    op.create_index(op.f("ix_product_picture_sha256"), "product_picture", ["sha256"])
    prices = op.create_table(
        "product_price",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("price", sa.Integer(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=True),
        sa.CheckConstraint("price > 0", name=op.f("ck_product_price_price")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_product_price_member_id_member")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_price_product_id_product")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_price")),
    )
    op.create_index("ix_product_price_history", "product_price", ["product_id", "since"])
    product = sa.table("product", sa.column("id", sa.String(36)), sa.column("price", sa.Integer()))
    # A product's id is a UUID like any other: its first price may go by the same.
    standing = sa.select(
        product.c.id, product.c.id, product.c.price, sa.literal(dt.datetime.now(dt.UTC), sa.DateTime(timezone=True))
    ).where(product.c.price.is_not(None))
    op.execute(prices.insert().from_select(["id", "product_id", "price", "since"], standing))


def downgrade() -> None:
    """Back to before."""
    op.drop_table("product_price")
    op.drop_table("product_picture")
    op.drop_table("combo_part")
