"""Ordered, forward-only revisions in plain SQL; each is safe while the previous code runs."""

from pathlib import Path

from alembic import op


def apply_sql(revision_file: str) -> None:
    """Run the SQL file that stands beside the revision's Python file, under the same name."""
    statements = Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8")
    # Straight to psycopg: SQLAlchemy would read a % in the SQL as a parameter.
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements)
