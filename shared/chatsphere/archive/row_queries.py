"""SQL of the rows that are moved to the archive. As the tenant."""

from typing import Final, LiteralString

from chatsphere.archive.datasets import DatasetName

OF_BATCH: Final[dict[DatasetName, LiteralString]] = {
    DatasetName.CONVERSATIONS: """
        WHERE r.organization_id = app.current_organization() AND r.bot_id = %(bot_id)s AND r.id = ANY (%(ids)s)
        ORDER BY r.created_at, r.id
    """,
    DatasetName.MESSAGES: """
        WHERE r.organization_id = app.current_organization() AND r.bot_id = %(bot_id)s AND r.id = ANY (%(ids)s)
          AND r.created_at >= %(since)s AND r.created_at < %(until)s
        ORDER BY r.created_at, r.id
    """,
    DatasetName.FEEDBACK: """
        WHERE r.organization_id = app.current_organization() AND r.bot_id = %(bot_id)s AND r.id = ANY (%(ids)s)
        ORDER BY r.created_at, r.id
    """,
}
"""Which rows a batch names, behind `Dataset.select`."""

LOCK: Final[dict[DatasetName, LiteralString]] = {
    # Whoever adds a message or a rating locks the conversation's row, too: they wait, and then find it changed or gone.
    DatasetName.CONVERSATIONS: """
        SELECT r.id, r.xmin::text AS mark FROM conversations r
        WHERE r.organization_id = app.current_organization() AND r.bot_id = %(bot_id)s AND r.id = ANY (%(ids)s)
        ORDER BY r.id FOR UPDATE
    """,
    DatasetName.MESSAGES: """
        SELECT r.id, r.xmin::text AS mark FROM messages r
        WHERE r.organization_id = app.current_organization() AND r.bot_id = %(bot_id)s AND r.id = ANY (%(ids)s)
          AND r.created_at >= %(since)s AND r.created_at < %(until)s
        ORDER BY r.id FOR UPDATE
    """,
    DatasetName.FEEDBACK: """
        SELECT r.id, r.xmin::text AS mark FROM conversation_feedback r
        WHERE r.organization_id = app.current_organization() AND r.bot_id = %(bot_id)s AND r.id = ANY (%(ids)s)
        ORDER BY r.id FOR UPDATE
    """,
}
"""The same rows, so that nobody changes them until the transaction ends."""

HANGING: Final = """
    SELECT c.id,
        (SELECT count(*) FROM messages m
         WHERE m.conversation_id = c.id AND m.organization_id = c.organization_id
           AND m.created_at >= c.created_at - interval '1 day') AS messages,
        (SELECT count(*) FROM conversation_feedback f
         WHERE f.conversation_id = c.id AND f.organization_id = c.organization_id) AS feedback
    FROM conversations c
    WHERE c.organization_id = app.current_organization() AND c.bot_id = %(bot_id)s AND c.id = ANY (%(ids)s)
"""
"""How much hangs on each conversation."""
