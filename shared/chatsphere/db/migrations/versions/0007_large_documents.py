"""Documents that are read in parts."""

from chatsphere.db.migrations import apply_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
