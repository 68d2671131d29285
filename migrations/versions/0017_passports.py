"""Passports and dossiers.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

import village.db

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "passport_version",
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", village.db.UtcDateTime(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_passport_version_product_id_product")),
        sa.PrimaryKeyConstraint("product_id", "number", name=op.f("pk_passport_version")),
    )
    op.create_table(
        "certificate_paper",
        sa.Column("certificate_id", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("mime", sa.String(length=20), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("added_at", village.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificate.id"], name=op.f("fk_certificate_paper_certificate_id_certificate"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_certificate_paper")),
    )
    op.create_index(op.f("ix_certificate_paper_sha256"), "certificate_paper", ["sha256"])


def downgrade() -> None:
    """Back to before. The papers stay in the instance's folder."""
    op.drop_table("certificate_paper")
    op.drop_table("passport_version")
