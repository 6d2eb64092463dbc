"""Answers and embeddings that are given again."""

from chatsphere.db.migrations import apply_sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
