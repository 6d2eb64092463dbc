"""SQL of what is listed: sources, questions without an answer, groups of errors."""

from typing import Final

SOURCES: Final = """
    SELECT d.id AS document_id, d.name AS document_name, d.bot_id, bots.name AS bot_name, d.ready_at,
        COALESCE(s.retrieval_count, 0) AS retrieved, COALESCE(s.citation_count, 0) AS cited, s.last_retrieved
    FROM documents d
    JOIN bots ON bots.organization_id = app.current_organization() AND bots.id = d.bot_id AND bots.status <> 'importing'
    LEFT JOIN source_stats s ON s.organization_id = app.current_organization() AND s.document_id = d.id
    WHERE d.organization_id = app.current_organization() AND d.live_generation IS NOT NULL
      AND d.status <> 'deleting'
      AND (%(bot_id)s::uuid IS NULL OR d.bot_id = %(bot_id)s)
      AND (%(bot_ids)s::uuid[] IS NULL OR d.bot_id = ANY (%(bot_ids)s))
      AND (%(found)s::boolean IS NULL OR %(found)s = (s.retrieval_count IS NOT NULL AND s.retrieval_count > 0))
      AND (%(since)s::timestamptz IS NULL OR s.last_retrieved >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR s.last_retrieved < %(until)s)
      AND (%(after_count)s::bigint IS NULL
           OR (COALESCE(s.retrieval_count, 0), d.id) < (%(after_count)s, %(after_id)s::uuid))
    ORDER BY COALESCE(s.retrieval_count, 0) DESC, d.id DESC
    LIMIT %(limit)s
"""
"""Documents that readers see, those first that were most often given to the model."""

UNANSWERED: Final = """
    WITH asked AS (
        SELECT u.question_id, count(*) AS asked_count, count(DISTINCT u.conversation_id) AS conversations,
            min(u.asked_at) AS first_asked_at, max(u.asked_at) AS last_asked_at, max(u.confidence) AS best_confidence
        FROM unanswered_messages u
        WHERE u.organization_id = app.current_organization()
          AND u.asked_at >= %(since)s AND u.asked_at < %(until)s
        GROUP BY u.question_id),
    page AS (
        SELECT q.id, q.bot_id, q.status, asked.*
        FROM asked
        JOIN unanswered_questions q ON q.organization_id = app.current_organization() AND q.id = asked.question_id
        WHERE (%(bot_id)s::uuid IS NULL OR q.bot_id = %(bot_id)s)
          AND (%(bot_ids)s::uuid[] IS NULL OR q.bot_id = ANY (%(bot_ids)s))
          AND (%(status)s::text IS NULL OR q.status = %(status)s)
          AND (%(after_count)s::bigint IS NULL
               OR (asked.asked_count, q.id) < (%(after_count)s, %(after_id)s::uuid))
        ORDER BY asked.asked_count DESC, q.id DESC
        LIMIT %(limit)s)
    SELECT page.*, bots.name AS bot_name, said.reason, said.question
    FROM page
    JOIN bots ON bots.organization_id = app.current_organization() AND bots.id = page.bot_id
    CROSS JOIN LATERAL (
        SELECT u.reason, COALESCE(answer.metadata ->> 'standalone_question', question.content) AS question
        FROM unanswered_messages u
        LEFT JOIN messages question ON question.organization_id = app.current_organization()
            AND question.id = u.message_id AND question.created_at = u.asked_at
        LEFT JOIN messages answer ON answer.organization_id = app.current_organization()
            AND answer.id = u.answer_id AND answer.created_at = u.answered_at
        WHERE u.organization_id = app.current_organization() AND u.question_id = page.id
        ORDER BY u.asked_at DESC, u.message_id DESC
        LIMIT 1) said
    ORDER BY page.asked_count DESC, page.id DESC
"""
"""Questions without an answer, those first that were asked most often in the period; as they were asked last."""

ERRORS: Final = """
    WITH logged AS (
        SELECT id, bot_id, document_id, service, error_type, message, created_at,
            app.error_fingerprint(service, error_type, message) AS fingerprint
        FROM error_logs
        WHERE organization_id = app.current_organization()
          AND created_at >= %(since)s AND created_at < %(until)s
          AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
          AND (%(bot_ids)s::uuid[] IS NULL OR bot_id = ANY (%(bot_ids)s))),
    page AS (
        SELECT fingerprint, count(*) AS errors, min(created_at) AS first_seen_at, max(created_at) AS last_seen_at,
            (array_agg(id ORDER BY created_at DESC, id DESC))[1] AS example_id,
            count(DISTINCT bot_id) AS bots,
            COALESCE((array_agg(DISTINCT bot_id) FILTER (WHERE bot_id IS NOT NULL))[1:10], '{}') AS bot_ids
        FROM logged
        GROUP BY fingerprint
        HAVING %(after_time)s::timestamptz IS NULL
            OR (max(created_at), fingerprint) < (%(after_time)s, %(after_key)s::text)
        ORDER BY max(created_at) DESC, fingerprint DESC
        LIMIT %(limit)s)
    SELECT page.*, example.service, example.error_type, example.message, app.error_pattern(example.message) AS pattern,
        example.document_id AS example_document_id
    FROM page
    JOIN logged example ON example.id = page.example_id
    ORDER BY page.last_seen_at DESC, page.fingerprint DESC
"""
"""Errors of one cause together, the last seen first; each with the last one as an example."""
