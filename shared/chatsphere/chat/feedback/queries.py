"""SQL of feedback. Messages are found with a bound of `created_at`, or every partition is opened."""

from typing import Final

ANSWER: Final = """
SELECT m.bot_id, m.conversation_id, m.role, m.model, m.created_at, c.end_user_id, c.channel
FROM messages m
JOIN conversations c ON c.organization_id = app.current_organization() AND c.id = m.conversation_id
WHERE m.organization_id = app.current_organization() AND m.id = %(message_id)s
  AND m.created_at >= %(since)s AND m.created_at < %(until)s
FOR KEY SHARE OF c
"""
"""The message that is rated, and whose conversation it is in: held, so that it is not deleted meanwhile."""

CHANGE: Final = """
UPDATE conversation_feedback SET rating = %(rating)s, comment = %(comment)s, updated_at = %(now)s
FROM (
    SELECT id, rating AS former_rating FROM conversation_feedback
    WHERE organization_id = app.current_organization() AND message_id = %(message_id)s
      AND end_user_id IS NOT DISTINCT FROM %(end_user_id)s
    FOR UPDATE) held
WHERE conversation_feedback.id = held.id
RETURNING message_id, end_user_id, rating, comment, created_at, updated_at, held.former_rating
"""
"""Keep what an end user says of an answer, in place of what they said before; no row where they said nothing yet."""

PUT: Final = """
INSERT INTO conversation_feedback
    (id, organization_id, bot_id, conversation_id, message_id, message_created_at, end_user_id, rating, comment,
     created_at, updated_at)
VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(conversation_id)s, %(message_id)s, %(message_created_at)s,
    %(end_user_id)s, %(rating)s, %(comment)s, %(now)s, %(now)s)
ON CONFLICT (message_id, end_user_id) DO NOTHING
RETURNING message_id, end_user_id, rating, comment, created_at, updated_at, NULL AS former_rating
"""
"""Keep what an end user says of an answer for the first time; no row where they said something meanwhile."""

COUNT: Final = """
INSERT INTO usage_events
    (id, organization_id, bot_id, api_key_id, end_user_id, conversation_id, metric, value, model, channel, created_at)
SELECT %(event_id)s, app.current_organization(), %(bot_id)s, (
        SELECT api_key_id FROM usage_events
        WHERE organization_id = app.current_organization() AND created_at = %(message_created_at)s
          AND metric = 'chat.answer' AND conversation_id = %(conversation_id)s
        LIMIT 1),
    %(end_user_id)s, %(conversation_id)s, %(metric)s, %(rating)s, %(model)s, %(channel)s, %(given_at)s
"""
"""Count a rating, or that it was taken back: for whom the answer was counted, at the time when the rating was first
given, so that the sums of that day are of the ratings that stand."""

DELETE: Final = """
DELETE FROM conversation_feedback
WHERE organization_id = app.current_organization() AND message_id = %(message_id)s
  AND end_user_id IS NOT DISTINCT FROM %(end_user_id)s
RETURNING bot_id, rating, created_at
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
