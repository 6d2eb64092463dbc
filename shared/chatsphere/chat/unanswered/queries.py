"""SQL of questions without an answer. What was asked is read from the messages, found by their time and id."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

SHOWN: Final = """
    q.id, q.bot_id, q.status, q.note, q.reviewed_at, q.last_asked_at AS noted_at,
    told.asked_count, told.first_asked_at, told.last_asked_at, told.best_confidence, told.messages, told.conversations,
    said.reason, said.question
"""

TOLD: Final = """
    CROSS JOIN LATERAL (
        SELECT count(*) AS asked_count, min(u.asked_at) AS first_asked_at, max(u.asked_at) AS last_asked_at,
            max(u.confidence) AS best_confidence,
            (array_agg(u.message_id ORDER BY u.asked_at DESC, u.message_id DESC))[1:5] AS messages,
            count(DISTINCT u.conversation_id) AS conversations
        FROM unanswered_messages u
        WHERE u.organization_id = app.current_organization() AND u.question_id = q.id
    ) told
    CROSS JOIN LATERAL (
        SELECT u.reason,
            COALESCE(answer.metadata ->> 'standalone_question', asked.content) AS question
        FROM unanswered_messages u
        LEFT JOIN messages asked ON asked.organization_id = app.current_organization() AND asked.id = u.message_id
            AND asked.created_at = u.asked_at
        LEFT JOIN messages answer ON answer.organization_id = app.current_organization() AND answer.id = u.answer_id
            AND answer.created_at = u.answered_at
        WHERE u.organization_id = app.current_organization() AND u.question_id = q.id
        ORDER BY u.asked_at DESC, u.message_id DESC
        LIMIT 1
    ) said
"""

PAGE: Final = f"""
SELECT {SHOWN}
FROM unanswered_questions q
{TOLD}
WHERE q.organization_id = app.current_organization() AND q.bot_id = %(bot_id)s
  AND (%(status)s::text IS NULL OR q.status = %(status)s)
  AND (%(last_time)s::timestamptz IS NULL OR (q.last_asked_at, q.id) < (%(last_time)s, %(last_id)s::uuid))
ORDER BY q.last_asked_at DESC, q.id DESC
LIMIT %(limit)s
"""
"""A page of a bot's questions, the last asked first."""

QUESTION: Final = f"""
SELECT {SHOWN}
FROM unanswered_questions q
{TOLD}
WHERE q.organization_id = app.current_organization() AND q.bot_id = %(bot_id)s AND q.id = %(question_id)s
"""
"""One question of a bot."""

REVIEW: Final = """
UPDATE unanswered_questions SET
    status = COALESCE(%(status)s, status), note = COALESCE(%(note)s, note), reviewed_at = %(now)s
WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(question_id)s
"""
"""Say what came of a question."""
