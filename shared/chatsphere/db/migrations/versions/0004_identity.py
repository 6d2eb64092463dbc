"""People, organizations, roles, keys, plans, limits, the audit log and erasures."""

from chatsphere.db.migrations import apply_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
