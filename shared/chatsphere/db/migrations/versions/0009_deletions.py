"""Deletions of documents and bots, with receipts."""

from chatsphere.db.migrations import apply_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
