"""Legal holds against the erasure of a part."""

from typing import Final

from chatsphere.db.database import Connection
from chatsphere.privacy.model import DOCUMENT, END_USER, Part
from chatsphere.retention.holds import refuse_document_if_held, refuse_if_held

ALL_BOTS: Final = "SELECT id FROM bots WHERE organization_id = app.current_organization() ORDER BY id"


def refuse_part_if_held(connection: Connection, part: Part) -> None:
    """Let the transaction delete something of the part, and no hold on it come before the transaction's end.

    Of a document: holds on conversations that cite it are looked at where their messages are rewritten.

    Raises:
        LegalHoldError: it is held.
    """
    if part.kind == DOCUMENT and part.bot_id is not None:
        refuse_document_if_held(connection, part.bot_id)
    elif part.kind == END_USER and part.bot_id is None:
        for row in connection.execute(ALL_BOTS).fetchall():
            refuse_if_held(connection, bot_id=row["id"], end_user_id=part.end_user_id)
    else:
        refuse_if_held(connection, bot_id=part.bot_id, end_user_id=part.end_user_id)
