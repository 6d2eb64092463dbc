"""Evaluation sets of bots, and what a confidence means for an embedding model."""

from chatsphere.db.migrations import apply_sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
