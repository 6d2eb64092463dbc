"""SQL of statistics per end user: computed when asked, so that what is deleted is in no number."""

from typing import Final

PAGE: Final = """
WITH page AS (
    SELECT end_user_id, count(*) AS conversations, min(created_at) AS first_seen_at, max(updated_at) AS last_seen_at
    FROM conversations
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND end_user_id IS NOT NULL
      AND (%(end_user_id)s::text IS NULL OR end_user_id = %(end_user_id)s)
    GROUP BY end_user_id
    HAVING %(last_time)s::timestamptz IS NULL
        OR (max(updated_at), end_user_id COLLATE "C") < (%(last_time)s, %(last_key)s::text COLLATE "C")
    ORDER BY max(updated_at) DESC, end_user_id COLLATE "C" DESC
    LIMIT %(limit)s
)
SELECT page.*, said.*, rated.*
FROM page
CROSS JOIN LATERAL (
    SELECT count(*) AS messages,
        count(*) FILTER (WHERE m.role = 'user') AS questions,
        count(*) FILTER (WHERE m.role = 'assistant') AS answers,
        count(*) FILTER (WHERE m.answerable) AS answered,
        COALESCE(sum(m.prompt_tokens), 0)::bigint AS prompt_tokens,
        COALESCE(sum(m.completion_tokens), 0)::bigint AS completion_tokens,
        COALESCE(sum(m.cost_microdollars), 0)::bigint AS cost_microdollars
    FROM conversations c
    CROSS JOIN LATERAL (
        SELECT n.role, n.answerable, n.prompt_tokens, n.completion_tokens, n.cost_microdollars
        FROM messages n
        WHERE n.organization_id = app.current_organization() AND n.conversation_id = c.id
          AND n.created_at >= c.created_at AND n.created_at < c.updated_at + interval '1 day'
        OFFSET 0
    ) m
    WHERE c.organization_id = app.current_organization() AND c.bot_id = %(bot_id)s
      AND c.end_user_id = page.end_user_id
) said
CROSS JOIN LATERAL (
    SELECT count(*) AS ratings, avg(f.rating)::double precision AS mean_rating
    FROM conversation_feedback f
    WHERE f.organization_id = app.current_organization() AND f.bot_id = %(bot_id)s
      AND f.end_user_id = page.end_user_id
) rated
ORDER BY page.last_seen_at DESC, page.end_user_id COLLATE "C" DESC
"""
"""A page of a bot's end users, the most recently active first."""
