"""No entry of the ledger is replaced

SQLite's REPLACE takes a row away without firing its DELETE trigger; PostgreSQL has nothing like it.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEYS = {"ledger_entry": ("index",), "ledger_link": ("batch", "seq"), "ledger_node": ("level", "position")}


def upgrade() -> None:
    """A further trigger on each table of the ledger."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table, keys in KEYS.items():
        same = " AND ".join(f'"{key}" = NEW."{key}"' for key in keys)
        op.execute(
            sa.DDL(
                f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
                f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
                f"OR EXISTS (SELECT 1 FROM {table} WHERE rowid = NEW.rowid) "
                f"BEGIN SELECT RAISE(ABORT, 'the ledger is only added to: REPLACE on {table} refused'); END"
            )
        )


def downgrade() -> None:
    """Without it."""
    if op.get_bind().dialect.name == "sqlite":
        for table in KEYS:
            op.execute(sa.text(f"DROP TRIGGER {table}_no_replace"))
