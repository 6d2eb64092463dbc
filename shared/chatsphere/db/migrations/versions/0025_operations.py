"""The database's upkeep, and errors in groups."""

from chatsphere.db.migrations import apply_sql

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
