"""Where transfers go to.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Accounts, the transfers that came to them, payment requests at payOS, and each day's comparison."""
    op.create_table(
        "bank_account",
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("bin", sa.String(length=6), nullable=False),
        sa.Column("account", sa.String(length=19), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("watcher", sa.Enum("sepay", "payos", "none", name="bank_watcher", native_enum=False), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_bank_account_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_bank_account_member_id_member")),
        sa.PrimaryKeyConstraint("cooperative_id", name=op.f("pk_bank_account")),
    )
    with op.batch_alter_table("bank_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_account_account"), ["account"], unique=False)

    op.create_table(
        "payos_link",
        sa.Column("payment_id", sa.String(length=36), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("link", sa.String(length=80), nullable=True),
        sa.Column("bin", sa.String(length=6), nullable=True),
        sa.Column("account", sa.String(length=40), nullable=True),
        sa.Column("holder", sa.String(length=80), nullable=True),
        sa.Column("memo", sa.String(length=80), nullable=True),
        sa.Column("qr", sa.String(length=512), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["shop_payment.id"], name=op.f("fk_payos_link_payment_id_shop_payment")
        ),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_payos_link")),
    )
    with op.batch_alter_table("payos_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payos_link_made_at"), ["made_at"], unique=False)

    op.create_table(
        "bank_transfer",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column(
            "source", sa.Enum("sepay", "payos", "statement", name="transfer_source", native_enum=False), nullable=False
        ),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("booked", sa.BigInteger(), nullable=False),
        sa.Column("memo", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payment_id", sa.String(length=36), nullable=True),
        sa.Column("webhook_id", sa.String(length=36), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_bank_transfer_amount")),
        sa.CheckConstraint("booked >= 0 AND booked <= amount", name=op.f("ck_bank_transfer_booked")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_bank_transfer_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["shop_payment.id"], name=op.f("fk_bank_transfer_payment_id_shop_payment")
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook_event.id"], name=op.f("fk_bank_transfer_webhook_id_webhook_event")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_transfer")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_bank_transfer_source")),
    )
    with op.batch_alter_table("bank_transfer", schema=None) as batch_op:
        batch_op.create_index("ix_bank_transfer_day", ["cooperative_id", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_transfer_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_transfer_reference"), ["reference"], unique=False)

    op.create_table(
        "bank_reconciliation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "source",
            sa.Enum("sepay", "payos", "statement", name="reconciliation_source", native_enum=False),
            nullable=False,
        ),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_bank_reconciliation_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_bank_reconciliation_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_reconciliation")),
    )
    with op.batch_alter_table("bank_reconciliation", schema=None) as batch_op:
        batch_op.create_index("ix_bank_reconciliation_day", ["cooperative_id", "day"], unique=False)

    with op.batch_alter_table("payment_puzzle", schema=None) as batch_op:
        batch_op.add_column(sa.Column("transfer_id", sa.String(length=36), nullable=True))
        batch_op.create_index(batch_op.f("ix_payment_puzzle_transfer_id"), ["transfer_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_payment_puzzle_transfer_id_bank_transfer"), "bank_transfer", ["transfer_id"], ["id"]
        )

    with op.batch_alter_table("webhook_event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(
            sa.Column("next_at", sa.DateTime(timezone=True), nullable=False, server_default="2026-01-01 00:00:00")
        )
    with op.batch_alter_table("webhook_event", schema=None) as batch_op:
        batch_op.alter_column("tries", server_default=None)
        batch_op.alter_column("next_at", server_default=None)
    with op.batch_alter_table("shop_payment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("over_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_shop_payment_intent"), ["intent"], unique=False)


def downgrade() -> None:
    """Back to before."""
    with op.batch_alter_table("shop_payment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shop_payment_intent"))
        batch_op.drop_column("over_at")

    with op.batch_alter_table("webhook_event", schema=None) as batch_op:
        batch_op.drop_column("next_at")
        batch_op.drop_column("tries")

    with op.batch_alter_table("payment_puzzle", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_payment_puzzle_transfer_id_bank_transfer"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_payment_puzzle_transfer_id"))
        batch_op.drop_column("transfer_id")

    op.drop_table("bank_reconciliation")
    op.drop_table("bank_transfer")
    op.drop_table("payos_link")
    op.drop_table("bank_account")
