"""Usage and the audit log by time; what keeps partitions."""

from chatsphere.db.migrations import apply_sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
