"""Filters of searches, and words of each document's language."""

from chatsphere.db.migrations import apply_sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
