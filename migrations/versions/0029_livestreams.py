"""Livestreams from plan to proof: sources, a chained log, packs set aside, timed offers, viewers' links, anchors.

Revision ID: 0029
Revises: 0028
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# Each check stands on the last column that it speaks of: so both databases take it, and SQLite need not build the table
# anew, which those that refer to it would not let it do.
ADDED = (
    "ALTER TABLE live_session ADD COLUMN planned_for {moment}",
    "ALTER TABLE live_session ADD COLUMN resumed_at {moment}",
    "ALTER TABLE live_session ADD COLUMN head VARCHAR(64)",
    "ALTER TABLE live_session ADD COLUMN heard_at {moment}",
    "ALTER TABLE live_session ADD COLUMN pinned VARCHAR(20)",
    "ALTER TABLE live_session ADD COLUMN pinned_at {moment}",
    "ALTER TABLE live_session ADD COLUMN pinned_before VARCHAR(20)",
    "ALTER TABLE live_session ADD COLUMN decided_to {moment}",
    "ALTER TABLE live_session ADD COLUMN viewer_max INTEGER"
    " CONSTRAINT ck_live_session_viewer_max CHECK (viewer_max IS NULL OR viewer_max > 0)",
    "ALTER TABLE live_session ADD COLUMN order_max INTEGER"
    " CONSTRAINT ck_live_session_order_max CHECK (order_max IS NULL OR order_max > 0)",
    "ALTER TABLE live_session ADD COLUMN claim_minutes INTEGER DEFAULT 1440 NOT NULL",
    "ALTER TABLE live_session ADD COLUMN offer_minutes INTEGER DEFAULT 15 NOT NULL"
    " CONSTRAINT ck_live_session_minutes CHECK (claim_minutes > 0 AND offer_minutes > 0)",
    "ALTER TABLE live_session ADD COLUMN notes TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE live_code ADD COLUMN viewer_max INTEGER"
    " CONSTRAINT ck_live_code_viewer_max CHECK (viewer_max IS NULL OR viewer_max > 0)",
    "ALTER TABLE live_code ADD COLUMN set_aside INTEGER DEFAULT 0 NOT NULL"
    " CONSTRAINT ck_live_code_set_aside CHECK (set_aside >= 0)",
    "ALTER TABLE live_decision ADD COLUMN late BOOLEAN DEFAULT {false} NOT NULL",
    "ALTER TABLE live_decision ADD COLUMN allowed INTEGER",
    "ALTER TABLE live_decision ADD COLUMN pinned VARCHAR(20)",
)
DROPPED = {
    "live_session": (
        "notes", "offer_minutes", "claim_minutes", "order_max", "viewer_max", "decided_to", "pinned_before",
        "pinned_at", "pinned", "heard_at", "head", "planned_for", "resumed_at",
    ),
    "live_code": ("set_aside", "viewer_max"),
    "live_decision": ("pinned", "allowed", "late"),
}  # fmt: skip


@contextmanager
def _aside(*tables: str) -> Iterator[None]:
    """SQLite builds a table anew to change what binds it; the rows of those that refer to it wait outside."""
    waiting = tables if op.get_bind().dialect.name == "sqlite" else ()
    for table in waiting:
        op.execute(f"CREATE TEMP TABLE aside_{table} AS SELECT * FROM {table}")
        op.execute(f"DELETE FROM {table}")
    yield
    for table in reversed(waiting):
        op.execute(f"INSERT INTO {table} SELECT * FROM aside_{table}")
        op.execute(f"DROP TABLE aside_{table}")


def _retype_status(before: int, after: int) -> None:
    """Give live_session.status another length. SQLite gets a new column in its place: see above."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column(
            "live_session", "status", existing_type=sa.String(before), type_=sa.String(after), existing_nullable=False
        )
        return
    op.execute(f"ALTER TABLE live_session ADD COLUMN retyped VARCHAR({after}) DEFAULT 'open' NOT NULL")
    op.execute("UPDATE live_session SET retyped = status")
    op.drop_column("live_session", "status")
    op.execute("ALTER TABLE live_session RENAME COLUMN retyped TO status")


