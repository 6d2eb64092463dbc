"""Embedding revisions of bots, and the history of their training."""

from chatsphere.db.migrations import apply_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
