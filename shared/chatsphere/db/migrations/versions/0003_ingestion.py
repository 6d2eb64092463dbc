"""What ingestion remembers between two generations of a document."""

from chatsphere.db.migrations import apply_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
