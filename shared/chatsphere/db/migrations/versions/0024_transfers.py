"""Bots that leave and come in as one file."""

from chatsphere.db.migrations import apply_sql

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
