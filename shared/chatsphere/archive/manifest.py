"""Archived files, listed and found. Every function runs in the caller's transaction."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.manifest_queries import FILE_COLUMNS
from chatsphere.archive.model import ArchiveFile
from chatsphere.archive.places import file_of
from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError

PAGE: Final = f"""
    SELECT {FILE_COLUMNS} FROM archive_files
    WHERE organization_id = app.current_organization() AND status = 'complete'
      AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
      AND (%(dataset)s::text IS NULL OR dataset = %(dataset)s)
      AND (%(month)s::date IS NULL OR month = %(month)s)
      AND (%(before)s::uuid IS NULL OR id < %(before)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
"""Files that count, those that were begun last first."""

GET: Final = f"""
    SELECT {FILE_COLUMNS} FROM archive_files
    WHERE organization_id = app.current_organization() AND id = %(id)s AND status = 'complete'
"""
"""One file that counts."""


def files_page(
    connection: Connection,
    *,
    bot_id: UUID | None = None,
    dataset: DatasetName | None = None,
    month: date | None = None,
    before: UUID | None = None,
    limit: int,
) -> Sequence[ArchiveFile]:
    """Return files, those that were begun last first: `limit` and one more where there are more."""
    wanted = {"bot_id": bot_id, "dataset": dataset, "month": month, "before": before, "limit": limit + 1}
    return [file_of(row) for row in connection.execute(PAGE, wanted)]


def get_file(connection: Connection, file_id: UUID) -> ArchiveFile:
    """Return a file.

    Raises:
        NotFoundError: the tenant has no such file.
    """
    row = connection.execute(GET, {"id": file_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such file in the archive.")
    return file_of(row)
