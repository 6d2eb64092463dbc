"""SQL of the history and of the present state of a bot's ingestion."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

from chatsphere.knowledge.documents_queries import VISIBLE

RUNS_PAGE: Final = """
    SELECT id, generation, outcome, stage, requested_at, registered_at, scanned_at, extracting_at, embedding_at,
           finished_at, attempts, error_code, retryable, size, page_count, chunk_count, token_count,
           cost_microdollars, embedding_model
    FROM document_runs
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND document_id = %(document_id)s
      AND (%(after)s::uuid IS NULL OR id < %(after)s)
    ORDER BY id DESC
    LIMIT %(limit)s
"""
"""Runs of a document, newest first."""

OF_BOT: Final = """documents.organization_id = app.current_organization() AND documents.bot_id = %(bot_id)s
    AND documents.status <> 'deleting'"""
"""Documents of a bot that is there, as `documents_queries.BOT_STATUS` has shown."""

UNFINISHED: Final = "documents.status IN ('registered', 'extracting', 'embedding')"
"""Written as the index `documents_under_way` has it."""

STATE: Final = """documents.id, documents.name, documents.status, documents.stage, documents.error_code,
    documents.error_message, documents.retryable, documents.attempts, documents.generation, documents.page_count,
    documents.chunk_count, documents.sha256, documents.updated_at,
    CASE documents.status
        WHEN 'extracting' THEN (
            SELECT least(1.0, round(k.pages_read::numeric / NULLIF(k.page_count, 0), 3)) FROM extraction_bookmarks k
            WHERE k.organization_id = app.current_organization() AND k.document_id = documents.id
              AND k.generation = documents.generation)
        WHEN 'embedding' THEN (
            SELECT least(1.0, round(count(DISTINCT b.batch)::numeric / NULLIF(documents.expected_batches, 0), 3))
            FROM embedding_batches b
            WHERE b.organization_id = app.current_organization() AND b.document_id = documents.id
              AND b.generation = documents.generation)
    END::real AS progress"""
"""A document as far as those need it who watch it; `progress` is the share of its stage that is done."""

TOTALS: Final = f"""
    SELECT count(*) FILTER (WHERE status = 'registered') AS registered,
           count(*) FILTER (WHERE status = 'extracting') AS extracting,
           count(*) FILTER (WHERE status = 'embedding') AS embedding,
           count(*) FILTER (WHERE status = 'ready') AS ready,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           COALESCE(sum(page_count), 0) AS page_count,
           COALESCE(sum(chunk_count), 0) AS chunk_count,
           COALESCE(sum(token_count), 0) AS token_count,
           COALESCE(sum(size), 0)::bigint AS size,
           (SELECT COALESCE(sum(cost_microdollars), 0)::bigint FROM document_runs
            WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s) AS cost_microdollars
    FROM documents
    WHERE {OF_BOT}
"""
"""How many documents of a bot are in which status, and what they hold; one row."""

UNDER_WAY: Final = f"""
    SELECT {STATE} FROM documents
    WHERE {VISIBLE} AND {UNFINISHED}
    ORDER BY documents.id
    LIMIT %(limit)s
"""
"""What is under way, the oldest first; nothing where the bot is being deleted."""

OLDEST_RUN: Final = """
    SELECT document_id, stage, requested_at FROM document_runs
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND finished_at IS NULL
    ORDER BY requested_at
    LIMIT 1
"""
"""What was asked for first of all that is under way."""

LAST_FAILURES: Final = f"""
    SELECT {STATE} FROM documents
    WHERE {OF_BOT} AND documents.status = 'failed'
    ORDER BY documents.updated_at DESC, documents.id DESC
    LIMIT %(limit)s
"""
"""What failed last, the newest first."""

TRAINING_RUN: Final = """
    SELECT id, started_at FROM training_runs
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
      AND kind = 'ingest' AND status = 'running'
"""
"""The bot's training that is under way, if one is."""

HORIZON: Final = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS settled_before"
"""The oldest transaction that may still change something: whatever is older is known in full."""

CHANGES: Final = f"""
    SELECT changes.changed_in::text AS changed_in, changes.document_id,
           changes.changed_in < pg_snapshot_xmin(pg_current_snapshot()) AS is_settled,
           changes.is_deleted OR documents.id IS NULL AS is_deleted, {STATE}
    FROM document_changes changes
    LEFT JOIN documents ON documents.organization_id = changes.organization_id AND documents.id = changes.document_id
    WHERE changes.organization_id = app.current_organization() AND changes.bot_id = %(bot_id)s
      AND (changes.changed_in, changes.document_id) > (%(changed_in)s::text::xid8, %(document_id)s)
    ORDER BY changes.changed_in, changes.document_id
    LIMIT %(limit)s
"""
"""What changed after a place in the order of transactions. Only what is settled may be told: of a transaction that has
not ended yet, an older change may still come."""

NEWEST: Final = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS newest"
"""The first transaction that has not begun: no change can be newer."""

TAKE_SLOT: Final = """
    INSERT INTO stream_slots (organization_id, slot, holder, expires_at)
    SELECT app.current_organization(), slot, %(holder)s, %(expires_at)s
    FROM generate_series(1, %(slots)s) AS slot
    WHERE NOT EXISTS (SELECT FROM stream_slots taken
                      WHERE taken.organization_id = app.current_organization() AND taken.slot = slot.slot
                        AND taken.expires_at > %(now)s)
    ORDER BY slot LIMIT 1
    ON CONFLICT (organization_id, slot) DO UPDATE
    SET holder = excluded.holder, expires_at = excluded.expires_at
    WHERE stream_slots.expires_at <= %(now)s
    RETURNING slot
"""
"""Occupy a slot that nobody holds; no row where all are held, or somebody was faster."""

NEXT_FREE: Final = """
    SELECT min(expires_at) AS free_at FROM stream_slots
    WHERE organization_id = app.current_organization() AND expires_at > %(now)s
"""
"""When a slot is free at the latest."""

LEAVE_SLOT: Final = """
    DELETE FROM stream_slots WHERE organization_id = app.current_organization() AND holder = %(holder)s
"""
"""Free a slot."""
