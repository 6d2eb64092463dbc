"""Erasure of end users, documents and bots, with signed receipts."""

from chatsphere.db.migrations import apply_sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
