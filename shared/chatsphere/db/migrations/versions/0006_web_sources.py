"""Pages of the web as sources."""

from chatsphere.db.migrations import apply_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
