"""What goes when: policies, legal holds, runs."""

from chatsphere.db.migrations import apply_sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
