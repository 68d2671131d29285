"""Orders in three states: the work, the money, the parcels.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Each check stands on the last column that it speaks of: so both databases take it, and SQLite need not build the table
# anew, which would empty those that refer to it.
ADDED = (
    "ALTER TABLE order_allocation ADD COLUMN sent INTEGER DEFAULT 0 NOT NULL"
    " CONSTRAINT ck_order_allocation_sent CHECK (sent >= 0 AND sent <= units)",
    "ALTER TABLE order_allocation ADD COLUMN returned INTEGER DEFAULT 0 NOT NULL"
    " CONSTRAINT ck_order_allocation_returned CHECK (returned >= 0 AND returned <= sent)",
    "ALTER TABLE order_allocation ADD COLUMN lost INTEGER DEFAULT 0 NOT NULL"
    " CONSTRAINT ck_order_allocation_lost CHECK (lost >= 0 AND lost <= returned)",
    "ALTER TABLE stock_lot ADD COLUMN lost INTEGER DEFAULT 0 NOT NULL"
    " CONSTRAINT ck_stock_lot_lost CHECK (lost >= 0 AND reserved + sold + lost <= packed)",
    "ALTER TABLE shop_order ADD COLUMN payment_state VARCHAR(16) DEFAULT 'due' NOT NULL",
    "ALTER TABLE shop_order ADD COLUMN delivery_fee INTEGER DEFAULT 0 NOT NULL"
    " CONSTRAINT ck_shop_order_delivery_fee CHECK (delivery_fee >= 0 AND delivery_fee <= total)",
    "ALTER TABLE shop_order ADD COLUMN paid BIGINT DEFAULT 0 NOT NULL",
    "ALTER TABLE shop_order ADD COLUMN refunded BIGINT DEFAULT 0 NOT NULL"
    " CONSTRAINT ck_shop_order_money CHECK (paid >= 0 AND refunded >= 0 AND refunded <= paid)",
    "ALTER TABLE shop_order ADD COLUMN hold_until {moment}",
    "ALTER TABLE shop_order ADD COLUMN delivery VARCHAR(4) DEFAULT 'hand' NOT NULL",
    "ALTER TABLE shop_order ADD COLUMN buyer_email VARCHAR(254)",
    "ALTER TABLE shop_order ADD COLUMN buyer_ward VARCHAR(80)",
    "ALTER TABLE shop_order ADD COLUMN buyer_province VARCHAR(40)",
    "ALTER TABLE shop_order ADD COLUMN language VARCHAR(2) DEFAULT 'vi' NOT NULL",
)
DROPPED = {
    "order_allocation": ("lost", "returned", "sent"),
    "stock_lot": ("lost",),
    "shop_order": (
        "language", "buyer_province", "buyer_ward", "buyer_email", "delivery", "hold_until", "refunded", "paid",
        "delivery_fee", "payment_state",
    ),
}  # fmt: skip
# Whoever had her parcel had paid for it at the door. Packs that the ledger calls lost were counted as sold.
FILLED = (
    "UPDATE order_allocation SET sent = units WHERE order_line_id IN (SELECT order_line.id FROM order_line"
    " JOIN shop_order ON shop_order.id = order_line.order_id WHERE shop_order.status IN ('dispatched', 'delivered'))",
    "UPDATE shop_order SET paid = total, payment_state = 'paid' WHERE status = 'delivered'",
    "UPDATE stock_lot SET sold = sold - gone.units, lost = gone.units FROM ("
    " SELECT event_batch.batch_id AS batch_id, SUM(event_batch.units) AS units FROM event_batch"
    " JOIN event ON event.id = event_batch.event_id"
    " WHERE event.kind = 'lose' AND event.corrected_by IS NULL AND event_batch.units IS NOT NULL"
    " GROUP BY event_batch.batch_id) AS gone WHERE gone.batch_id = stock_lot.batch_id",
)


def _retype(column: str, before: sa.String, after: sa.String) -> None:
    """Give a column of shop_order another length. SQLite gets a new one in its place: see above."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("shop_order", column, existing_type=before, type_=after, existing_nullable=False)
        return
    if column == "status":
        op.drop_index("ix_shop_order_status", table_name="shop_order")
    op.execute(f"ALTER TABLE shop_order ADD COLUMN retyped VARCHAR({after.length}) DEFAULT '' NOT NULL")
    op.execute(f"UPDATE shop_order SET retyped = {column}")
    op.drop_column("shop_order", column)
    op.execute(f"ALTER TABLE shop_order RENAME COLUMN retyped TO {column}")
    if column == "status":
        op.create_index("ix_shop_order_status", "shop_order", ["status", "id"])


