"""SQL of conversations as they are listed, shown and changed.

Every query on `messages` carries bounds of `created_at`. A conversation's messages lie between its beginning and its
last use, which is not before the last of them was kept; a day more, for writers' clocks differ.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

from chatsphere.chat.queries import MESSAGE_COLUMNS

SHOWN: Final = """
    c.id, c.bot_id, c.end_user_id, c.title, c.channel, c.metadata, c.created_at, c.updated_at, c.ended_at,
    c.archived_at, counted.message_count, last.created_at AS last_message_at, last.preview
"""

COUNTED: Final = """
    CROSS JOIN LATERAL (
        SELECT count(*) AS message_count
        FROM messages m
        WHERE m.organization_id = app.current_organization() AND m.conversation_id = c.id
          AND m.created_at >= c.created_at AND m.created_at < c.updated_at + interval '1 day'
    ) counted
    LEFT JOIN LATERAL (
        SELECT m.created_at, left(m.content, 1000) AS preview
        FROM messages m
        WHERE m.organization_id = app.current_organization() AND m.conversation_id = c.id
          AND m.created_at >= c.created_at AND m.created_at < c.updated_at + interval '1 day'
        ORDER BY m.created_at DESC, m.id DESC
        LIMIT 1
    ) last ON true
"""

PAGE: Final = f"""
SELECT {SHOWN}
FROM app.conversation_page(
    %(bot_id)s, %(metadata)s, %(end_user_id)s, %(channel)s, %(since)s, %(until)s, %(archived)s, %(by_use)s,
    %(last_used)s, %(last_id)s, %(limit)s) AS page
JOIN conversations c ON c.organization_id = app.current_organization() AND c.id = page.conversation_id
{COUNTED}
ORDER BY CASE WHEN %(by_use)s THEN c.updated_at END DESC, c.id DESC
"""
"""A page of a bot's conversations, the newest or the most recently used first."""

CONVERSATION: Final = f"""
SELECT {SHOWN}
FROM conversations c
{COUNTED}
WHERE c.organization_id = app.current_organization() AND c.id = %(conversation_id)s
"""
"""One conversation, as the list shows it."""

CHANGE: Final = """
UPDATE conversations SET
    title = COALESCE(%(title)s, title),
    metadata = COALESCE(%(metadata)s, metadata),
    ended_at = CASE %(ended)s::boolean WHEN true THEN COALESCE(ended_at, %(now)s) WHEN false THEN NULL
        ELSE ended_at END,
    archived_at = CASE %(archived)s::boolean WHEN true THEN COALESCE(archived_at, %(now)s) WHEN false THEN NULL
        ELSE archived_at END
WHERE organization_id = app.current_organization() AND id = %(conversation_id)s
"""
"""Change what is given. It is no use of the conversation: `updated_at` stays."""

MESSAGE: Final = f"""
SELECT {MESSAGE_COLUMNS}, bot_id
FROM messages
WHERE organization_id = app.current_organization() AND id = %(message_id)s
  AND created_at >= %(since)s AND created_at < %(until)s
"""
"""A message by its id, which says about when it was made."""
