"""Comparisons of bucket, database and vector store."""

from chatsphere.db.migrations import apply_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
