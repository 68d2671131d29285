"""What each household is owed.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

FROZEN = {
    "settlement": ("id",),
    "settlement_order": ("settlement_id", "order_id"),
    "settlement_lot": ("settlement_id", "order_id", "batch_id"),
    "settlement_household": ("settlement_id", "household_id"),
    "settlement_payout": ("settlement_id", "household_id"),
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
    """Tables for periods that were closed, which are only added to, and for what was agreed on."""
    op.create_table(
        "settlement_rule",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("share_bp", sa.Integer(), nullable=False),
        sa.Column("card_fee_bp", sa.Integer(), nullable=False),
        sa.Column(
            "costs_by",
            sa.Enum("households", "cooperative", name="settlement_costs_by", native_enum=False),
            nullable=False,
        ),
        sa.Column(
            "refunds_by",
            sa.Enum("households", "cooperative", name="settlement_refunds_by", native_enum=False),
            nullable=False,
        ),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("share_bp BETWEEN 0 AND 10000", name=op.f("ck_settlement_rule_share_bp")),
        sa.CheckConstraint("card_fee_bp BETWEEN 0 AND 10000", name=op.f("ck_settlement_rule_card_fee_bp")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_settlement_rule_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_settlement_rule_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_rule")),
        sa.UniqueConstraint("cooperative_id", "starts_on", name=op.f("uq_settlement_rule_cooperative_id")),
    )
    op.create_table(
        "settlement",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.CheckConstraint("first <= last", name=op.f("ck_settlement_days")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_settlement_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_settlement_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement")),
        sa.UniqueConstraint("cooperative_id", "number", name=op.f("uq_settlement_cooperative_id")),
    )
    op.create_table(
        "settlement_order",
        sa.Column("settlement_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("carrier", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("cooperative", sa.BigInteger(), nullable=False),
        sa.Column("households", sa.BigInteger(), nullable=False),
        sa.Column("seen_paid", sa.BigInteger(), nullable=False),
        sa.Column("seen_refunded", sa.BigInteger(), nullable=False),
        sa.Column("seen_carrier", sa.BigInteger(), nullable=False),
        sa.Column("seen_sent", sa.Integer(), nullable=False),
        sa.Column("seen_returned", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "received = carrier + provider + held + cooperative + households", name=op.f("ck_settlement_order_zero_sum")
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_settlement_order_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["shop_order.id"], name=op.f("fk_settlement_order_order_id_shop_order")),
        sa.ForeignKeyConstraint(
            ["settlement_id"], ["settlement.id"], name=op.f("fk_settlement_order_settlement_id_settlement")
        ),
        sa.PrimaryKeyConstraint("settlement_id", "order_id", name=op.f("pk_settlement_order")),
    )
    op.create_table(
        "settlement_lot",
        sa.Column("settlement_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("household_id", sa.String(length=36), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("goods", sa.BigInteger(), nullable=False),
        sa.Column("share", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("delivery", sa.BigInteger(), nullable=False),
        sa.Column("refund", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("net = goods - share - fee + delivery - refund", name=op.f("ck_settlement_lot_net")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_settlement_lot_batch_id_batch")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_settlement_lot_household_id_household")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["shop_order.id"], name=op.f("fk_settlement_lot_order_id_shop_order")),
        sa.ForeignKeyConstraint(
            ["settlement_id"], ["settlement.id"], name=op.f("fk_settlement_lot_settlement_id_settlement")
        ),
        sa.PrimaryKeyConstraint("settlement_id", "order_id", "batch_id", name=op.f("pk_settlement_lot")),
    )
    op.create_table(
        "settlement_household",
        sa.Column("settlement_id", sa.String(length=36), nullable=False),
        sa.Column("household_id", sa.String(length=36), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("brought", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("carried", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "due >= 0 AND carried <= 0 AND (due = 0 OR carried = 0)", name=op.f("ck_settlement_household_due")
        ),
        sa.CheckConstraint(
            "brought <= 0 AND due + carried = net + brought", name=op.f("ck_settlement_household_balance")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_settlement_household_household_id_household")
        ),
        sa.ForeignKeyConstraint(
            ["settlement_id"], ["settlement.id"], name=op.f("fk_settlement_household_settlement_id_settlement")
        ),
        sa.PrimaryKeyConstraint("settlement_id", "household_id", name=op.f("pk_settlement_household")),
    )
    op.create_table(
        "settlement_payout",
        sa.Column("settlement_id", sa.String(length=36), nullable=False),
        sa.Column("household_id", sa.String(length=36), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_settlement_payout_household_id_household")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_settlement_payout_member_id_member")),
        sa.ForeignKeyConstraint(
            ["settlement_id"], ["settlement.id"], name=op.f("fk_settlement_payout_settlement_id_settlement")
        ),
        sa.PrimaryKeyConstraint("settlement_id", "household_id", name=op.f("pk_settlement_payout")),
    )
    op.create_index("ix_settlement_order_order_id", "settlement_order", ["order_id", "cooperative_id"])
    op.create_index("ix_settlement_lot_household_id", "settlement_lot", ["household_id", "settlement_id"])
    op.create_index("ix_settlement_lot_order_id", "settlement_lot", ["order_id"])
    op.create_index(op.f("ix_settlement_household_household_id"), "settlement_household", ["household_id"])
    op.create_index("ix_shop_order_updated_at", "shop_order", ["updated_at"])
    op.create_index("ix_shipment_updated_at", "shipment", ["updated_at"])
    for table, keys in FROZEN.items():
        for statement in guards(table, op.get_bind().dialect.name, keys):
            op.execute(sa.DDL(statement.replace("%", "%%")))


def downgrade() -> None:
    """Back to before."""
    op.drop_index("ix_shipment_updated_at", table_name="shipment")
    op.drop_index("ix_shop_order_updated_at", table_name="shop_order")
    op.drop_table("settlement_payout")
    op.drop_table("settlement_household")
    op.drop_table("settlement_lot")
    op.drop_table("settlement_order")
    op.drop_table("settlement")
    op.drop_table("settlement_rule")