def upgrade() -> None:
    """Make the tables, and tell of old orders in the new words."""
    op.create_table(
        "shipment",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.Enum("hand", "ghn", name="shipment_carrier", native_enum=False), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "picking",
                "picked",
                "transit",
                "delivering",
                "delivered",
                "fail_attempt",
                "returning",
                "returned",
                "lost_damaged",
                "cancelled",
                name="delivery_state",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("tracking", sa.String(length=40), nullable=True),
        sa.Column("fee", sa.Integer(), nullable=False),
        sa.Column("cod_amount", sa.BigInteger(), nullable=False),
        sa.Column("cod_collected", sa.BigInteger(), nullable=False),
        sa.Column("cod_settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("cod_amount >= 0", name=op.f("ck_shipment_cod_amount")),
        sa.CheckConstraint("cod_collected >= 0", name=op.f("ck_shipment_cod_collected")),
        sa.CheckConstraint("fee >= 0", name=op.f("ck_shipment_fee")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name=op.f("fk_shipment_order_id_shop_order"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment")),
        sa.UniqueConstraint("carrier", "tracking", name=op.f("uq_shipment_carrier")),
        sa.UniqueConstraint("order_id", "number", name=op.f("uq_shipment_order_id")),
    )
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipment_delivered_at"), ["delivered_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_shipment_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_shipment_state"), ["state"], unique=False)

    op.create_table(
        "shop_payment",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column(
            "method", sa.Enum("cod", "vietqr", "stripe", name="payment_method", native_enum=False), nullable=False
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("pending", "succeeded", "failed", "expired", name="payment_state", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("memo", sa.String(length=24), nullable=True),
        sa.Column("reference", sa.String(length=255), nullable=True),
        sa.Column("intent", sa.String(length=255), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_shop_payment_amount")),
        sa.CheckConstraint("received >= 0", name=op.f("ck_shop_payment_received")),
        sa.ForeignKeyConstraint(["order_id"], ["shop_order.id"], name=op.f("fk_shop_payment_order_id_shop_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_payment")),
        sa.UniqueConstraint("memo", name=op.f("uq_shop_payment_memo")),
        sa.UniqueConstraint("method", "reference", name=op.f("uq_shop_payment_method")),
    )
    with op.batch_alter_table("shop_payment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_payment_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_shop_payment_settled_at"), ["settled_at"], unique=False)

    op.create_table(
        "webhook_event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column(
            "provider",
            sa.Enum("sepay", "payos", "stripe", "ghn", name="webhook_provider", native_enum=False),
            nullable=False,
        ),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "done", "ignored", "puzzling", name="webhook_state", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=True),
        sa.Column("said", sa.String(length=300), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["shop_order.id"], name=op.f("fk_webhook_event_order_id_shop_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_event")),
        sa.UniqueConstraint("provider", "event_id", name=op.f("uq_webhook_event_provider")),
    )
    with op.batch_alter_table("webhook_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_event_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_webhook_event_state", ["state", "id"], unique=False)

    op.create_table(
        "payment_puzzle",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=True),
        sa.Column("webhook_id", sa.String(length=36), nullable=True),
        sa.Column("order_id", sa.String(length=36), nullable=True),
        sa.Column("payment_id", sa.String(length=36), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "unmatched",
                "under",
                "over",
                "double",
                "late",
                "cancelled",
                "currency",
                "missing",
                "unknown",
                name="puzzle_kind",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("memo", sa.String(length=300), nullable=False),
        sa.Column("reference", sa.String(length=255), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.String(length=20), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_payment_puzzle_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_payment_puzzle_member_id_member")),
        sa.ForeignKeyConstraint(["order_id"], ["shop_order.id"], name=op.f("fk_payment_puzzle_order_id_shop_order")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["shop_payment.id"], name=op.f("fk_payment_puzzle_payment_id_shop_payment")
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook_event.id"], name=op.f("fk_payment_puzzle_webhook_id_webhook_event")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_puzzle")),
    )
    with op.batch_alter_table("payment_puzzle", schema=None) as batch_op:
        batch_op.create_index("ix_payment_puzzle_open", ["cooperative_id", "resolved_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_payment_puzzle_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payment_puzzle_webhook_id"), ["webhook_id"], unique=False)

    op.create_table(
        "shipment_step",
        sa.Column("shipment_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "picking",
                "picked",
                "transit",
                "delivering",
                "delivered",
                "fail_attempt",
                "returning",
                "returned",
                "lost_damaged",
                "cancelled",
                name="shipment_step_state",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "source",
            sa.Enum("seller", "carrier", "buyer", "shop", name="shipment_step_source", native_enum=False),
            nullable=False,
        ),
        sa.Column("member_id", sa.String(length=36), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_shipment_step_member_id_member")),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipment.id"], name=op.f("fk_shipment_step_shipment_id_shipment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shipment_id", "position", name=op.f("pk_shipment_step")),
    )
    op.create_table(
        "shop_refund",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("payment_id", sa.String(length=36), nullable=True),
        sa.Column(
            "method", sa.Enum("cod", "vietqr", "stripe", name="refund_method", native_enum=False), nullable=False
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("pending", "succeeded", "failed", "expired", name="refund_state", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("reference", sa.String(length=255), nullable=True),
        sa.Column("member_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_shop_refund_amount")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_shop_refund_member_id_member")),
        sa.ForeignKeyConstraint(["order_id"], ["shop_order.id"], name=op.f("fk_shop_refund_order_id_shop_order")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["shop_payment.id"], name=op.f("fk_shop_refund_payment_id_shop_payment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_refund")),
        sa.UniqueConstraint("method", "reference", name=op.f("uq_shop_refund_method")),
    )
    with op.batch_alter_table("shop_refund", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_refund_order_id"), ["order_id"], unique=False)

    op.create_table(
        "shipment_part",
        sa.Column("shipment_id", sa.String(length=36), nullable=False),
        sa.Column("order_line_id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("lot", sa.String(length=20), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("ck_shipment_part_units")),
        sa.ForeignKeyConstraint(
            ["order_line_id", "batch_id"],
            ["order_allocation.order_line_id", "order_allocation.batch_id"],
            name=op.f("fk_shipment_part_order_line_id_order_allocation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipment.id"], name=op.f("fk_shipment_part_shipment_id_shipment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shipment_id", "order_line_id", "batch_id", name=op.f("pk_shipment_part")),
    )
    with op.batch_alter_table("shipment_part", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipment_part_batch_id"), ["batch_id"], unique=False)

    moment = "DATETIME" if op.get_bind().dialect.name == "sqlite" else "TIMESTAMP WITH TIME ZONE"
    for statement in ADDED:
        op.execute(statement.format(moment=moment))
    op.create_index("ix_shop_order_hold_until", "shop_order", ["hold_until"])
    _retype("status", sa.String(10), sa.String(17))
    _retype("payment", sa.String(3), sa.String(6))
    for statement in FILLED:
        op.execute(statement)


def downgrade() -> None:
    """Back to before."""
    # What an older version cannot say becomes what comes nearest: partly sent is being picked, and all is cash.
    op.execute("UPDATE shop_order SET status = 'picked' WHERE status = 'partly_dispatched'")
    op.execute("UPDATE shop_order SET payment = 'cod'")
    op.execute("UPDATE stock_lot SET sold = sold + lost, lost = 0")
    _retype("payment", sa.String(6), sa.String(3))
    _retype("status", sa.String(17), sa.String(10))
    op.drop_index("ix_shop_order_hold_until", table_name="shop_order")
    for table, columns in DROPPED.items():
        for column in columns:
            op.drop_column(table, column)

    with op.batch_alter_table("shipment_part", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shipment_part_batch_id"))

    op.drop_table("shipment_part")
    with op.batch_alter_table("shop_refund", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shop_refund_order_id"))

    op.drop_table("shop_refund")
    op.drop_table("shipment_step")
    with op.batch_alter_table("payment_puzzle", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payment_puzzle_webhook_id"))
        batch_op.drop_index(batch_op.f("ix_payment_puzzle_order_id"))
        batch_op.drop_index("ix_payment_puzzle_open")

    op.drop_table("payment_puzzle")
    with op.batch_alter_table("webhook_event", schema=None) as batch_op:
        batch_op.drop_index("ix_webhook_event_state")
        batch_op.drop_index(batch_op.f("ix_webhook_event_order_id"))

    op.drop_table("webhook_event")
    with op.batch_alter_table("shop_payment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shop_payment_settled_at"))
        batch_op.drop_index(batch_op.f("ix_shop_payment_order_id"))

    op.drop_table("shop_payment")
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shipment_state"))
        batch_op.drop_index(batch_op.f("ix_shipment_order_id"))
        batch_op.drop_index(batch_op.f("ix_shipment_delivered_at"))

    op.drop_table("shipment")
