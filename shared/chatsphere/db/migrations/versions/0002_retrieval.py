"""Vectors, and the lexical index that BM25 is computed from."""

from chatsphere.db.migrations import apply_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
