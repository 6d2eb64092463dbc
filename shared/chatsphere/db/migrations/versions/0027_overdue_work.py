"""What is overdue, for the report; filters by ranges."""

from chatsphere.db.migrations import apply_sql

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
