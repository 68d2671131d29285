"""The ledger in public: keys, witnesses, anchors, erasure, self-checks, and the keys of phones

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEPT = {
    "ledger_checkpoint": ("size",),
    "ledger_cosignature": ("size", "key_id", "name"),
    "ledger_evidence": ("id",),
    "ledger_anchor": ("size", "authority"),
    "ledger_erasure": ("entry_index", "name"),
}


def guards(table: str, dialect: str, keys: tuple[str, ...]) -> list[str]:
    """The triggers that make a table append-only; the function behind PostgreSQL's came with the first house."""
    if dialect == "sqlite":
        same = " AND ".join(f'"{key}" = NEW."{key}"' for key in keys)
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'the ledger is only added to: {verb} on {table} refused'); END"
            for verb in ("UPDATE", "DELETE")
        ] + [
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
            f"OR EXISTS (SELECT 1 FROM {table} WHERE rowid = NEW.rowid) "
            f"BEGIN SELECT RAISE(ABORT, 'the ledger is only added to: REPLACE on {table} refused'); END"
        ]
    return [
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION soi_append_only()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION soi_append_only()",
    ]


def upgrade() -> None:
    """Tables that say what was kept about the log; those that are only added to are guarded like the log itself."""
    op.create_table(
        "ledger_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("first_bad", sa.Integer(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_check")),
    )
    with op.batch_alter_table("ledger_check", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_check_began_at"), ["began_at"], unique=False)

    op.create_table(
        "ledger_checkpoint",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_ledger_checkpoint")),
    )
    op.create_table(
        "ledger_evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("ours", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_evidence")),
    )
    op.create_table(
        "ledger_witness",
        sa.Column("vkey", sa.String(length=300), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("vkey", name=op.f("pk_ledger_witness")),
    )
    op.create_table(
        "ledger_anchor",
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("authority", sa.String(length=200), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("stamped_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["size"], ["ledger_checkpoint.size"], name=op.f("fk_ledger_anchor_size_ledger_checkpoint")
        ),
        sa.PrimaryKeyConstraint("size", "authority", name=op.f("pk_ledger_anchor")),
    )
    op.create_table(
        "ledger_cosignature",
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("cosigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["size"], ["ledger_checkpoint.size"], name=op.f("fk_ledger_cosignature_size_ledger_checkpoint")
        ),
        sa.PrimaryKeyConstraint("size", "key_id", "name", name=op.f("pk_ledger_cosignature")),
    )
    op.create_table(
        "ledger_erasure",
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_entry", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_index"], ["ledger_entry.index"], name=op.f("fk_ledger_erasure_entry_index_ledger_entry")
        ),
        sa.ForeignKeyConstraint(
            ["told_entry"], ["ledger_entry.index"], name=op.f("fk_ledger_erasure_told_entry_ledger_entry")
        ),
        sa.PrimaryKeyConstraint("entry_index", "name", name=op.f("pk_ledger_erasure")),
    )
    op.create_table(
        "ledger_key",
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("enrolled_entry", sa.Integer(), nullable=False),
        sa.Column("ended_entry", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ended_entry"], ["ledger_entry.index"], name=op.f("fk_ledger_key_ended_entry_ledger_entry")
        ),
        sa.ForeignKeyConstraint(
            ["enrolled_entry"], ["ledger_entry.index"], name=op.f("fk_ledger_key_enrolled_entry_ledger_entry")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ledger_key")),
    )
    op.create_table(
        "device",
        sa.Column("key", sa.String(length=43), nullable=False),
        sa.Column("jwk", sa.JSON(), nullable=False),
        sa.Column("proof", sa.String(length=100), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column(
            "status",
            sa.Enum("pending", "enrolled", "refused", "revoked", "lost", name="device_status", native_enum=False),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=36), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("enrolled_entry", sa.Integer(), nullable=True),
        sa.Column("ended_entry", sa.Integer(), nullable=True),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("last_repeat", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["member.id"], name=op.f("fk_device_decided_by_member")),
        sa.ForeignKeyConstraint(
            ["ended_entry"], ["ledger_entry.index"], name=op.f("fk_device_ended_entry_ledger_entry")
        ),
        sa.ForeignKeyConstraint(
            ["enrolled_entry"], ["ledger_entry.index"], name=op.f("fk_device_enrolled_entry_ledger_entry")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_device_member_id_member")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_device")),
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_device_member_id"), ["member_id"], unique=False)

    op.create_table(
        "device_use",
        sa.Column("key", sa.String(length=43), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.CheckConstraint("seq > 0", name=op.f("ck_device_use_seq")),
        sa.ForeignKeyConstraint(
            ["entry_index"], ["ledger_entry.index"], name=op.f("fk_device_use_entry_index_ledger_entry")
        ),
        sa.ForeignKeyConstraint(["key"], ["device.key"], name=op.f("fk_device_use_key_device")),
        sa.PrimaryKeyConstraint("key", "seq", name=op.f("pk_device_use")),
        sa.UniqueConstraint("entry_index", name=op.f("uq_device_use_entry_index")),
    )
    with op.batch_alter_table("ledger_state", schema=None) as batch_op:
        batch_op.add_column(sa.Column("next_vkey", sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column("halted", sa.Text(), nullable=True))
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.add_column(sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True))

    # A log that was born before has two keys, both from its first entry on.
    for column, role in (("vkey", "ledger"), ("custodian_vkey", "custodian")):
        op.execute(f"INSERT INTO ledger_key (key, role, enrolled_entry) SELECT {column}, '{role}', 0 FROM ledger_state")
    for table, keys in KEPT.items():
        for statement in guards(table, op.get_bind().dialect.name, keys):
            op.execute(sa.DDL(statement.replace("%", "%%")))


def downgrade() -> None:
    """Back to before."""
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.drop_column("forgotten_at")
    with op.batch_alter_table("ledger_state", schema=None) as batch_op:
        batch_op.drop_column("halted")
        batch_op.drop_column("next_vkey")

    op.drop_table("device_use")
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_member_id"))

    op.drop_table("device")
    op.drop_table("ledger_key")
    op.drop_table("ledger_erasure")
    op.drop_table("ledger_cosignature")
    op.drop_table("ledger_anchor")
    op.drop_table("ledger_witness")
    op.drop_table("ledger_evidence")
    op.drop_table("ledger_checkpoint")
    with op.batch_alter_table("ledger_check", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_check_began_at"))

    op.drop_table("ledger_check")
