"""Sensors and their readings

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Sensors, their keys, what they sent, and what of it was kept beside events."""
    op.create_table(
        "event_series",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_event_series_event_id_event")),
        sa.PrimaryKeyConstraint("event_id", "position", name=op.f("pk_event_series")),
    )
    op.create_table(
        "sensor",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("site_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=3), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("usual_low", sa.Integer(), nullable=True),
        sa.Column("usual_high", sa.Integer(), nullable=True),
        sa.Column("silent_minutes", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("last_value", sa.Integer(), nullable=True),
        sa.Column("same_since", sa.BigInteger(), nullable=True),
        sa.Column("conflicts", sa.Integer(), nullable=False),
        sa.CheckConstraint("low < high", name=op.f("ck_sensor_bounds")),
        sa.CheckConstraint("(usual_low IS NULL) = (usual_high IS NULL)", name=op.f("ck_sensor_usual")),
        sa.CheckConstraint("silent_minutes > 0", name=op.f("ck_sensor_silent")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_sensor_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_sensor_site_id_site")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sensor")),
        sa.UniqueConstraint("id", name=op.f("uq_sensor_id")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_sensor_site_id")),
    )
    with op.batch_alter_table("sensor", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sensor_cooperative_id"), ["cooperative_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sensor_site_id"), ["site_id"], unique=False)

    op.create_table(
        "sensor_key",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("tail", sa.String(length=4), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("sensor_number", sa.Integer(), nullable=True),
        sa.Column("site_id", sa.String(length=36), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=36), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(sensor_number IS NULL) <> (site_id IS NULL)", name=op.f("ck_sensor_key_whose")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_sensor_key_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["made_by"], ["member.id"], name=op.f("fk_sensor_key_made_by_member")),
        sa.ForeignKeyConstraint(
            ["sensor_number"], ["sensor.number"], name=op.f("fk_sensor_key_sensor_number_sensor")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_sensor_key_site_id_site")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sensor_key")),
    )
    with op.batch_alter_table("sensor_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sensor_key_cooperative_id"), ["cooperative_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sensor_key_sensor_number"), ["sensor_number"], unique=False)
        batch_op.create_index(batch_op.f("ix_sensor_key_site_id"), ["site_id"], unique=False)

    op.create_table(
        "sensor_reading",
        sa.Column("sensor_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sensor_number", "at", name=op.f("pk_sensor_reading")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sensor_quarter",
        sa.Column("sensor_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sensor_number", "at", name=op.f("pk_sensor_quarter")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sensor_binding",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("made_by_event", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_sensor_binding_batch_id_batch")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_sensor_binding_event_id_event")),
        sa.ForeignKeyConstraint(
            ["made_by_event"], ["event.id"], name=op.f("fk_sensor_binding_made_by_event_event")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_sensor_binding")),
    )
    with op.batch_alter_table("sensor_binding", schema=None) as batch_op:
        batch_op.create_index("ix_sensor_binding_batch", ["batch_id"], unique=False)


def downgrade() -> None:
    """Back to before."""
    for table in ("sensor_binding", "sensor_quarter", "sensor_reading", "sensor_key", "sensor", "event_series"):
        op.drop_table(table)
