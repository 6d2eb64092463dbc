"""Finding exports and imports that nobody is at, and those whose files are to be deleted: for the reaper."""

from typing import Final

from chatsphere.knowledge.ingestion.reap_queries import in_turn
from chatsphere.queue_messages import TenantMessage
from chatsphere.transfers.messages import ExportMessage, ImportMessage

DUE_EXPORTS: Final = in_turn(
    "organization_id, bot_id, export_id",
    """
    SELECT organization_id, bot_id, id AS export_id, lease_expires_at AS since FROM bot_exports
    WHERE lease_expires_at <= %(now)s
    """,
)
"""Exports that nobody is at, or whose time is over."""

DUE_IMPORTS: Final = in_turn(
    "organization_id, import_id",
    """
    SELECT organization_id, id AS import_id, lease_expires_at AS since FROM bot_imports
    WHERE lease_expires_at <= %(now)s
    """,
)
"""Imports that nobody is at, or whose file is to be deleted."""

STALLED_TRANSFERS: Final[dict[str, type[TenantMessage]]] = {DUE_EXPORTS: ExportMessage, DUE_IMPORTS: ImportMessage}
