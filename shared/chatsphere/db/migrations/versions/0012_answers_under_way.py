"""Answers that are being written: stopped, looked at again, and not lost with their function."""

from chatsphere.db.migrations import apply_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
