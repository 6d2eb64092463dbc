"""SQL of the search in messages. Every query carries bounds of `created_at`, or every partition is opened."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

from chatsphere.chat.queries import MESSAGE_COLUMNS

BY_WORDS: Final = """
SELECT message_id AS id, score
FROM app.message_search(
    %(bot_id)s, %(query)s, %(conversation_id)s, %(end_user_id)s, %(role)s, %(metadata)s, %(since)s, %(until)s,
    %(before)s, %(by_score)s, %(limit)s)
"""
"""Messages that hold all words of the query; the function asks which tenant it is itself."""

MESSAGES: Final = f"""
SELECT m.*, c.title, c.end_user_id, c.channel
FROM (
    SELECT {MESSAGE_COLUMNS}
    FROM messages
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = ANY (%(ids)s)
      AND created_at >= %(since)s AND created_at < %(until)s
      AND (%(conversation_id)s::uuid IS NULL OR conversation_id = %(conversation_id)s)
      AND (%(role)s::text IS NULL OR role = %(role)s)
      AND (%(metadata)s::jsonb IS NULL OR metadata @> %(metadata)s)
) m
JOIN conversations c ON c.organization_id = app.current_organization() AND c.id = m.conversation_id
WHERE %(end_user_id)s::text IS NULL OR c.end_user_id = %(end_user_id)s
"""
"""These messages with their conversations, as far as they are what was asked for: a vector may outlive its message."""

MATCHING_WORDS: Final = """
SELECT word
FROM unnest(%(words)s::text[]) AS word
WHERE tsvector_to_array(to_tsvector('pg_catalog.english', app.searchable_text(word)))
    && tsvector_to_array(to_tsvector('pg_catalog.english', app.searchable_text(%(query)s)))
"""
"""Which words are found by the query, by the rules of the index."""
