"""Photos, and reports of laboratories

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; events that named photos before are found by them now."""
    op.create_table(
        "photo",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("mime", sa.String(length=20), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Enum("kept", "erased", name="photo_state", native_enum=False), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(lat IS NULL) = (lon IS NULL)", name=op.f("ck_photo_place")),
        sa.CheckConstraint("(state = 'erased') = (erased_at IS NOT NULL)", name=op.f("ck_photo_erased")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_photo_member_id_member")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_photo")),
    )
    op.create_index(op.f("ix_photo_member_id"), "photo", ["member_id"])
    use = op.create_table(
        "photo_use",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_photo_use_event_id_event")),
        sa.PrimaryKeyConstraint("sha256", "event_id", name=op.f("pk_photo_use")),
    )
    op.create_index(op.f("ix_photo_use_event_id"), "photo_use", ["event_id"])
    op.create_table(
        "lab_report",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=True),
        sa.Column("product_id", sa.String(length=36), nullable=True),
        sa.Column("site_id", sa.String(length=36), nullable=True),
        sa.Column("laboratory", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("mime", sa.String(length=20), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(CASE WHEN event_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN product_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN site_id IS NULL THEN 0 ELSE 1 END) = 1",
            name=op.f("ck_lab_report_one_subject"),
        ),
        sa.CheckConstraint(
            "expires_on IS NULL OR expires_on >= issued_on", name=op.f("ck_lab_report_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_lab_report_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_lab_report_event_id_event")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_lab_report_product_id_product")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_lab_report_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_report")),
        sa.UniqueConstraint("event_id", name=op.f("uq_lab_report_event_id")),
    )
    for column in ("cooperative_id", "product_id", "sha256", "site_id"):
        op.create_index(op.f(f"ix_lab_report_{column}"), "lab_report", [column])
    event = sa.table("event", sa.column("id", sa.String()), sa.column("photos", sa.JSON()))
    for event_id, photos in op.get_bind().execute(sa.select(event.c.id, event.c.photos)).all():
        if photos:
            op.bulk_insert(use, [{"sha256": sha256, "event_id": event_id} for sha256 in dict.fromkeys(photos)])


def downgrade() -> None:
    """Back to before. The files stay in the instance's folder."""
    op.drop_table("lab_report")
    op.drop_table("photo_use")
    op.drop_table("photo")
