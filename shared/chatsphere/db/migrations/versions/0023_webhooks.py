"""Events that reach other systems."""

from chatsphere.db.migrations import apply_sql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
