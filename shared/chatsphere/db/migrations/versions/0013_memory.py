"""Vectors of messages, and which are yet to be made."""

from chatsphere.db.migrations import apply_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
