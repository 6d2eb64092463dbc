"""Whether the organization's plan has room for a document, or for a larger one in its place."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

from chatsphere.billing.quotas import DOCUMENT_BYTES, DOCUMENT_COUNTS, Quota, hold_organization, require_room
from chatsphere.db.database import Connection
from chatsphere.errors import QuotaExceededError
from chatsphere.knowledge.ingestion.errors import NoRoomError
from chatsphere.knowledge.ingestion.object_keys import ObjectKey

TAKEN_BY_KEY: Final = f"""
    SELECT {DOCUMENT_COUNTS} AS counts, {DOCUMENT_BYTES} AS bytes
    FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND s3_key = %(key)s
"""
"""What the key's present document takes."""


def require_room_for(connection: Connection, key: ObjectKey, size: int) -> None:
    """Raise unless there is room for an object of `size` bytes at this key; what it replaces makes room.

    It holds the organization before any document, so call it before what holds one.

    Raises:
        QuotaExceededError: the plan permits no further document of the bot, or not that many bytes.
    """
    hold_organization(connection)
    taken = connection.execute(TAKEN_BY_KEY, {"bot_id": key.bot_id, "key": str(key)}).fetchone()
    counts, present = (taken["counts"], taken["bytes"]) if taken else (False, 0)
    require_room(connection, Quota.DOCUMENTS, adding=0 if counts else 1, bot_id=key.bot_id)
    require_room(connection, Quota.BYTES, adding=size - present)


def lack_of_room(connection: Connection, key: ObjectKey, size: int) -> NoRoomError | None:
    """Return why an object that is there already cannot be taken, if so. As `require_room_for`."""
    try:
        require_room_for(connection, key, size)
    except QuotaExceededError as error:
        return NoRoomError(error.detail)
    return None
