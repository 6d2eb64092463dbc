"""SQL of doing what a run has listed. As the tenant."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

from chatsphere.retention.listing_queries import DUE_CONVERSATION, DUE_DOCUMENT, DUE_ERRORS, due_messages

NEXT: Final = """
    WITH first AS (
        SELECT kind, bot_id, action, reason FROM retention_items
        WHERE run_id = %(run_id)s AND organization_id = app.current_organization()
          AND status = 'listed' AND action <> 'keep'
        ORDER BY position LIMIT 1),
    page AS (
        SELECT i.* FROM retention_items i
        WHERE i.run_id = %(run_id)s AND i.organization_id = app.current_organization()
          AND i.status = 'listed' AND i.action <> 'keep'
        ORDER BY i.position LIMIT %(limit)s)
    SELECT p.position, p.kind, p.bot_id, p.subject_id, p.day, p.action, p.reason, p.rows, p.messages, p.oldest_at,
        p.newest_at
    FROM page p JOIN first f ON (p.kind, p.action, p.reason) = (f.kind, f.action, f.reason)
        AND p.bot_id IS NOT DISTINCT FROM f.bot_id
    ORDER BY p.position
"""
"""The next items that are to be done, of one kind, bot and action."""

SETTLE: Final = """
    UPDATE retention_items SET status = %(status)s, deletion_id = COALESCE(%(deletion_id)s, deletion_id)
    WHERE run_id = %(run_id)s AND organization_id = app.current_organization() AND position = ANY (%(positions)s)
      AND status = 'listed'
"""
"""Note that items are done, or passed over."""

# ------------------------------------------------------------------------------------------------- messages


def messages_to_remove(kind: str) -> str:
    """Return the query of a bot's next messages that go by themselves, unless held: ids, times, conversations."""
    return f"""
        SELECT m.id, m.created_at, m.conversation_id
        {due_messages(kind)}
          AND NOT (%(any_holds)s AND app.hold_on(c.id, c.bot_id, c.end_user_id) IS NOT NULL)
        ORDER BY m.created_at, m.id LIMIT %(limit)s
    """


MAY_GO: Final = """
    SELECT NOT EXISTS (
        SELECT FROM conversations c
        WHERE c.organization_id = app.current_organization() AND c.id = ANY (%(conversations)s)
          AND (app.hold_on(c.id, c.bot_id, c.end_user_id) IS NOT NULL OR COALESCE(c.kept_until > %(as_of)s, false))
    ) AS free
"""
"""Whether none of these conversations was held since, or came back from the archive."""

FEEDBACK_OF_MESSAGES: Final = """
    SELECT id FROM conversation_feedback
    WHERE organization_id = app.current_organization() AND conversation_id = ANY (%(conversations)s)
      AND message_id = ANY (%(messages)s)
"""
"""What was said of messages."""

FIRST_QUESTIONS: Final = """
    SELECT DISTINCT ON (m.conversation_id) m.conversation_id, left(m.content, 1000) AS question, c.title
    FROM messages m JOIN conversations c ON c.organization_id = app.current_organization() AND c.id = m.conversation_id
    WHERE m.organization_id = app.current_organization() AND m.id = ANY (%(messages)s)
      AND m.created_at >= %(since)s AND m.created_at < %(until)s AND m.role = 'user' AND c.title <> ''
    ORDER BY m.conversation_id, m.created_at, m.id
"""
"""The first of these messages in each conversation, beside its title: that may have been made of it."""

FORGET_TITLES: Final = """
    UPDATE conversations SET title = ''
    WHERE organization_id = app.current_organization() AND id = ANY (%(conversations)s)
"""
"""Take away titles that say what a deleted message said. It is no use of the conversation: `updated_at` stays."""

DELETE_WITH_MESSAGES: Final = {
    "evaluation_cases": """
        DELETE FROM evaluation_cases e USING messages m
        WHERE e.organization_id = app.current_organization() AND e.conversation_id = ANY (%(conversations)s)
          AND m.organization_id = e.organization_id AND m.conversation_id = e.conversation_id
          AND m.id = ANY (%(messages)s) AND m.created_at >= %(since)s AND m.created_at < %(until)s
          AND (e.message_id = m.id OR e.question = m.content
               OR e.history @> jsonb_build_array(jsonb_build_object('content', m.content)))
    """,
    "feedback": """
        DELETE FROM conversation_feedback
        WHERE organization_id = app.current_organization() AND conversation_id = ANY (%(conversations)s)
          AND message_id = ANY (%(messages)s)
    """,
    "unanswered_messages": """
        DELETE FROM unanswered_messages
        WHERE organization_id = app.current_organization() AND conversation_id = ANY (%(conversations)s)
          AND (message_id = ANY (%(messages)s) OR answer_id = ANY (%(messages)s))
    """,
    "memory_pending": """
        DELETE FROM memory_pending
        WHERE organization_id = app.current_organization() AND message_id = ANY (%(messages)s)
    """,
    "messages": """
        DELETE FROM messages
        WHERE organization_id = app.current_organization() AND id = ANY (%(messages)s)
          AND created_at >= %(since)s AND created_at < %(until)s
    """,
}
"""What goes with messages that are deleted by themselves, in this order: an evaluation case that holds the text of one,
in whichever place, as well.
"""

