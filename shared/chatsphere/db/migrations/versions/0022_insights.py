"""Roll-ups of usage."""

from chatsphere.db.migrations import apply_sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
