"""SQL of reconciliation. Every statement is bound to the tenant twice: by the row policies and by its own words."""

from typing import Final

# --------------------------------------------------------------------------------------------- comparisons

DOCUMENTS_BY_KEY: Final = """
    SELECT id, s3_key, status,
        CASE WHEN error_code IS DISTINCT FROM 'object_missing' THEN etag END AS etag,
        status IN ('registered', 'extracting', 'embedding', 'ready', 'failed')
            AND stage NOT IN ('upload', 'fetch') AND etag IS NOT NULL AS has_object
    FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
      AND s3_key COLLATE "C" > %(after)s AND (%(last)s::text IS NULL OR s3_key COLLATE "C" <= %(last)s)
"""
"""A bot's documents between two keys, in the order in which a bucket lists them. One that waits for its upload
needs no object; of one that was refused, the object was deleted. One that missed its object has no known one."""

DOCUMENTS_WITHIN: Final = """
    SELECT d.id, d.status, d.generation, d.live_generation, d.chunk_count, d.vector_cleanup_due,
        d.status IN ('ready', 'failed') AND d.live_generation IS NOT NULL AS settled,
        d.status IN ('registered', 'extracting', 'embedding', 'deleting')
            AND d.lease_expires_at IS NULL AND d.deadline_at IS NULL AS stuck,
        counted.chunks, counted.indexed, former.indexed AS formerly_indexed
    FROM documents d
    CROSS JOIN LATERAL (
        SELECT count(*) AS chunks, count(l.chunk_id) AS indexed
        FROM chunks c LEFT JOIN lexical_chunks l ON l.chunk_id = c.id
        WHERE c.document_id = d.id AND c.generation = d.live_generation) counted
    CROSS JOIN LATERAL (
        SELECT count(*) AS indexed
        FROM chunks c JOIN lexical_chunks l ON l.chunk_id = c.id
        WHERE c.document_id = d.id AND c.generation <> d.live_generation) former
    WHERE d.organization_id = app.current_organization() AND d.bot_id = %(bot_id)s
      AND (%(after)s::uuid IS NULL OR d.id > %(after)s::uuid)
    ORDER BY d.id
    LIMIT %(limit)s
"""
"""Some of a bot's documents with what is counted of each in the database."""

HOLD_SETTLED: Final = """
    SELECT 1 FROM documents
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND generation = %(generation)s
      AND status IN ('ready', 'failed')
    FOR UPDATE
"""
"""A document that no generation is under way for, held; no row where it has moved on."""

WAKE_DOCUMENT: Final = """
    UPDATE documents SET lease_expires_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s
      AND status IN ('registered', 'extracting', 'embedding', 'deleting')
      AND lease_expires_at IS NULL AND deadline_at IS NULL
"""
"""Have the reaper look at a document."""

KNOWN_DOCUMENTS: Final = """
    SELECT id FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = ANY (%(document_ids)s)
"""
"""Which of these documents there are."""

SEGMENTS: Final = """
    SELECT s.id, s.chunk_count, (SELECT count(*) FROM lexical_chunks l WHERE l.segment_id = s.id) AS chunks
    FROM lexical_segments s
    WHERE s.organization_id = app.current_organization() AND s.bot_id = %(bot_id)s AND s.unseen_document_id IS NULL
    ORDER BY s.id
"""
"""A bot's segments of the lexical index, with the passages that they say to have and those that they have."""

# ------------------------------------------------------------------------------------------------- reports

BEGIN: Final = """
    INSERT INTO reconciliations (id, organization_id, bot_id, status, dry_run, step, lease_expires_at, started_at)
    SELECT %(id)s, app.current_organization(), bots.id, 'running', %(dry_run)s, 'objects', %(lease_expires_at)s, %(now)s
    FROM bots
    WHERE organization_id = app.current_organization() AND bots.id = %(bot_id)s AND status <> 'deleting'
    ON CONFLICT DO NOTHING
    RETURNING id
"""
"""Begin a reconciliation; no row where one is under way, or the bot is gone."""

BEGUN_SINCE: Final = """
    SELECT 1 FROM reconciliations
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND started_at > %(started_after)s
    LIMIT 1
"""
"""Whether a bot's stores were compared lately."""

FORGET_OLD: Final = """
    DELETE FROM reconciliations
    WHERE organization_id = app.current_organization() AND id IN (
        SELECT id FROM reconciliations
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND status <> 'running'
        ORDER BY id DESC OFFSET %(kept)s)
"""
"""Forget a bot's oldest reports."""

COLUMNS: Final = """
    id, bot_id, status, dry_run, second_look, step, after, pages, looked_at, found, repaired, remaining, examples,
    error_code, started_at, finished_at
"""

RUNNING: Final = f"""
    SELECT {COLUMNS} FROM reconciliations
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND status = 'running'
"""  # noqa: S608 - only constants are put together
"""A bot's reconciliation that is under way."""

GET: Final = f"""
    SELECT {COLUMNS} FROM reconciliations
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(reconciliation_id)s
"""  # noqa: S608
"""One of a bot's reconciliations."""

PAGE: Final = f"""
    SELECT {COLUMNS} FROM reconciliations
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
      AND (%(after)s::uuid IS NULL OR id < %(after)s::uuid)
    ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608
"""A bot's reconciliations after a cursor, newest first."""

SAVE: Final = """
    UPDATE reconciliations
    SET second_look = %(second_look)s, step = %(step)s, after = %(after)s, pages = pages + 1,
        looked_at = %(looked_at)s::jsonb, found = %(found)s::jsonb, repaired = %(repaired)s::jsonb,
        remaining = %(remaining)s::jsonb, examples = %(examples)s::jsonb, status = %(status)s,
        finished_at = %(finished_at)s, lease_expires_at = %(lease_expires_at)s
    WHERE organization_id = app.current_organization() AND id = %(id)s AND pages = %(pages)s AND status = 'running'
    RETURNING id
"""
"""Keep what one more page gave; no row where somebody else has done that page."""

GIVE_UP: Final = """
    UPDATE reconciliations
    SET status = 'failed', error_code = %(code)s, finished_at = %(now)s, lease_expires_at = NULL
    WHERE organization_id = app.current_organization() AND id = %(id)s AND status = 'running'
"""
"""End a reconciliation that takes too long."""

BOT_STAYS: Final = """
    SELECT 1 FROM bots
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status <> 'deleting'
"""
"""Whether there is such a bot, and it is to stay."""