def upgrade() -> None:
    """Make the tables; what was said before stays outside of the chain."""
    op.create_table(
        "live_anchor",
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("decisions", sa.String(length=64), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["live_session.id"], name=op.f("fk_live_anchor_session_id_live_session")
        ),
        sa.PrimaryKeyConstraint("session_id", "length", name=op.f("pk_live_anchor")),
    )
    op.create_table(
        "live_claim",
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("author_id", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("joined", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["live_session.id"], name=op.f("fk_live_claim_session_id_live_session")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_live_claim")),
        sa.UniqueConstraint("session_id", "author_id", name=op.f("uq_live_claim_session_id")),
    )
    op.create_index("ix_live_claim_until", "live_claim", ["until"])

    op.create_table(
        "live_source",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "api",
                "facebook",
                "tiktok",
                "webhook",
                "paste",
                "file",
                "keyboard",
                name="live_source_kind",
                native_enum=False,
                length=10,
            ),
            nullable=False,
        ),
        sa.Column("platform", sa.String(length=30), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("alias", sa.String(length=120), nullable=True),
        sa.Column(
            "state",
            sa.Enum("idle", "running", "failing", "stopped", name="live_source_state", native_enum=False, length=8),
            nullable=False,
        ),
        sa.Column("cursor", sa.String(length=500), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["live_session.id"], name=op.f("fk_live_source_session_id_live_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_source")),
    )
    op.create_index("ix_live_source_external", "live_source", ["kind", "external_id"])
    op.create_index("ix_live_source_session_id", "live_source", ["session_id"])

    op.create_table(
        "live_aside",
        sa.Column("code_id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.CheckConstraint("units >= 0", name=op.f("ck_live_aside_units")),
        sa.ForeignKeyConstraint(["batch_id"], ["stock_lot.batch_id"], name=op.f("fk_live_aside_batch_id_stock_lot")),
        sa.ForeignKeyConstraint(
            ["code_id"], ["live_code.id"], name=op.f("fk_live_aside_code_id_live_code"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code_id", "batch_id", name=op.f("pk_live_aside")),
    )
    op.create_index("ix_live_aside_batch_id", "live_aside", ["batch_id"])

    op.create_table(
        "live_foreign_order",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("source_id", sa.String(length=36), nullable=False),
        sa.Column("platform", sa.String(length=30), nullable=False),
        sa.Column("external_id", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("fault", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name=op.f("fk_live_foreign_order_order_id_shop_order")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["live_session.id"], name=op.f("fk_live_foreign_order_session_id_live_session")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["live_source.id"], name=op.f("fk_live_foreign_order_source_id_live_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_foreign_order")),
        sa.UniqueConstraint("platform", "external_id", name=op.f("uq_live_foreign_order_platform")),
    )
    op.create_index("ix_live_foreign_order_order_id", "live_foreign_order", ["order_id"])
    op.create_index("ix_live_foreign_order_session_id", "live_foreign_order", ["session_id"])

    op.create_table(
        "live_offer",
        sa.Column("wait_id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "taken", "lapsed", name="live_offer_state", native_enum=False, length=8),
            nullable=False,
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_live_offer_quantity")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name=op.f("fk_live_offer_order_id_shop_order"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["live_session.id"], name=op.f("fk_live_offer_session_id_live_session")
        ),
        sa.ForeignKeyConstraint(["wait_id"], ["live_wait.id"], name=op.f("fk_live_offer_wait_id_live_wait")),
        sa.PrimaryKeyConstraint("wait_id", name=op.f("pk_live_offer")),
    )
    op.create_index("ix_live_offer_order_id", "live_offer", ["order_id"])
    op.create_index("ix_live_offer_session_id", "live_offer", ["session_id"])
    op.create_index("ix_live_offer_until", "live_offer", ["state", "until"])

    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in ADDED:
        op.execute(
            statement.format(
                moment="DATETIME" if sqlite else "TIMESTAMP WITH TIME ZONE", false="0" if sqlite else "false"
            )
        )
    _retype_status(5, 8)
    op.create_index("ix_live_session_status", "live_session", ["status"])
    gone = sa.text("status = 'cancelled' AND live_session_id IS NOT NULL")
    op.create_index(
        "ix_shop_order_live_gone", "shop_order", ["live_session_id"], sqlite_where=gone, postgresql_where=gone
    )
    with _aside("live_wait", "live_decision"), op.batch_alter_table("live_comment") as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(
            sa.Column(
                "kind",
                sa.Enum("said", "edited", "deleted", name="live_comment_kind", native_enum=False, length=8),
                server_default="said",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("source_id", sa.String(length=36), nullable=True))
        batch_op.add_column(sa.Column("prev", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("hash", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("author_salt", sa.LargeBinary(length=16), nullable=True))
        batch_op.add_column(sa.Column("text_salt", sa.LargeBinary(length=16), nullable=True))
        batch_op.add_column(sa.Column("seals", sa.LargeBinary(length=96), nullable=True))
        batch_op.drop_constraint("uq_live_comment_platform", type_="unique")
        batch_op.create_unique_constraint("uq_live_comment_platform", ["platform", "comment_id", "version"])
        batch_op.create_foreign_key("fk_live_comment_source_id_live_source", "live_source", ["source_id"], ["id"])


def downgrade() -> None:
    """Without them: of a comment only what was said first stays, and a session that is not open has ended."""
    op.drop_table("live_offer")
    op.execute("DELETE FROM live_wait WHERE comment_id IN (SELECT id FROM live_comment WHERE version > 1)")
    op.execute("DELETE FROM live_decision WHERE comment_id IN (SELECT id FROM live_comment WHERE version > 1)")
    op.execute("DELETE FROM live_comment WHERE version > 1")
    with _aside("live_wait", "live_decision"), op.batch_alter_table("live_comment") as batch_op:
        batch_op.drop_constraint("fk_live_comment_source_id_live_source", type_="foreignkey")
        batch_op.drop_constraint("uq_live_comment_platform", type_="unique")
        batch_op.create_unique_constraint("uq_live_comment_platform", ["platform", "comment_id"])
        for column in ("seals", "text_salt", "author_salt", "hash", "prev", "source_id", "kind", "version"):
            batch_op.drop_column(column)
    op.execute("UPDATE live_session SET status = 'ended' WHERE status IN ('planned', 'paused')")
    op.drop_index("ix_shop_order_live_gone", table_name="shop_order")
    op.drop_index("ix_live_session_status", table_name="live_session")
    _retype_status(8, 5)
    for table, columns in DROPPED.items():
        for column in columns:
            op.drop_column(table, column)
    for table in ("live_foreign_order", "live_aside", "live_source", "live_claim", "live_anchor"):
        op.drop_table(table)
