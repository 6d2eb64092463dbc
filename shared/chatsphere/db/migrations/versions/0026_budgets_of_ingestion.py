"""What ingestion may spend, and what waits for it."""

from chatsphere.db.migrations import apply_sql

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    apply_sql(__file__)
