"""Tenancy, identity, bots, documents and conversations."""

from chatsphere.db.migrations import apply_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
