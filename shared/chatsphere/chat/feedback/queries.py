"""SQL of feedback. Messages are found with a bound of `created_at`, or every partition is opened."""

from typing import Final

ANSWER: Final = """
SELECT m.bot_id, m.conversation_id, m.role, m.created_at, c.end_user_id
FROM messages m
JOIN conversations c ON c.organization_id = app.current_organization() AND c.id = m.conversation_id
WHERE m.organization_id = app.current_organization() AND m.id = %(message_id)s
  AND m.created_at >= %(since)s AND m.created_at < %(until)s
FOR KEY SHARE OF c
"""
"""The message that is rated, and whose conversation it is in: held, so that it is not deleted meanwhile."""

PUT: Final = """
INSERT INTO conversation_feedback
    (id, organization_id, bot_id, conversation_id, message_id, message_created_at, end_user_id, rating, comment,
     created_at, updated_at)
VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(conversation_id)s, %(message_id)s, %(message_created_at)s,
    %(end_user_id)s, %(rating)s, %(comment)s, %(now)s, %(now)s)
ON CONFLICT (message_id, end_user_id) DO UPDATE SET
    rating = EXCLUDED.rating, comment = EXCLUDED.comment, updated_at = EXCLUDED.updated_at
WHERE conversation_feedback.organization_id = app.current_organization()
RETURNING message_id, end_user_id, rating, comment, created_at, updated_at
"""
"""Keep what an end user says of an answer, in place of what they said before."""

DELETE: Final = """
DELETE FROM conversation_feedback
WHERE organization_id = app.current_organization() AND message_id = %(message_id)s
  AND end_user_id IS NOT DISTINCT FROM %(end_user_id)s
RETURNING bot_id, rating
"""
"""Take back what an end user said of an answer."""

OF_MESSAGES: Final = """
SELECT message_id, end_user_id, rating, comment, created_at, updated_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY message_id ORDER BY id DESC) AS place
    FROM conversation_feedback
    WHERE organization_id = app.current_organization() AND message_id = ANY (%(messages)s)
) said
WHERE place <= %(most)s
ORDER BY message_id, id
"""
"""What was said of these messages, of each the latest."""

PAGE: Final = """
SELECT f.id, f.message_id, f.conversation_id, f.end_user_id, f.rating, f.comment, f.created_at, f.updated_at,
    answer.content AS answer, answer.answerable, question.content AS question
FROM conversation_feedback f
LEFT JOIN messages answer ON answer.organization_id = app.current_organization() AND answer.id = f.message_id
    AND answer.created_at = f.message_created_at
LEFT JOIN LATERAL (
    SELECT m.content FROM messages m
    WHERE m.organization_id = app.current_organization() AND m.conversation_id = f.conversation_id
      AND m.role = 'user' AND m.id < f.message_id
      AND m.created_at > f.message_created_at - interval '1 day'
      AND m.created_at <= f.message_created_at + interval '1 day'
    ORDER BY m.id DESC
    LIMIT 1) question ON true
WHERE f.organization_id = app.current_organization() AND f.bot_id = %(bot_id)s
  AND f.rating BETWEEN %(min_rating)s AND %(max_rating)s
  AND (%(since)s::timestamptz IS NULL OR f.created_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR f.created_at < %(until)s)
  AND (%(end_user_id)s::text IS NULL OR f.end_user_id = %(end_user_id)s)
  AND (%(before)s::uuid IS NULL OR f.id < %(before)s)
ORDER BY f.id DESC
LIMIT %(limit)s
"""
"""A page of what was said of a bot's answers, the newest first, each with question and answer."""
