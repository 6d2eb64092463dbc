"""Exports as they are kept: asked for, shown, linked to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError
from chatsphere.ports.objects import ObjectStore
from chatsphere.transfers import export_queries as queries
from chatsphere.transfers.errors import ExportRunningError
from chatsphere.transfers.places import export_key
from chatsphere.transfers.times import LEASE, LINK_SECONDS

KEPT: Final = 50
"""Exports of a bot that are remembered when their files are gone."""


@dataclass(frozen=True, slots=True)
class Export:
    """One file of a bot. `size` in bytes, `sha256` in hexadecimal; both once it is done."""

    id: UUID
    bot_id: UUID
    status: str
    include: Sequence[str]
    documents_done: int
    documents_total: int | None
    counts: Mapping[str, int]
    size: int | None
    sha256: str | None
    error_code: str | None
    error_message: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None


def ask_for(
    connection: Connection, bot_id: UUID, include: Collection[str], *, export_id: UUID, now: datetime
) -> Export:
    """Note that a bot is to be exported.

    Raises:
        ExportRunningError: it is being exported.
    """
    values = {
        "export_id": export_id,
        "bot_id": bot_id,
        "include": sorted(include),
        "now": now,
        "lease_expires_at": now + LEASE,
    }
    row = connection.execute(queries.INSERT, values).fetchone()
    if row is None:
        raise ExportRunningError("Wait until the export that is under way has ended.")
    connection.execute(queries.FORGET_OLD, {"bot_id": bot_id, "kept": KEPT})
    return Export(**row)


def get_export(connection: Connection, bot_id: UUID, export_id: UUID) -> Export:
    """Return one export.

    Raises:
        NotFoundError: the bot has no such export.
    """
    row = connection.execute(queries.GET, {"bot_id": bot_id, "export_id": export_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such export.")
    return Export(**row)


def exports_page(connection: Connection, bot_id: UUID, *, after: UUID | None, limit: int) -> Sequence[Export]:
    """Return exports after a cursor, newest first: `limit` and one more where there are more."""
    values = {"bot_id": bot_id, "after": after, "limit": limit + 1}
    return [Export(**row) for row in connection.execute(queries.PAGE, values)]


def download_link(archive: ObjectStore, organization_id: UUID, export: Export, now: datetime) -> str | None:
    """Return an address that gives anybody the file for `LINK_SECONDS`; None where there is no file."""
    if export.status != "done" or export.expires_at is None or now >= export.expires_at:
        return None
    return archive.presign_download(
        export_key(organization_id, export.bot_id, export.id),
        None,
        content_type="application/zip",
        file_name=f"bot-{export.bot_id}.zip",
        inline=False,
        expires_seconds=LINK_SECONDS,
    )
