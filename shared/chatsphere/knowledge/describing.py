"""Changing what is said of a document: its name as it is shown, its tags, its metadata. What it holds stays."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.db.database import Connection
from chatsphere.knowledge.documents import Document, get_document
from chatsphere.knowledge.documents_queries import VISIBLE

# Only constants are put together here; every value is a parameter. NULL: unchanged.
DESCRIBE: Final = f"""
    UPDATE documents
    SET name = COALESCE(%(name)s, name), tags = COALESCE(%(tags)s::text[], tags),
        metadata = COALESCE(%(metadata)s::jsonb, metadata), updated_at = %(now)s
    WHERE {VISIBLE} AND documents.id = %(document_id)s
"""  # noqa: S608


def describe_document(
    connection: Connection, bot_id: UUID, document_id: UUID, changes: Mapping[str, Any], now: datetime
) -> Document:
    """Replace the values of `name`, `tags` and `metadata` that are given, and return the document.

    It is found, and searches are filtered, by the new ones at once. Its key in the bucket stays: a file that is put
    there under the former name replaces its content.

    Raises:
        NotFoundError: the tenant has no such bot, or the bot no such document.
    """
    metadata = changes.get("metadata")
    values = {
        "bot_id": bot_id,
        "document_id": document_id,
        "name": changes.get("name"),
        "tags": changes.get("tags"),
        "metadata": None if metadata is None else Jsonb(metadata),
        "now": now,
    }
    connection.execute(DESCRIBE, values)
    return get_document(connection, bot_id, document_id)