FORGET_QUESTIONS: Final = """
    DELETE FROM cache_entries WHERE (organization_id, bot_id, kind, key) IN (
        SELECT c.organization_id, c.bot_id, c.kind, c.key FROM cache_entries c
        WHERE c.organization_id = app.current_organization() AND c.bot_id = %(bot_id)s AND c.kind = 'question'
        ORDER BY c.key FOR UPDATE)
"""
"""As with a conversation: a vector tells of its text, and nothing says whose it was."""

FORGET_IN_MEMORY: Final = """
    INSERT INTO memory_deletions (id, organization_id, bot_id, conversation_id, messages, due_at)
    SELECT app.uuid_v7(), app.current_organization(), b.bot_id, gone.conversation_id, gone.messages, %(now)s
    FROM bot_memories b CROSS JOIN (
        SELECT g.conversation_id, array_agg(g.id) AS messages
        FROM unnest(%(messages)s::uuid[], %(of_each)s::uuid[]) AS g (id, conversation_id)
        GROUP BY g.conversation_id) gone
    WHERE b.organization_id = app.current_organization() AND b.bot_id = %(bot_id)s
"""
"""Have messages' vectors deleted, where the bot ever had a memory."""

# --------------------------------------------------------------------------------------------- conversations

CONVERSATIONS_TO_REMOVE: Final = f"""
    SELECT c.id, c.created_at, c.updated_at FROM conversations c
    WHERE {DUE_CONVERSATION} AND c.id = ANY (%(conversations)s)
      AND NOT (%(any_holds)s AND app.hold_on(c.id, c.bot_id, c.end_user_id) IS NOT NULL)
    ORDER BY c.id
"""
"""Those of these conversations that are still to go."""

LOCK_CONVERSATIONS: Final = """
    SELECT id FROM conversations
    WHERE organization_id = app.current_organization() AND id = ANY (%(conversations)s) ORDER BY id FOR UPDATE
"""
"""Let nobody go on with them: whoever begins an answer holds the row as well, and is seen when this has it."""

MESSAGES_OF: Final = """
    SELECT m.id FROM messages m
    WHERE m.organization_id = app.current_organization() AND m.conversation_id = ANY (%(conversations)s)
      AND m.created_at >= %(since)s AND m.created_at < %(until)s
"""
"""All messages of conversations."""

FEEDBACK_OF: Final = """
    SELECT id FROM conversation_feedback
    WHERE organization_id = app.current_organization() AND conversation_id = ANY (%(conversations)s)
"""
"""All that was said of them."""

COUNT_WITH_CONVERSATIONS: Final = """
    SELECT
        (SELECT count(*) FROM conversation_feedback f WHERE f.organization_id = app.current_organization()
            AND f.conversation_id = ANY (%(conversations)s)) AS feedback,
        (SELECT count(*) FROM unanswered_messages u WHERE u.organization_id = app.current_organization()
            AND u.conversation_id = ANY (%(conversations)s)) AS unanswered_messages,
        (SELECT count(*) FROM evaluation_cases e WHERE e.organization_id = app.current_organization()
            AND e.conversation_id = ANY (%(conversations)s)) AS evaluation_cases
"""
"""What goes with conversations by their foreign keys."""

DELETE_MESSAGES_OF: Final = """
    DELETE FROM messages
    WHERE organization_id = app.current_organization() AND conversation_id = ANY (%(conversations)s)
      AND created_at >= %(since)s AND created_at < %(until)s
"""
"""Delete their messages in one go: by the foreign key it would be one conversation after the other."""

DELETE_CONVERSATIONS: Final = """
    DELETE FROM conversations WHERE organization_id = app.current_organization() AND id = ANY (%(conversations)s)
"""

FORGET_CONVERSATIONS_IN_MEMORY: Final = """
    INSERT INTO memory_deletions (id, organization_id, bot_id, conversation_id, due_at)
    SELECT app.uuid_v7(), app.current_organization(), b.bot_id, gone.id, %(now)s
    FROM bot_memories b CROSS JOIN unnest(%(conversations)s::uuid[]) AS gone (id)
    WHERE b.organization_id = app.current_organization() AND b.bot_id = %(bot_id)s
"""
"""Have conversations' vectors deleted, where the bot ever had a memory."""

# ------------------------------------------------------------------------------------------ documents and errors

DOCUMENT_TO_REMOVE: Final = f"""
    SELECT d.id, d.s3_key FROM documents d WHERE {DUE_DOCUMENT} AND d.id = %(document_id)s
"""
"""A document, if it is still to go."""

DELETE_ERRORS: Final = f"""
    DELETE FROM error_logs WHERE organization_id = app.current_organization() AND created_at < %(before)s AND id IN (
        SELECT e.id {DUE_ERRORS} AND e.bot_id IS NOT DISTINCT FROM %(of_bot)s
          AND app.hold_on(NULL, e.bot_id, NULL) IS NULL
        LIMIT %(limit)s)
"""
"""Delete some of a bot's errors that are due."""
