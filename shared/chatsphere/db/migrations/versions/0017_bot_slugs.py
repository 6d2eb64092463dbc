"""Bots by a name that a client can write down."""

from chatsphere.db.migrations import apply_sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
