"""The house as first built

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


LEDGER = {"ledger_entry": ("index",), "ledger_link": ("batch", "seq"), "ledger_node": ("level", "position")}
PG_REFUSE = """
CREATE OR REPLACE FUNCTION soi_append_only() RETURNS trigger AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is only added to: % on % refused', TG_OP, TG_TABLE_NAME;
END $$ LANGUAGE plpgsql
"""


def guards(table: str, dialect: str, keys: tuple[str, ...]) -> list[str]:
    """The triggers that make a ledger table append-only, as they were when the house was first built."""
    if dialect == "sqlite":
        # REPLACE takes a row away without a word to its DELETE trigger.
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
        PG_REFUSE,
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION soi_append_only()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION soi_append_only()",
    ]


def upgrade() -> None:
    """The house as first built"""
    op.create_table(
        "cooperative",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("gln", sa.String(length=13), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("registration", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cooperative")),
        sa.UniqueConstraint("gln", name=op.f("uq_cooperative_gln")),
        sa.UniqueConstraint("name", name=op.f("uq_cooperative_name")),
    )
    op.create_table(
        "hamlet",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hamlet")),
        sa.UniqueConstraint("name", name=op.f("uq_hamlet_name")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_key")),
    )
    with op.batch_alter_table("idempotency_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_key_created_at"), ["created_at"], unique=False)

    op.create_table(
        "ledger_entry",
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(body) <= 16384", name=op.f("ck_ledger_entry_size")),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_ledger_entry")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_entry_recorded_at"), ["recorded_at"], unique=False)

    op.create_table(
        "ledger_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_ledger_node")),
    )
    op.create_table(
        "ledger_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("vkey", sa.String(length=300), nullable=False),
        sa.Column("custodian_vkey", sa.String(length=300), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_ledger_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_state")),
    )
    op.create_table(
        "shop_order",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=9), nullable=False),
        sa.Column("token", sa.String(length=43), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "placed",
                "confirmed",
                "picked",
                "dispatched",
                "delivered",
                "cancelled",
                name="order_status",
                native_enum=False,
            ),
            nullable=False,
        ),
        sa.Column(
            "channel", sa.Enum("web", "api", "live", name="order_channel", native_enum=False), nullable=False
        ),
        sa.Column("payment", sa.Enum("cod", name="order_payment", native_enum=False), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("buyer_name", sa.String(length=120), nullable=True),
        sa.Column("buyer_phone", sa.String(length=16), nullable=True),
        sa.Column("buyer_address", sa.String(length=300), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("live_session_id", sa.String(length=36), nullable=True),
        sa.Column("live_author", sa.String(length=120), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("total >= 0", name=op.f("ck_shop_order_total")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_order")),
        sa.UniqueConstraint("number", name=op.f("uq_shop_order_number")),
        sa.UniqueConstraint("token", name=op.f("uq_shop_order_token")),
    )
    with op.batch_alter_table("shop_order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_order_buyer_phone"), ["buyer_phone"], unique=False)
        batch_op.create_index("ix_shop_order_live", ["live_session_id", "live_author"], unique=False)
        batch_op.create_index("ix_shop_order_status", ["status", "id"], unique=False)

    op.create_table(
        "sign_in_failure",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("ck_sign_in_failure_count")),
        sa.PrimaryKeyConstraint("key", "window", name=op.f("pk_sign_in_failure")),
    )
    op.create_table(
        "village_revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_village_revision_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_village_revision")),
    )
    op.create_table(
        "household",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("hamlet_id", sa.String(length=36), nullable=False),
        sa.Column("story", sa.String(length=1000), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_household_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["hamlet_id"], ["hamlet.id"], name=op.f("fk_household_hamlet_id_hamlet")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
        sa.UniqueConstraint("name", name=op.f("uq_household_name")),
    )
    with op.batch_alter_table("household", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_household_cooperative_id"), ["cooperative_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_household_hamlet_id"), ["hamlet_id"], unique=False)

    op.create_table(
        "ledger_commitment",
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_index"],
            ["ledger_entry.index"],
            name=op.f("fk_ledger_commitment_entry_index_ledger_entry"),
        ),
        sa.PrimaryKeyConstraint("entry_index", "name", name=op.f("pk_ledger_commitment")),
    )
    op.create_table(
        "ledger_link",
        sa.Column("batch", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_index"], ["ledger_entry.index"], name=op.f("fk_ledger_link_entry_index_ledger_entry")
        ),
        sa.PrimaryKeyConstraint("batch", "seq", name=op.f("pk_ledger_link")),
    )
    with op.batch_alter_table("ledger_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_link_entry_index"), ["entry_index"], unique=False)

    op.create_table(
        "product",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name_vi", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("process", sa.String(length=40), nullable=False),
        sa.Column("material", sa.String(length=40), nullable=False),
        sa.Column("net_grams", sa.Integer(), nullable=True),
        sa.Column("price", sa.Integer(), nullable=True),
        sa.Column("shelf_days", sa.Integer(), nullable=True),
        sa.Column("ingredients_vi", sa.Text(), nullable=False),
        sa.Column("ingredients_en", sa.Text(), nullable=False),
        sa.Column("usage_vi", sa.Text(), nullable=False),
        sa.Column("usage_en", sa.Text(), nullable=False),
        sa.Column("storage_vi", sa.Text(), nullable=False),
        sa.Column("storage_en", sa.Text(), nullable=False),
        sa.Column("warning_vi", sa.Text(), nullable=False),
        sa.Column("warning_en", sa.Text(), nullable=False),
        sa.Column("story_vi", sa.Text(), nullable=False),
        sa.Column("story_en", sa.Text(), nullable=False),
        sa.Column("picture", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("net_grams > 0", name=op.f("ck_product_net_grams")),
        sa.CheckConstraint("price > 0", name=op.f("ck_product_price")),
        sa.CheckConstraint("price IS NULL OR net_grams IS NOT NULL", name=op.f("ck_product_sold_in_packs")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_product_cooperative_id_cooperative")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("gtin", name=op.f("uq_product_gtin")),
        sa.UniqueConstraint("slug", name=op.f("uq_product_slug")),
    )
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_product_cooperative_id"), ["cooperative_id"], unique=False)

    op.create_table(
        "certificate",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("ocop", "food-safety", "quality", name="certificate_kind", native_enum=False),
            nullable=False,
        ),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("product_id", sa.String(length=36), nullable=True),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.CheckConstraint(
            "(kind = 'ocop') = (stars IS NOT NULL)", name=op.f("ck_certificate_stars_are_ocop")
        ),
        sa.CheckConstraint("expires_on > issued_on", name=op.f("ck_certificate_has_an_end")),
        sa.CheckConstraint("stars IS NULL OR stars BETWEEN 3 AND 5", name=op.f("ck_certificate_stars")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_certificate_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_certificate_product_id_product")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
    )
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_certificate_cooperative_id"), ["cooperative_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_certificate_product_id"), ["product_id"], unique=False)

    op.create_table(
        "member",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("username", sa.String(length=40), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("household_id", sa.String(length=36), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_member_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_member_household_id_household")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("phone", name=op.f("uq_member_phone")),
        sa.UniqueConstraint("username", name=op.f("uq_member_username")),
    )
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_member_cooperative_id"), ["cooperative_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_household_id"), ["household_id"], unique=False)

    op.create_table(
        "order_line",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("name_vi", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("picture", sa.String(length=40), nullable=False),
        sa.Column("unit_price", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity BETWEEN 1 AND 99", name=op.f("ck_order_line_quantity")),
        sa.CheckConstraint("unit_price > 0", name=op.f("ck_order_line_unit_price")),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["shop_order.id"],
            name=op.f("fk_order_line_order_id_shop_order"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_order_line_product_id_product")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
    )
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_line_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_line_product_id"), ["product_id"], unique=False)

    op.create_table(
        "site",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "kind", sa.Enum("field", "workshop", "store", name="site_kind", native_enum=False), nullable=False
        ),
        sa.Column("gln", sa.String(length=13), nullable=False),
        sa.Column("hamlet_id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("household_id", sa.String(length=36), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_site_whole_position")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_site_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["hamlet_id"], ["hamlet.id"], name=op.f("fk_site_hamlet_id_hamlet")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_site_household_id_household")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("gln", name=op.f("uq_site_gln")),
    )
    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_site_cooperative_id"), ["cooperative_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_site_hamlet_id"), ["hamlet_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_site_household_id"), ["household_id"], unique=False)

    op.create_table(
        "api_token",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_api_token_member_id_member"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_api_token")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_member_id"), ["member_id"], unique=False)

    op.create_table(
        "batch",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("epc", sa.String(length=200), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("lot", sa.String(length=20), nullable=False),
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("household_id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("site_id", sa.String(length=36), nullable=False),
        sa.Column("process", sa.String(length=40), nullable=False),
        sa.Column("process_version", sa.Integer(), nullable=False),
        sa.Column("material", sa.String(length=40), nullable=False),
        sa.Column("made_grams", sa.Integer(), nullable=False),
        sa.Column("left_grams", sa.Integer(), nullable=False),
        sa.Column("made_units", sa.Integer(), nullable=True),
        sa.Column("left_units", sa.Integer(), nullable=True),
        sa.Column("origins", sa.JSON(), nullable=False),
        sa.Column("moisture", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("best_before", sa.Date(), nullable=True),
        sa.Column(
            "hold", sa.Enum("none", "held", "recalled", name="hold", native_enum=False), nullable=False
        ),
        sa.Column("hold_reason", sa.String(length=300), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(made_units IS NULL) = (left_units IS NULL)", name=op.f("ck_batch_units")),
        sa.CheckConstraint("left_grams BETWEEN 0 AND made_grams", name=op.f("ck_batch_grams_left")),
        sa.CheckConstraint("left_units BETWEEN 0 AND made_units", name=op.f("ck_batch_units_left")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_batch_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_batch_household_id_household")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_batch_product_id_product")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_batch_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint("epc", name=op.f("uq_batch_epc")),
        sa.UniqueConstraint("gtin", "lot", name=op.f("uq_batch_gtin")),
    )
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_cooperative_id"), ["cooperative_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_batch_household_id"), ["household_id"], unique=False)
        batch_op.create_index("ix_batch_household_open", ["household_id", "left_grams"], unique=False)
        batch_op.create_index(batch_op.f("ix_batch_product_id"), ["product_id"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "commission",
                "transform",
                "observe",
                "inspect",
                "pack",
                "dispatch",
                name="event_kind",
                native_enum=False,
            ),
            nullable=False,
        ),
        sa.Column("process", sa.String(length=40), nullable=False),
        sa.Column("process_version", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("name_vi", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("story_vi", sa.String(length=500), nullable=False),
        sa.Column("story_en", sa.String(length=500), nullable=False),
        sa.Column("picture", sa.String(length=40), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offset_minutes", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("site_id", sa.String(length=36), nullable=False),
        sa.Column("household_id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.Column("readings", sa.JSON(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("photos", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("corrects", sa.String(length=36), nullable=True),
        sa.Column("corrected_by", sa.String(length=36), nullable=True),
        sa.Column("correction_reason", sa.String(length=20), nullable=True),
        sa.Column("correction_entry", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["corrected_by"], ["event.id"], name=op.f("fk_event_corrected_by_event")),
        sa.ForeignKeyConstraint(
            ["correction_entry"], ["ledger_entry.index"], name=op.f("fk_event_correction_entry_ledger_entry")
        ),
        sa.ForeignKeyConstraint(["corrects"], ["event.id"], name=op.f("fk_event_corrects_event")),
        sa.ForeignKeyConstraint(
            ["entry_index"], ["ledger_entry.index"], name=op.f("fk_event_entry_index_ledger_entry")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_event_household_id_household")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_event_member_id_member")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_event_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("entry_index", name=op.f("uq_event_entry_index")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_corrects"), ["corrects"], unique=False)
        batch_op.create_index("ix_event_household_occurred", ["household_id", "occurred_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_event_occurred_at"), ["occurred_at"], unique=False)

    op.create_table(
        "live_session",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("platform", sa.String(length=30), nullable=False),
        sa.Column("host_id", sa.String(length=36), nullable=False),
        sa.Column("cooperative_id", sa.String(length=36), nullable=False),
        sa.Column("status", sa.Enum("open", "ended", name="live_status", native_enum=False), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.CheckConstraint("received >= 0", name=op.f("ck_live_session_received")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_live_session_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(["host_id"], ["member.id"], name=op.f("fk_live_session_host_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_session")),
    )
    with op.batch_alter_table("live_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_live_session_cooperative_id"), ["cooperative_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_live_session_host_id"), ["host_id"], unique=False)

    op.create_table(
        "member_role",
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column(
            "role",
            sa.Enum("producer", "seller", "office", "auditor", name="role", native_enum=False),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_member_role_member_id_member"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("member_id", "role", name=op.f("pk_member_role")),
    )
    op.create_table(
        "order_step",
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_order_step_member_id_member")),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["shop_order.id"],
            name=op.f("fk_order_step_order_id_shop_order"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_id", "position", name=op.f("pk_order_step")),
    )
    op.create_table(
        "sign_in",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("by_link", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_sign_in_member_id_member"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_member_id"), ["member_id"], unique=False)

    op.create_table(
        "sign_in_link",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("made_by", sa.String(length=36), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["made_by"], ["member.id"], name=op.f("fk_sign_in_link_made_by_member"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_sign_in_link_member_id_member"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_link")),
    )
    with op.batch_alter_table("sign_in_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_link_member_id"), ["member_id"], unique=False)

    op.create_table(
        "batch_edge",
        sa.Column("child_id", sa.String(length=36), nullable=False),
        sa.Column("parent_id", sa.String(length=36), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("grams", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["batch.id"], name=op.f("fk_batch_edge_child_id_batch")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_batch_edge_event_id_event")),
        sa.ForeignKeyConstraint(["parent_id"], ["batch.id"], name=op.f("fk_batch_edge_parent_id_batch")),
        sa.PrimaryKeyConstraint("child_id", "parent_id", "event_id", name=op.f("pk_batch_edge")),
    )
    with op.batch_alter_table("batch_edge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_edge_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "event_batch",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column(
            "part", sa.Enum("input", "output", "about", name="event_part", native_enum=False), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("grams", sa.Integer(), nullable=True),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.CheckConstraint("grams >= 0", name=op.f("ck_event_batch_grams")),
        sa.CheckConstraint("units >= 0", name=op.f("ck_event_batch_units")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_event_batch_batch_id_batch")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_event_batch_event_id_event")),
        sa.PrimaryKeyConstraint("event_id", "part", "position", name=op.f("pk_event_batch")),
    )
    with op.batch_alter_table("event_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_batch_batch_id"), ["batch_id"], unique=False)

    op.create_table(
        "live_code",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("unit_limit", sa.Integer(), nullable=True),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("price > 0", name=op.f("ck_live_code_price")),
        sa.CheckConstraint("taken >= 0", name=op.f("ck_live_code_taken")),
        sa.CheckConstraint(
            "unit_limit IS NULL OR taken <= unit_limit", name=op.f("ck_live_code_within_limit")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_live_code_product_id_product")),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["live_session.id"],
            name=op.f("fk_live_code_session_id_live_session"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_code")),
        sa.UniqueConstraint("session_id", "code", name=op.f("uq_live_code_session_id")),
    )
    with op.batch_alter_table("live_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_live_code_product_id"), ["product_id"], unique=False)

    op.create_table(
        "live_comment",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("platform", sa.String(length=30), nullable=False),
        sa.Column("comment_id", sa.String(length=200), nullable=False),
        sa.Column("author_id", sa.String(length=120), nullable=False),
        sa.Column("author_name", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_doubted", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["live_session.id"], name=op.f("fk_live_comment_session_id_live_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_comment")),
        sa.UniqueConstraint("platform", "comment_id", name=op.f("uq_live_comment_platform")),
        sa.UniqueConstraint("session_id", "seq", name=op.f("uq_live_comment_session_id")),
    )
    with op.batch_alter_table("live_comment", schema=None) as batch_op:
        batch_op.create_index("ix_live_comment_author", ["session_id", "author_id"], unique=False)

    op.create_table(
        "stock_lot",
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("lot", sa.String(length=20), nullable=False),
        sa.Column("best_before", sa.Date(), nullable=True),
        sa.Column("packed", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("sold", sa.Integer(), nullable=False),
        sa.Column("on_hold", sa.Boolean(), nullable=False),
        sa.CheckConstraint("packed >= 0", name=op.f("ck_stock_lot_packed")),
        sa.CheckConstraint("reserved + sold <= packed", name=op.f("ck_stock_lot_never_oversold")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_stock_lot_reserved")),
        sa.CheckConstraint("sold >= 0", name=op.f("ck_stock_lot_sold")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_stock_lot_batch_id_batch")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_stock_lot_product_id_product")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_stock_lot")),
    )
    with op.batch_alter_table("stock_lot", schema=None) as batch_op:
        batch_op.create_index(
            "ix_stock_lot_first_out", ["product_id", "best_before", "batch_id"], unique=False
        )

    op.create_table(
        "live_decision",
        sa.Column("comment_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "order",
                "waitlist",
                "review",
                "change",
                "cancel",
                "question",
                "ignored",
                "duplicate",
                name="live_decision",
                native_enum=False,
            ),
            nullable=False,
        ),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("waiting", sa.JSON(), nullable=False),
        sa.Column("suggested", sa.JSON(), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=True),
        sa.Column("decided_by", sa.String(length=36), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["live_comment.id"], name=op.f("fk_live_decision_comment_id_live_comment")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["member.id"], name=op.f("fk_live_decision_decided_by_member")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name=op.f("fk_live_decision_order_id_shop_order")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["live_session.id"], name=op.f("fk_live_decision_session_id_live_session")
        ),
        sa.PrimaryKeyConstraint("comment_id", "position", name=op.f("pk_live_decision")),
    )
    with op.batch_alter_table("live_decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_live_decision_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_live_decision_session", ["session_id", "decision"], unique=False)

    op.create_table(
        "live_hold",
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("code_id", sa.String(length=36), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_live_hold_quantity")),
        sa.ForeignKeyConstraint(
            ["code_id"], ["live_code.id"], name=op.f("fk_live_hold_code_id_live_code"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name=op.f("fk_live_hold_order_id_shop_order"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("order_id", "code_id", name=op.f("pk_live_hold")),
    )
    with op.batch_alter_table("live_hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_live_hold_code_id"), ["code_id"], unique=False)

    op.create_table(
        "live_wait",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("comment_id", sa.String(length=36), nullable=False),
        sa.Column("code_id", sa.String(length=36), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("because", sa.String(length=500), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "served", "dropped", name="live_wait_state", native_enum=False),
            nullable=False,
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_live_wait_quantity")),
        sa.ForeignKeyConstraint(["code_id"], ["live_code.id"], name=op.f("fk_live_wait_code_id_live_code")),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["live_comment.id"], name=op.f("fk_live_wait_comment_id_live_comment")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["live_session.id"], name=op.f("fk_live_wait_session_id_live_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_wait")),
    )
    with op.batch_alter_table("live_wait", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_live_wait_comment_id"), ["comment_id"], unique=False)
        batch_op.create_index("ix_live_wait_session", ["session_id", "state"], unique=False)

    op.create_table(
        "order_allocation",
        sa.Column("order_line_id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("lot", sa.String(length=20), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("ck_order_allocation_units")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["stock_lot.batch_id"], name=op.f("fk_order_allocation_batch_id_stock_lot")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"],
            ["order_line.id"],
            name=op.f("fk_order_allocation_order_line_id_order_line"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_line_id", "batch_id", name=op.f("pk_order_allocation")),
    )
    with op.batch_alter_table("order_allocation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_allocation_batch_id"), ["batch_id"], unique=False)

    for table, keys in LEDGER.items():
        for statement in guards(table, op.get_bind().dialect.name, keys):
            op.execute(sa.DDL(statement.replace("%", "%%")))


def downgrade() -> None:
    """Back to before."""
    with op.batch_alter_table("order_allocation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_allocation_batch_id"))

    op.drop_table("order_allocation")
    with op.batch_alter_table("live_wait", schema=None) as batch_op:
        batch_op.drop_index("ix_live_wait_session")
        batch_op.drop_index(batch_op.f("ix_live_wait_comment_id"))

    op.drop_table("live_wait")
    with op.batch_alter_table("live_hold", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_live_hold_code_id"))

    op.drop_table("live_hold")
    with op.batch_alter_table("live_decision", schema=None) as batch_op:
        batch_op.drop_index("ix_live_decision_session")
        batch_op.drop_index(batch_op.f("ix_live_decision_order_id"))

    op.drop_table("live_decision")
    with op.batch_alter_table("stock_lot", schema=None) as batch_op:
        batch_op.drop_index("ix_stock_lot_first_out")

    op.drop_table("stock_lot")
    with op.batch_alter_table("live_comment", schema=None) as batch_op:
        batch_op.drop_index("ix_live_comment_author")

    op.drop_table("live_comment")
    with op.batch_alter_table("live_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_live_code_product_id"))

    op.drop_table("live_code")
    with op.batch_alter_table("event_batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_batch_batch_id"))

    op.drop_table("event_batch")
    with op.batch_alter_table("batch_edge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_edge_parent_id"))

    op.drop_table("batch_edge")
    with op.batch_alter_table("sign_in_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_link_member_id"))

    op.drop_table("sign_in_link")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_member_id"))

    op.drop_table("sign_in")
    op.drop_table("order_step")
    op.drop_table("member_role")
    with op.batch_alter_table("live_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_live_session_host_id"))
        batch_op.drop_index(batch_op.f("ix_live_session_cooperative_id"))

    op.drop_table("live_session")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_occurred_at"))
        batch_op.drop_index("ix_event_household_occurred")
        batch_op.drop_index(batch_op.f("ix_event_corrects"))

    op.drop_table("event")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_product_id"))
        batch_op.drop_index("ix_batch_household_open")
        batch_op.drop_index(batch_op.f("ix_batch_household_id"))
        batch_op.drop_index(batch_op.f("ix_batch_cooperative_id"))

    op.drop_table("batch")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_token_member_id"))

    op.drop_table("api_token")
    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_site_household_id"))
        batch_op.drop_index(batch_op.f("ix_site_hamlet_id"))
        batch_op.drop_index(batch_op.f("ix_site_cooperative_id"))

    op.drop_table("site")
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_line_product_id"))
        batch_op.drop_index(batch_op.f("ix_order_line_order_id"))

    op.drop_table("order_line")
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_member_household_id"))
        batch_op.drop_index(batch_op.f("ix_member_cooperative_id"))

    op.drop_table("member")
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_certificate_product_id"))
        batch_op.drop_index(batch_op.f("ix_certificate_cooperative_id"))

    op.drop_table("certificate")
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_product_cooperative_id"))

    op.drop_table("product")
    with op.batch_alter_table("ledger_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_link_entry_index"))

    op.drop_table("ledger_link")
    op.drop_table("ledger_commitment")
    with op.batch_alter_table("household", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_household_hamlet_id"))
        batch_op.drop_index(batch_op.f("ix_household_cooperative_id"))

    op.drop_table("household")
    op.drop_table("village_revision")
    op.drop_table("sign_in_failure")
    with op.batch_alter_table("shop_order", schema=None) as batch_op:
        batch_op.drop_index("ix_shop_order_status")
        batch_op.drop_index("ix_shop_order_live")
        batch_op.drop_index(batch_op.f("ix_shop_order_buyer_phone"))

    op.drop_table("shop_order")
    op.drop_table("ledger_state")
    op.drop_table("ledger_node")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_entry_recorded_at"))

    op.drop_table("ledger_entry")
    with op.batch_alter_table("idempotency_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_key_created_at"))

    op.drop_table("idempotency_key")
    op.drop_table("hamlet")
    op.drop_table("cooperative")
