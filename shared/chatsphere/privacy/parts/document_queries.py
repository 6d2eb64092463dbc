"""SQL of what is left of a document beside the document: answers that rest on it, and what tells of it."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

UNDER_WAY: Final = """
    SELECT count(*) AS rows FROM answers_under_way
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
      AND asked_at <= %(asked_at)s::timestamptz + interval '1 minute' AND expires_at > %(now)s
"""
"""Answers that were begun while the document could still be read; a minute more, for writers' clocks differ."""

# An answer rests on the document where it cites it or was given it, where it comes later in a conversation with such an
# answer, or was given such an answer from memory. What is rewritten is marked, so that the next pass sees what rested
# on it.
RESTING: Final = """
    WITH chosen AS (
        SELECT id, organization_id, bot_id, end_user_id, created_at, updated_at FROM conversations
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
          AND (%(after)s::uuid IS NULL OR id > %(after)s)
        ORDER BY id LIMIT %(limit)s
    ), said AS (
        SELECT m.id, m.created_at, m.conversation_id, m.content, m.metadata ->> 'erased' AS erased,
            m.citations @> %(wanted)s OR m.sources @> %(wanted)s
            OR COALESCE(m.metadata ->> 'erased' = %(document_id)s::text, false)
            OR (m.metadata ? 'recalled_messages' AND EXISTS (
                SELECT FROM jsonb_array_elements_text(m.metadata -> 'recalled_messages') recalled (id)
                JOIN messages r ON r.organization_id = app.current_organization() AND r.id = recalled.id::uuid
                    AND r.created_at <= m.created_at
                WHERE r.metadata ->> 'erased' = %(document_id)s::text)) AS rests
        FROM chosen c
        JOIN messages m ON m.organization_id = c.organization_id AND m.conversation_id = c.id
            AND m.created_at >= c.created_at AND m.created_at < c.updated_at + interval '1 day'
        WHERE m.role = 'assistant'
    ), first AS (
        SELECT conversation_id, min(id::text)::uuid AS id FROM said WHERE rests GROUP BY conversation_id
    ), found AS (
        SELECT said.id, said.created_at, said.conversation_id FROM said JOIN first USING (conversation_id)
        WHERE said.id >= first.id AND said.erased IS NULL
    )
"""

COUNT_RESTING: Final = f"""
    {RESTING}
    SELECT (SELECT max(id::text)::uuid FROM chosen) AS last, (SELECT count(*) FROM chosen) AS looked_at,
        (SELECT count(*) FROM found) AS rows
"""
"""Look at some conversations after one: how many answers rest on the document."""

REWRITE_RESTING: Final = f"""
    {RESTING}, held AS (
        SELECT FROM chosen c
        WHERE c.id IN (SELECT conversation_id FROM found) AND app.hold_on(c.id, c.bot_id, c.end_user_id) IS NOT NULL
    ), written AS (
        UPDATE messages m SET content = '[erased]', citations = '[]', sources = '[]',
            metadata = jsonb_build_object('erased', %(document_id)s::text)
        FROM found
        WHERE m.organization_id = app.current_organization() AND m.id = found.id
          AND m.created_at = found.created_at AND NOT EXISTS (SELECT FROM held)
        RETURNING m.id, m.conversation_id
    )
    SELECT (SELECT max(id::text)::uuid FROM chosen) AS last, (SELECT count(*) FROM chosen) AS looked_at,
        (SELECT count(*) FROM held) AS held,
        (SELECT jsonb_object_agg(conversation_id, ids) FROM (
            SELECT conversation_id, jsonb_agg(id) AS ids FROM written GROUP BY conversation_id) w) AS written
"""
"""Take the text from them, unless a conversation of theirs is held; what was rewritten, by conversation."""

CASES: Final = """
    SELECT e.id FROM evaluation_cases e
    JOIN evaluation_sets s ON s.organization_id = e.organization_id AND s.id = e.set_id
    WHERE e.organization_id = app.current_organization() AND s.bot_id = %(bot_id)s
      AND (e.relevant_documents @> %(wanted)s
           OR (e.message_id IS NOT NULL AND EXISTS (
               SELECT FROM conversations c JOIN messages m
                   ON m.organization_id = c.organization_id AND m.conversation_id = c.id
                   AND m.created_at >= c.created_at AND m.created_at < c.updated_at + interval '1 day'
               WHERE c.organization_id = e.organization_id AND c.id = e.conversation_id
                 AND m.metadata ->> 'erased' = %(document_id)s::text)))
"""
"""Cases that name the document as what answers them, or were copied from a conversation that quoted it."""

COUNT_CASES: Final = f"SELECT count(*) AS rows FROM ({CASES}) found"

DELETE_CASES: Final = f"""
    DELETE FROM evaluation_cases
    WHERE organization_id = app.current_organization() AND id = ANY (ARRAY(SELECT id FROM ({CASES} LIMIT %(limit)s) f))
"""

FAILURES: Final = """
    SELECT id, created_at FROM error_logs
    WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
"""

COUNT_FAILURES: Final = f"SELECT count(*) AS rows FROM ({FAILURES}) failed"

DELETE_FAILURES: Final = f"""
    DELETE FROM error_logs WHERE organization_id = app.current_organization()
      AND (id, created_at) IN (SELECT id, created_at FROM ({FAILURES} LIMIT %(limit)s) failed)
"""

EXAMPLES: Final = """
    SELECT id FROM reconciliations
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND examples <> '[]'
      AND started_at <= %(asked_at)s::timestamptz + interval '1 hour'
"""

COUNT_EXAMPLES: Final = f"SELECT count(*) AS rows FROM ({EXAMPLES}) found"

FORGET_EXAMPLES: Final = f"""
    UPDATE reconciliations SET examples = '[]'
    WHERE organization_id = app.current_organization() AND id IN (SELECT id FROM ({EXAMPLES} LIMIT %(limit)s) found)
"""
"""Reports keep their counts, and name no object any more."""

EVENTS: Final = """
    SELECT id FROM webhook_events
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
      AND document_id = %(document_id)s AND occurred_at <= %(asked_at)s
"""

COUNT_EVENTS: Final = f"SELECT count(*) AS rows FROM ({EVENTS}) found"

DELETE_EVENTS: Final = f"""
    DELETE FROM webhook_events
    WHERE organization_id = app.current_organization() AND id IN (SELECT id FROM ({EVENTS} LIMIT %(limit)s) found)
"""
"""What was told, and is to be told yet, of the time before."""

# --------------------------------------------------------------------------------------------------- as the eraser

TOLD: Final = """
    organization_id = %(organization_id)s AND object_type = 'document' AND object_id = %(document_id)s::text
    AND (before - 'bot_id' <> '{}' OR after - 'bot_id' <> '{}')
"""

COUNT_TOLD: Final = f"SELECT count(*) AS rows FROM audit_log WHERE {TOLD}"

FORGET_TOLD: Final = f"""
    UPDATE audit_log SET
        before = before - ARRAY(SELECT key FROM jsonb_object_keys(before) key WHERE key <> 'bot_id'),
        after = after - ARRAY(SELECT key FROM jsonb_object_keys(after) key WHERE key <> 'bot_id')
    WHERE organization_id = %(organization_id)s AND id = ANY (ARRAY(
        SELECT id FROM audit_log WHERE {TOLD} LIMIT %(limit)s))
"""
"""That something was done with the document is still told; its name, tags, metadata and address are not."""
