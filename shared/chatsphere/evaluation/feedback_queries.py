"""The SQL that turns rated answers into cases. Messages are partitioned by time: every look at them is bound by it."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

RATED: Final = """
    SELECT conversation_feedback.message_id, conversation_feedback.message_created_at,
        conversation_feedback.conversation_id, avg(conversation_feedback.rating)::float AS rating
    FROM conversation_feedback
    WHERE conversation_feedback.organization_id = app.current_organization()
      AND conversation_feedback.bot_id = %(bot_id)s
    GROUP BY 1, 2, 3
    HAVING avg(conversation_feedback.rating) >= %(good)s OR avg(conversation_feedback.rating) <= %(bad)s
"""
"""The bot's answers that were rated clearly, each once, however many rated it."""

KNOWN: Final = """
    SELECT FROM evaluation_cases
    WHERE evaluation_cases.organization_id = app.current_organization()
      AND evaluation_cases.set_id = %(set_id)s AND evaluation_cases.message_id = rated.message_id
"""

COUNT_KNOWN: Final = f"SELECT count(*) AS known FROM ({RATED}) rated WHERE EXISTS ({KNOWN})"
"""How many of them the set has a case of."""

NEXT: Final = f"""
    SELECT rated.rating, rated.conversation_id, rated.message_id, answer.content AS answer, answer.answerable,
        answer.citations, question.content AS question, question.id AS question_id,
        question.created_at AS asked_at, conversations.created_at AS begun_at
    FROM ({RATED}) rated
    JOIN conversations ON conversations.organization_id = app.current_organization()
        AND conversations.id = rated.conversation_id
    JOIN messages answer ON answer.organization_id = app.current_organization()
        AND answer.id = rated.message_id AND answer.created_at = rated.message_created_at
        AND answer.role = 'assistant'
    JOIN LATERAL (
        SELECT messages.id, messages.content, messages.created_at FROM messages
        WHERE messages.organization_id = app.current_organization()
          AND messages.conversation_id = rated.conversation_id AND messages.role = 'user'
          AND messages.created_at >= conversations.created_at
          AND messages.created_at < rated.message_created_at + interval '1 day'
          AND messages.id < rated.message_id
        ORDER BY messages.id DESC LIMIT 1) question ON true
    WHERE NOT EXISTS ({KNOWN})
    ORDER BY rated.message_id LIMIT %(limit)s
"""
"""Rated answers that the set has no case of, with the question that each one answers, the oldest first. Ids of messages
are in the order of time."""

HISTORY: Final = """
    SELECT messages.role, messages.content FROM messages
    WHERE messages.organization_id = app.current_organization()
      AND messages.conversation_id = %(conversation_id)s AND messages.role IN ('user', 'assistant')
      AND messages.created_at >= %(begun_at)s AND messages.created_at < %(asked_at)s + interval '1 day'
      AND messages.id < %(question_id)s
    ORDER BY messages.id DESC LIMIT %(limit)s
"""
"""What was said before a question, the newest first."""
