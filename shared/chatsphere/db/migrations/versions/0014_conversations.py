"""Feedback, search in messages, statistics, and questions that had no answer."""

from chatsphere.db.migrations import apply_sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
